"""What of a kernel decides how long it takes: its work, and where it lies among others."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from math import log2, prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dse.latency.kernel import CONVOLUTIONS, FLOAT_BYTES, Kernel
from dse.latency.layout import Layout

Array = NDArray[np.floating[Any]]

Family = tuple[str, bool, bool]
"""Kernels that run the same code: their kind, whether in blocks of channels, and whether they read
an image, whose few channels do not fill a block."""

_FILTER_SET = 4
"""Blocks of output channels that ONNX Runtime's blocked convolutions compute together."""

_FUSED = ("relu6", "leaky_relu", "hard_swish", "hard_sigmoid", "sigmoid", "silu")
"""Activations that take their time; a ReLU is one instruction."""


def family(kernel: Kernel, layout: Layout) -> Family:
    """What the kernel is compared with."""
    image = kernel.kind == "conv" and kernel.blocked and kernel.inputs[0][0] < layout.block
    return kernel.kind, kernel.blocked, image


def by_family(kernels: Iterable[Kernel], layout: Layout) -> dict[Family, list[int]]:
    """The numbers of the kernels of each family."""
    found: dict[Family, list[int]] = {}
    for number, kernel in enumerate(kernels):
        found.setdefault(family(kernel, layout), []).append(number)
    return found


def work(kernel: Kernel, layout: Layout) -> list[float]:
    """The parts of a kernel's time by what it does, each to be multiplied by a rate.

    One call; multiply-adds, without those of padding; of them what filters that do not fill a set
    waste; of them those of columns at a border, which are computed one by one; bytes read, written,
    and of weights; elements given to a costly activation; elements that a window passes over, or
    pieces that are copied one by one.
    """
    channels, filters = _channels(kernel, layout)
    elements = prod(kernel.output[1:]) * filters
    macs = border = 0.0
    pieces = elements * prod(kernel.window)
    if kernel.kind in CONVOLUTIONS:
        rows, columns = _taps(kernel, 0), _taps(kernel, 1)
        macs = float(filters * channels * rows.inside * columns.inside)
        border = float(filters * channels * rows.inside * columns.at_border)
        pieces = 0
    elif kernel.kind == "linear":
        macs = float(kernel.macs)
    elif kernel.kind == "gather":
        pieces = elements // kernel.output[-1] if _keeps_rows(kernel) else elements
    return [
        1.0,
        macs,
        macs * _waste(filters, layout),
        border,
        float(kernel.input_bytes),
        float(FLOAT_BYTES * elements),
        float(kernel.weight_bytes),
        _used_weight_bytes(kernel),
        float(elements if kernel.activation.partition("(")[0] in _FUSED else 0),
        float(pieces),
    ]


def position(kernel: Kernel, layout: Layout) -> list[float]:
    """Where the kernel lies: powers of two of its sizes, and switches."""
    channels, filters = _channels(kernel, layout)
    x, y = kernel.inputs[0], kernel.output
    area_in, area = prod(x[1:]), prod(y[1:])
    size = kernel.input_bytes + kernel.output_bytes + kernel.weight_bytes
    activation = kernel.activation.partition("(")[0]
    inside = 1.0
    if kernel.kind in CONVOLUTIONS:
        rows, columns = _taps(kernel, 0), _taps(kernel, 1)
        inside = rows.inside * columns.inside / (area * prod(kernel.window))
    return [
        log2(channels),
        log2(filters),
        log2(area),
        log2(y[-1]) if len(y) == 3 else 0.0,
        log2(prod(kernel.window)),
        2 * log2(inside),
        log2(area_in / area),
        log2(kernel.groups) if kernel.kind == "grouped" else 0.0,
        log2(size) / 2,
        2 * _waste(filters, layout),
        2.0 * kernel.sums,
        float(len(kernel.inputs) - kernel.sums),
        4.0 * _keeps_rows(kernel),
        *(float(activation == name) for name in _FUSED),
    ]


def works(kernels: Iterable[Kernel], layout: Layout) -> Array:
    """A row of `work` a kernel."""
    return np.array([work(kernel, layout) for kernel in kernels], dtype=np.float64)


def positions(kernels: Iterable[Kernel], layout: Layout) -> Array:
    """A row of `position` a kernel."""
    return np.array([position(kernel, layout) for kernel in kernels], dtype=np.float64)


def _channels(kernel: Kernel, layout: Layout) -> tuple[int, int]:
    """Channels read for each output, and channels written, as they are in memory."""
    channels, filters = kernel.inputs[0][0], kernel.output[0]
    if kernel.blocked:
        filters = _full(filters, layout)
        # An image has fewer channels than a block holds, and is read as it is.
        channels = _full(channels, layout) if channels >= layout.block else channels
    if kernel.kind in CONVOLUTIONS:
        channels = max(channels // kernel.groups, 1)
    return channels, filters


class _Taps(NamedTuple):
    """Of a window along an axis, over all outputs.

    Attributes:
        inside: how often its positions lie inside the map.
        at_border: how often for the outputs whose window does not lie inside as a whole.
        used: how many of its positions ever lie inside.
    """

    inside: int
    at_border: int
    used: int


def _taps(kernel: Kernel, axis: int) -> _Taps:
    before, after = kernel.inputs[0][1 + axis], kernel.output[1 + axis]
    return _along(before, after, kernel.window[axis], kernel.strides[axis])


@cache
def _along(before: int, after: int, window: int, stride: int) -> _Taps:
    padding = max((after - 1) * stride + window - before + 1, 0) // 2
    starts = [position * stride - padding for position in range(after)]
    taps = [max(min(start + window, before) - max(start, 0), 0) for start in starts]
    used = {tap for start in starts for tap in range(window) if 0 <= start + tap < before}
    return _Taps(sum(taps), sum(count for count in taps if count < window), len(used))


def _used_weight_bytes(kernel: Kernel) -> float:
    """Of weights that are read: on maps smaller than the window some never meet the map, and are
    only passed over.
    """
    if kernel.kind not in CONVOLUTIONS:
        return float(kernel.weight_bytes)
    used = _taps(kernel, 0).used * _taps(kernel, 1).used
    return kernel.weight_bytes * used / prod(kernel.window)


def _keeps_rows(kernel: Kernel) -> bool:
    """Whether an op that gathers or reduces leaves the last axis alone, and so moves whole rows."""
    return kernel.kind in ("gather", "reduce_max") and kernel.inputs[0][-1] == kernel.output[-1]


def _waste(filters: int, layout: Layout) -> float:
    """What part of the last set of filters is empty, in sets."""
    blocks = -(-filters // layout.block)
    return -(-blocks // _FILTER_SET) * _FILTER_SET / blocks - 1


def _full(channels: int, layout: Layout) -> int:
    return -(-channels // layout.block) * layout.block
