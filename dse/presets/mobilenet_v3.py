"""MobileNet V3, small and large."""

from __future__ import annotations

from typing import Any, NamedTuple

from dse.network import Network
from dse.presets.base import Nodes, divisible, network, preset, within


class _Row(NamedTuple):
    """A row of the paper's tables; `hidden` is the expanded width."""

    kernel: int
    hidden: int
    channels: int
    attention: bool
    activation: str
    stride: int


_RE, _HS = "relu", "hard_swish"

# Table 1 of the paper, by stages: one for each resolution, and one more where widths change.
_LARGE = (
    (_Row(3, 16, 16, False, _RE, 1),),
    (_Row(3, 64, 24, False, _RE, 2), _Row(3, 72, 24, False, _RE, 1)),
    (
        _Row(5, 72, 40, True, _RE, 2),
        _Row(5, 120, 40, True, _RE, 1),
        _Row(5, 120, 40, True, _RE, 1),
    ),
    (
        _Row(3, 240, 80, False, _HS, 2),
        _Row(3, 200, 80, False, _HS, 1),
        _Row(3, 184, 80, False, _HS, 1),
        _Row(3, 184, 80, False, _HS, 1),
    ),
    (_Row(3, 480, 112, True, _HS, 1), _Row(3, 672, 112, True, _HS, 1)),
    (
        _Row(5, 672, 160, True, _HS, 2),
        _Row(5, 960, 160, True, _HS, 1),
        _Row(5, 960, 160, True, _HS, 1),
    ),
)

# Table 2.
_SMALL = (
    (_Row(3, 16, 16, True, _RE, 2),),
    (_Row(3, 72, 24, False, _RE, 2), _Row(3, 88, 24, False, _RE, 1)),
    (
        _Row(5, 96, 40, True, _HS, 2),
        _Row(5, 240, 40, True, _HS, 1),
        _Row(5, 240, 40, True, _HS, 1),
    ),
    (_Row(5, 120, 48, True, _HS, 1), _Row(5, 144, 48, True, _HS, 1)),
    (
        _Row(5, 288, 96, True, _HS, 2),
        _Row(5, 576, 96, True, _HS, 1),
        _Row(5, 576, 96, True, _HS, 1),
    ),
)


def _squeeze_excite(channels: int) -> dict[str, Any]:
    """A quarter of the channels, rounded to a multiple of 8, behind a hard gate."""
    return {"squeeze_excite": {"hidden": divisible(channels / 4), "gate": "hard_sigmoid"}}


def _stages(table: tuple[tuple[_Row, ...], ...], alpha: float) -> Nodes:
    nodes: Nodes = []
    for number, rows in enumerate(table, start=1):
        for index, row in enumerate(rows):
            hidden = divisible(row.hidden * alpha)
            settings = {
                "channels": divisible(row.channels * alpha),
                "stride": row.stride,
                "hidden": hidden,
                "kernel": row.kernel,
                "activation": row.activation,
                "attention": _squeeze_excite(hidden) if row.attention else None,
            }
            nodes.append({"name": f"stage{number}.{index}", "inverted": settings})
    return nodes


def _mobilenet_v3(
    size: str,
    table: tuple[tuple[_Row, ...], ...],
    features: int,
    attention: bool,
    alpha: float,
    input: str,
    classes: int,
) -> Network:
    name = f"mobilenet-v3-{size}"
    within(name, "alpha", alpha, 0, 4)
    last = divisible(6 * divisible(table[-1][-1].channels * alpha))
    nodes: Nodes = [
        {
            "name": "stem",
            "conv": {"channels": divisible(16 * alpha), "stride": 2, "activation": _HS},
        },
        *_stages(table, alpha),
        {"name": "last", "conv": {"channels": last, "kernel": 1, "activation": _HS}},
    ]
    if attention:
        nodes.append({"name": "attention", **_squeeze_excite(last)})
    nodes += [
        {"name": "pool", "global_pool": {}},
        {
            "name": "features",
            "dense": {"features": divisible(features * max(alpha, 1)), "activation": _HS},
        },
        {"name": "classifier", "classifier": {"dropout": 0.2}},
    ]
    table_number = 1 if size == "large" else 2
    about = f"MobileNet V3 {size} (Howard et al., ICCV 2019, Table {table_number})."
    return network(name, f"MobileNet V3 {size.title()}", about, input, classes, nodes)


@preset
def mobilenet_v3_large(
    classes: int = 1000, alpha: float = 1.0, input: str = "3x224x224"
) -> Network:
    """MobileNet V3 Large: inverted residuals found by search, with attention and hard-swish.

    Howard et al., Searching for MobileNetV3, ICCV 2019, Table 1. 5,483,032 trainable parameters
    with 1000 classes, as torchvision and Keras count. SPP-COVID-Net's Table II prints 3,789,427 for
    3 classes from an implementation that it does not name, and which no reading of the paper gives.

    Args:
        classes: of the classifier.
        alpha: width multiplier, 0.75 and 1 in the paper; widths are rounded to multiples of 8.
        input: an image of another size; the paper goes from 96 to 256.
    """
    return _mobilenet_v3("large", _LARGE, 1280, False, alpha, input, classes)


@preset
def mobilenet_v3_small(
    classes: int = 1000,
    alpha: float = 1.0,
    last_attention: bool = False,
    input: str = "3x224x224",
) -> Network:
    """MobileNet V3 Small: inverted residuals found by search, for the smallest budgets.

    Howard et al., Searching for MobileNetV3, ICCV 2019, Table 2. 2,542,856 trainable parameters
    with 1000 classes, as torchvision and Keras count. SPP-COVID-Net's Table II prints 1,665,501 for
    3 classes from an implementation that it does not name, and which no reading of the paper gives.

    Args:
        classes: of the classifier.
        alpha: width multiplier, 0.75 and 1 in the paper; widths are rounded to multiples of 8.
        last_attention: a squeeze-excite after the last convolution. The paper's table ticks it, but
            its 2.5 million parameters, its authors' code, torchvision and Keras are without it.
        input: an image of another size; the paper goes from 96 to 256.
    """
    return _mobilenet_v3("small", _SMALL, 1024, last_attention, alpha, input, classes)
