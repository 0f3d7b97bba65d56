"""ShuffleNet V1."""

from __future__ import annotations

from dse.errors import InvalidValue
from dse.network import Network
from dse.presets.base import Nodes, network, one_of, preset, within

# Table 1 of the paper: output channels of the three stages by the number of groups.
_CHANNELS = {
    1: (144, 288, 576),
    2: (200, 400, 800),
    3: (240, 480, 960),
    4: (272, 544, 1088),
    8: (384, 768, 1536),
}
_UNITS = (4, 8, 4)


@preset
def shufflenet_v1(
    classes: int = 1000,
    groups: int = 3,
    alpha: float = 1.0,
    group_first: bool = False,
    input: str = "3x224x224",
) -> Network:
    """ShuffleNet V1: grouped 1x1 convolutions, channels shuffled between them.

    Zhang et al., CVPR 2018, Table 1. Trainable parameters of the 1x networks with 3 classes:
    956,667 with 1 group, 935,251 with 2, 907,611 with 3, 882,611 with 4, 902,379 with 8. HL-CNN's
    Table II prints 524M multiply-adds without saying of which: the paper has that for 2x, 3 groups.

    Args:
        classes: of the classifier.
        groups: of the 1x1 convolutions: 1, 2, 3, 4 or 8, each with its own widths.
        alpha: the paper's scale factor s on all widths: 0.25, 0.5, 1, 1.5 and 2 there.
        group_first: group the very first 1x1 convolution as well, which the paper leaves ungrouped
            because its input has only 24 channels. The count in SPP-COVID-Net's Table II (939,531
            with running statistics, 3 classes, 8 groups) has it grouped.
        input: an image of another size.
    """
    one_of("shufflenet-v1", "groups", groups, tuple(_CHANNELS))
    within("shufflenet-v1", "alpha", alpha, 0, 4)
    stem = int(24 * alpha)
    nodes: Nodes = [
        {"name": "stem", "conv": {"channels": max(1, stem), "stride": 2}},
        {"name": "pool", "pool": {"kernel": 3, "stride": 2, "padding": 1}},
    ]
    for number, (channels, units) in enumerate(zip(_CHANNELS[groups], _UNITS, strict=True)):
        width = int(channels * alpha)
        if width % (4 * groups) or (number == 0 and (width - stem) % groups):
            raise InvalidValue(
                f"shufflenet-v1: {groups} groups must divide the widths and a quarter of them, "
                f"got {width} channels with alpha={alpha:g}"
            )
        for index in range(units):
            settings = {
                "channels": width,
                "groups": groups,
                "stride": 1 if index else 2,
                "group_reduce": bool(number or index or group_first),
            }
            nodes.append({"name": f"stage{number + 2}.{index}", "shuffle": settings})
    nodes += [
        {"name": "gap", "global_pool": {}},
        {"name": "classifier", "classifier": {}},
    ]
    about = "ShuffleNet V1 (Zhang et al., CVPR 2018, Table 1)."
    return network("shufflenet-v1", "ShuffleNet V1", about, input, classes, nodes)
