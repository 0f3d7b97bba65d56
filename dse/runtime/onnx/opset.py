"""Which versions of ONNX's operators a file may ask for."""

from __future__ import annotations

from collections.abc import Iterable

from dse.errors import InvalidValue
from dse.runtime.onnx.graph import Node

OPSET = 17
"""Of 2022: old enough for every runtime in use, new enough to have HardSwish."""

LOWEST = 11
"""The first in which Clip, Pad and Gemm take the inputs that they are written with."""

HIGHEST = 26
"""The last that a released ONNX Runtime reads (1.31); older ones read fewer."""

_SINCE = {"HardSwish": 14}
"""The operators that came after the lowest opset."""

_QUANTISED = 13
"""From here on weights may be quantised channel by channel."""


def check_opset(opset: int, *, quantised: bool = False) -> None:
    """See that files can be written for an opset, in int8 if `quantised`.

    Raises:
        InvalidValue: they cannot.
    """
    if not LOWEST <= opset <= HIGHEST:
        raise InvalidValue(f"an opset is {LOWEST} to {HIGHEST}, got {opset}")
    if quantised and opset < _QUANTISED:
        raise InvalidValue(
            f"int8 needs opset {_QUANTISED}, which brought quantisation channel by channel; "
            f"got opset {opset}"
        )


def check_nodes(nodes: Iterable[Node], opset: int, label: str) -> None:
    """See that an opset has all operators of a graph, the graph being called `label`.

    Raises:
        InvalidValue: it lacks one.
    """
    for node in nodes:
        since = _SINCE.get(node.kind, LOWEST)
        if since > opset:
            raise InvalidValue(
                f"{label} needs opset {since}, which brought {node.kind} ({node.name}); "
                f"got opset {opset}"
            )
