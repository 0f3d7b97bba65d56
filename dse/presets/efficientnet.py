"""EfficientNet: one table, scaled in width, depth and resolution together."""

from __future__ import annotations

from math import ceil

from dse.network import Network
from dse.presets.base import Nodes, divisible, network, preset, within

# Table 1 of the paper (Rachha, Table 2): expansion, kernel, channels, layers, stride of the first.
_STAGES = (
    (1, 3, 16, 1, 1),
    (6, 3, 24, 2, 2),
    (6, 5, 40, 2, 2),
    (6, 3, 80, 3, 2),
    (6, 5, 112, 3, 1),
    (6, 5, 192, 4, 2),
    (6, 3, 320, 1, 1),
)


def _efficientnet(
    version: int, width: float, depth: float, dropout: float, input: str, classes: int
) -> Network:
    """Compound scaling: widths times `width` in multiples of 8, layers times `depth` rounded up.

    Squeeze-excite is a quarter of a block's input, not of its expanded channels.
    """
    name = f"efficientnet-b{version}"
    within(name, "width", width, 0, 8)
    within(name, "depth", depth, 0, 8)
    channels = divisible(32 * width)
    nodes: Nodes = [
        {"name": "stem", "conv": {"channels": channels, "stride": 2, "activation": "silu"}}
    ]
    for number, (expansion, kernel, base, layers, stride) in enumerate(_STAGES, start=1):
        for index in range(ceil(layers * depth)):
            squeeze = {"hidden": max(1, channels // 4), "activation": "silu"}
            channels = divisible(base * width)
            settings = {
                "channels": channels,
                "stride": 1 if index else stride,
                "expansion": expansion,
                "kernel": kernel,
                "activation": "silu",
                "attention": {"squeeze_excite": squeeze},
            }
            nodes.append({"name": f"stage{number}.{index}", "inverted": settings})
    last = {"channels": divisible(1280 * width), "kernel": 1, "activation": "silu"}
    nodes += [
        {"name": "last", "conv": last},
        {"name": "pool", "global_pool": {}},
        {"name": "classifier", "classifier": {"dropout": dropout}},
    ]
    about = f"EfficientNet-B{version} (Tan and Le, ICML 2019, Table 1 and section 3.3)."
    return network(name, f"EfficientNet-B{version}", about, input, classes, nodes)


@preset
def efficientnet_b0(
    classes: int = 1000, width: float = 1.0, depth: float = 1.0, input: str = "3x224x224"
) -> Network:
    """EfficientNet-B0: inverted residuals with squeeze-excite, the baseline that is scaled.

    Tan and Le, EfficientNet, ICML 2019, Table 1; Rachha, Table 2. 5,288,548 trainable parameters
    with 1000 classes. The compound coefficient φ stands for width 1.1^φ, depth 1.2^φ and a
    resolution of 224 times 1.15^φ.

    Args:
        classes: of the classifier.
        width: the width coefficient.
        depth: the depth coefficient.
        input: an image of another size.
    """
    return _efficientnet(0, width, depth, 0.2, input, classes)


@preset
def efficientnet_b4(
    classes: int = 1000, width: float = 1.4, depth: float = 1.8, input: str = "3x380x380"
) -> Network:
    """EfficientNet-B4: B0 at 1.4 times the width, 1.8 times the depth, 380x380.

    Tan and Le, EfficientNet, ICML 2019, section 3.3; compared in Rachha at 224x224. 19,341,616
    trainable parameters with 1000 classes.

    Args:
        classes: of the classifier.
        width: the width coefficient.
        depth: the depth coefficient.
        input: an image of another size.
    """
    return _efficientnet(4, width, depth, 0.4, input, classes)


@preset
def efficientnet_b7(
    classes: int = 1000, width: float = 2.0, depth: float = 3.1, input: str = "3x600x600"
) -> Network:
    """EfficientNet-B7: B0 at twice the width, 3.1 times the depth, 600x600.

    Tan and Le, EfficientNet, ICML 2019, section 3.3; compared in Rachha at 224x224. 66,347,960
    trainable parameters with 1000 classes.

    Args:
        classes: of the classifier.
        width: the width coefficient.
        depth: the depth coefficient.
        input: an image of another size.
    """
    return _efficientnet(7, width, depth, 0.5, input, classes)
