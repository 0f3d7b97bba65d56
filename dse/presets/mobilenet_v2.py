"""MobileNet V2."""

from __future__ import annotations

from dse.network import Network
from dse.presets.base import Nodes, divisible, network, preset, within

# Table 2 of the paper: expansion, channels, blocks, stride of the first.
_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


@preset
def mobilenet_v2(
    classes: int = 1000,
    alpha: float = 1.0,
    expand_first: bool = False,
    input: str = "3x224x224",
) -> Network:
    """MobileNet V2: inverted residuals with linear bottlenecks.

    Sandler et al., CVPR 2018, Table 2. 3,504,872 trainable parameters and 300,774,272 multiply-adds
    with 1000 classes at 224x224.

    Args:
        classes: of the classifier.
        alpha: width multiplier; widths are rounded to multiples of 8, and the last convolution
            keeps its 1280 channels where alpha is below 1, as in the paper.
        expand_first: give the first block its expansion convolution although its factor is 1. The
            paper, torchvision and Keras leave it out; the count in SPP-COVID-Net's Table II
            (2,262,979 with running statistics, 3 classes) has it.
        input: an image of another size; the paper goes from 96 to 224.
    """
    within("mobilenet-v2", "alpha", alpha, 0, 4)
    nodes: Nodes = [
        {
            "name": "stem",
            "conv": {"channels": divisible(32 * alpha), "stride": 2, "activation": "relu6"},
        }
    ]
    for number, (expansion, channels, blocks, stride) in enumerate(_STAGES, start=1):
        for index in range(blocks):
            settings = {
                "channels": divisible(channels * alpha),
                "stride": 1 if index else stride,
                "expansion": expansion,
                "always_expand": expand_first and number == 1,
            }
            nodes.append({"name": f"stage{number}.{index}", "inverted": settings})
    last = {"channels": divisible(1280 * max(alpha, 1)), "kernel": 1, "activation": "relu6"}
    nodes += [
        {"name": "last", "conv": last},
        {"name": "pool", "global_pool": {}},
        {"name": "classifier", "classifier": {"dropout": 0.2}},
    ]
    about = "MobileNet V2 (Sandler et al., CVPR 2018, Table 2)."
    return network("mobilenet-v2", "MobileNet V2", about, input, classes, nodes)
