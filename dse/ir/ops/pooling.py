"""Ops that shrink a map."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import ceil, prod
from typing import ClassVar

from dse.errors import InvalidDesign
from dse.ir.ops.base import Op, PoolMode, as_map, primitive, windows
from dse.ir.shape import Shape

Regions = list[tuple[int, int]]
"""Along one axis, the first position of each region and the one after its last."""


def as_windows(regions: Regions) -> tuple[int, int] | None:
    """Size and stride of regions, if they all have the same: then they are a pool's windows."""
    sizes = {end - start for start, end in regions}
    starts = [start for start, _ in regions]
    strides = {b - a for a, b in pairwise(starts)} or {1}
    if len(sizes) > 1 or len(strides) > 1 or min(strides) < 1:
        return None
    return sizes.pop(), strides.pop()


@primitive
@dataclass(slots=True)
class Pool(Op):
    """Max or average over square windows; an average leaves padding out of its count, unless
    `count_padding` takes it in as zeros.
    """

    mode: PoolMode
    kernel: int
    stride: int
    padding: int = 0
    ceil_mode: bool = False
    count_padding: bool = False

    def shape(self, *inputs: Shape) -> Shape:
        x = as_map(inputs[0], "pooling")
        if self.padding > self.kernel // 2:
            raise InvalidDesign(
                f"padding is at most half the pooling window, got padding {int(self.padding)}, "
                f"window {int(self.kernel)}"
            )
        height = windows(x.height, self.kernel, self.stride, self.padding, self.ceil_mode)
        width = windows(x.width, self.kernel, self.stride, self.padding, self.ceil_mode)
        if height < 1 or width < 1:
            raise InvalidDesign(
                f"the pooling window must fit the map, got window {int(self.kernel)} on {x}"
            )
        return Shape((x.channels, height, width))


@primitive
@dataclass(slots=True)
class AdaptivePool(Op):
    """Max or average over a grid of ``size`` x ``size`` regions that cover a map of any size."""

    mode: PoolMode
    size: int

    def shape(self, *inputs: Shape) -> Shape:
        x = as_map(inputs[0], "adaptive pooling")
        return Shape((x.channels, self.size, self.size))

    def regions(self, size: int) -> Regions:
        """The regions along an axis of ``size``, which overlap where they do not divide it."""
        parts = self.size
        return [(i * size // parts, -(-(i + 1) * size // parts)) for i in range(parts)]


@primitive
@dataclass(slots=True)
class FractionalMaxPool(Op):
    """Max over pseudo-random regions that shrink a map by a ratio between 1 and 2.

    Regions are drawn anew at each training step and fixed in evaluation.
    Source: Graham, Fractional Max-Pooling, arXiv:1412.6071, section 2.
    """

    module: ClassVar[bool] = True

    ratio: float
    overlap: bool = True

    def shape(self, *inputs: Shape) -> Shape:
        x = as_map(inputs[0], "fractional pooling")
        height, width = int(x.height / self.ratio), int(x.width / self.ratio)
        if height < 1 or width < 1:
            raise InvalidDesign(
                "fractional pooling must leave at least one position, "
                f"got ratio {self.ratio} on {x}"
            )
        return Shape((x.channels, height, width))

    def edges(self, size: int) -> list[int]:
        """The fixed region borders of evaluation along an axis of ``size``: one more than regions.

        Region i spans ``edges[i]`` to ``edges[i + 1]``, that last position included if regions
        overlap.
        """
        count = int(size / self.ratio)
        step = (size - 1 if self.overlap else size) / count
        raw = [ceil(step * (i + 0.5)) for i in range(count + 1)]
        return [edge - raw[0] for edge in raw]

    def regions(self, size: int) -> Regions:
        """The fixed regions of evaluation along an axis of ``size``."""
        return [(a, b + self.overlap) for a, b in pairwise(self.edges(size))]


@primitive
@dataclass(slots=True)
class BlurPool(Op):
    """Smooth with a fixed 3x3 binomial filter (reflected borders), then subsample.

    Source: Zhang, Making Convolutional Networks Shift-Invariant Again, ICML 2019.
    """

    module: ClassVar[bool] = True
    heavy: ClassVar[bool] = True

    stride: int = 2

    def shape(self, *inputs: Shape) -> Shape:
        x = as_map(inputs[0], "blur pooling")
        if min(x.height, x.width) < 2:
            raise InvalidDesign(
                f"blur pooling reflects one border pixel and needs at least 2x2, got {x}"
            )
        height, width = windows(x.height, 3, self.stride, 1), windows(x.width, 3, self.stride, 1)
        return Shape((x.channels, height, width))

    def macs(self, output: Shape, *inputs: Shape) -> int:
        return prod(output) * 9


@primitive
@dataclass(slots=True)
class GlobalPool(Op):
    """Max or average over the whole map: to a vector, or to a 1x1 map that still broadcasts."""

    mode: PoolMode = "average"
    keep_map: bool = False

    def shape(self, *inputs: Shape) -> Shape:
        x = as_map(inputs[0], "global pooling")
        return Shape((x.channels, 1, 1)) if self.keep_map else Shape((x.channels,))
