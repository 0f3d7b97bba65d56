"""SPP-COVID-Net and the DarkCovidNet it grew from: one trunk of squeeze triples, two endings."""

from __future__ import annotations

from dse.ir import Shape
from dse.network import Network
from dse.presets.base import Nodes, network, one_of, preset

_LEAKY = "leaky_relu(0.1)"


def _conv(name: str, channels: int, kernel: int = 3) -> dict[str, object]:
    return {"name": name, "conv": {"channels": channels, "kernel": kernel, "activation": _LEAKY}}


def _trunk(pools: int) -> Nodes:
    nodes: Nodes = [_conv("conv1", 8)]
    if pools == 5:
        nodes.append({"name": "pool1", "pool": {}})
    nodes += [_conv("conv2", 16), {"name": "pool2", "pool": {}}]
    for number, channels in enumerate((32, 64, 128), start=3):
        nodes.append(
            {"name": f"triple{number}", "triple": {"channels": channels, "squeeze": channels // 2}}
        )
        nodes.append({"name": f"pool{number}", "pool": {}})
    nodes.append({"name": "triple6", "triple": {"channels": 256, "squeeze": 128}})
    return nodes


@preset
def spp_covid_net(classes: int = 3, pools: int = 5, input: str = "3x256x256") -> Network:
    """SPP-COVID-Net: DarkCovidNet's trunk with a spatial pyramid of max pools in front of the
    classifier.

    SPP-COVID-Net, Tables I and II: 862,331 parameters with running statistics, 3 classes. The count
    needs an 8x8 map before the pyramid (windows 7, 6, 4): five pools from 256x256, as in the
    authors' code, or the four of Table I (``pools=4``) from 128x128. The conclusion's 862,231 is a
    misprint. Images that leave less than the 7x7 map of the widest window get the adaptive pyramid
    with the same grids (2x2, 3x3, 5x5), and so the same size.
    """
    one_of("spp-covid-net", "pools", pools, (4, 5))
    shape = Shape.parse(input)
    fits = min(shape.height, shape.width) >> pools >= 7
    pyramid = (
        {"pyramid": {"windows": [7, 6, 4]}} if fits else {"adaptive_pyramid": {"levels": [2, 3, 5]}}
    )
    nodes = [
        *_trunk(pools),
        {"name": "pyramid", **pyramid},
        {"name": "classifier", "classifier": {}},
    ]
    about = "SPP-COVID-Net: chest X-rays by spatial pyramid pooling (its Table I)."
    return network("spp-covid-net", "SPP-COVID-Net", about, input, classes, nodes)


@preset
def darkcovidnet(classes: int = 3, input: str = "3x256x256") -> Network:
    """DarkCovidNet as SPP-COVID-Net compares it: 1,167,363 parameters with running statistics, 3
    classes.

    SPP-COVID-Net, Table II. The trunk continues to a convolution with two filters, flattened to
    8x8x2 features. The original (Ozturk et al., 2020) has 1,164,434 trainable parameters for two
    classes: its 1x1 convolutions are padded by 1, which makes the last map 13x13x2.
    """
    nodes = [
        *_trunk(5),
        _conv("conv7", 128, 1),
        _conv("conv8", 256),
        _conv("conv9", 2),
        {"name": "flatten", "flatten": {}},
        {"name": "classifier", "classifier": {}},
    ]
    about = "DarkCovidNet (Ozturk et al., 2020) as compared in SPP-COVID-Net, Table II."
    return network("darkcovidnet", "DarkCovidNet", about, input, classes, nodes)
