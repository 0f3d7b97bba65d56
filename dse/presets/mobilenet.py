"""MobileNet V1, and the Enhanced Hybrid MobileNet made of it for small images."""

from __future__ import annotations

from dse.errors import InvalidValue
from dse.network import Network
from dse.presets.base import Nodes, network, one_of, preset

# The widths of the thirteen depthwise separable blocks, and which of them halve the map.
_WIDTHS = (64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
_STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)


def _check_multipliers(name: str, alpha: float, delta: int) -> None:
    if not 0 < alpha <= 4:
        raise InvalidValue(f"{name}: alpha is above 0 and at most 4, got {alpha}")
    if not 1 <= delta <= 16:
        raise InvalidValue(f"{name}: delta is from 1 to 16, got {delta}")


def _stages(delta: int) -> Nodes:
    """The blocks by resolution: each stage but the first begins with a stride of 2."""
    nodes: Nodes = []
    stage, index = 1, 0
    for width, stride in zip(_WIDTHS, _STRIDES, strict=True):
        if stride == 2:
            stage, index = stage + 1, 0
        settings = {"channels": width, "stride": stride, "delta": delta}
        nodes.append({"name": f"stage{stage}.{index}", "depthwise": settings})
        index += 1
    return nodes


@preset
def mobilenet_v1(classes: int = 1000, alpha: float = 1.0, input: str = "3x224x224") -> Network:
    """MobileNet V1: depthwise separable convolutions throughout.

    Howard et al., arXiv:1704.04861, Table 1. 568,740,352 multiply-adds at 224x224 with 1000 classes
    (HL-CNN, Table II: 569M); 3,231,939 parameters with running statistics for 3 classes (SPP-COVID-
    Net, Table II). `alpha` is the paper's width multiplier.
    """
    _check_multipliers("mobilenet-v1", alpha, 1)
    nodes = [
        {"name": "stem", "conv": {"channels": 32, "stride": 2}},
        *_stages(delta=1),
        {"name": "pool", "global_pool": {}},
        {"name": "classifier", "classifier": {}},
    ]
    about = "MobileNet V1 (Howard et al., arXiv:1704.04861, Table 1)."
    return network("mobilenet-v1", "MobileNet V1", about, input, classes, nodes).scaled(alpha)


@preset
def hybrid_mobilenet(
    classes: int = 10,
    alpha: float = 1.0,
    delta: int = 2,
    downsample: str = "stride",
    input: str = "3x32x32",
) -> Network:
    """Enhanced Hybrid MobileNet: MobileNet V1 at 32x32 with a depth multiplier and three ways to
    downsample.

    Enhanced Hybrid MobileNet, Tables 1-3 (architectures) and 4-6 (sizes): 6.44 million parameters
    with running statistics and 22.96 million multiply-adds with alpha 1, delta 2, stride, 10
    classes.

    Args:
        classes: 10 or 100 in the paper.
        alpha: width multiplier: 1, 0.5 or 0.25 in the paper.
        delta: depth multiplier, filters per channel of each depthwise convolution: 1, 2 or 4.
        downsample: ``stride`` (Table 1: stem and depthwise strides), ``maxpool3`` (Table 2:
            3x3/2 max pools in their place), ``fractional`` (Table 3: seven fractional max pools,
            which keep maps larger for longer).
        input: an image of another size.
    """
    one_of("hybrid-mobilenet", "downsample", downsample, ("stride", "maxpool3", "fractional"))
    _check_multipliers("hybrid-mobilenet", alpha, delta)
    nodes: Nodes
    if downsample == "stride":
        nodes = [{"name": "stem", "conv": {"channels": 32, "stride": 2}}, *_stages(delta)]
    elif downsample == "maxpool3":
        nodes = _pooled(
            delta, {"pool": {"kernel": 3, "stride": 2, "padding": 1}}, _max_pooled_stages()
        )
    else:
        nodes = _pooled(delta, {"fractional_pool": {}}, _fractional_stages())
    nodes += [
        {"name": "pool", "global_pool": {}},
        {"name": "classifier", "classifier": {"dropout": 0.1}},
    ]
    about = "Enhanced Hybrid MobileNet: width, depth multiplier and downsampling (its Tables 1-3)."
    return network("hybrid-mobilenet", "Hybrid MobileNet", about, input, classes, nodes).scaled(
        alpha
    )


def _max_pooled_stages() -> list[list[int]]:
    """Table 2: a pool after the stem and wherever Table 1 has a stride."""
    stages: list[list[int]] = [[]]
    for width, stride in zip(_WIDTHS, _STRIDES, strict=True):
        if stride == 2:
            stages.append([])
        stages[-1].append(width)
    return stages


def _fractional_stages() -> list[list[int]]:
    """Table 3: a pool before every second block."""
    return [list(_WIDTHS[i : i + 2]) for i in range(0, len(_WIDTHS), 2)]


def _pooled(delta: int, pool: dict[str, object], stages: list[list[int]]) -> Nodes:
    nodes: Nodes = [{"name": "stem", "conv": {"channels": 32}}]
    for number, widths in enumerate(stages, start=1):
        nodes.append({"name": f"pool{number}", **pool})
        for index, width in enumerate(widths):
            block = {"depthwise": {"channels": width, "delta": delta}}
            nodes.append({"name": f"stage{number}.{index}", **block})
    return nodes
