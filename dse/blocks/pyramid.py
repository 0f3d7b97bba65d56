"""Spatial pyramid pooling: several grids over one map, joined into one vector."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from dse.blocks.base import Block, Count
from dse.ir import Tape, Value

Windows = Annotated[tuple[Count, ...], Field(min_length=1, max_length=8)]


class SpatialPyramid(Block):
    """Max pools with several windows at stride 1, flattened and joined.

    Source: SPP-COVID-Net, section III-B: windows 7, 6 and 4 on an 8x8 map give 2x2, 3x3 and 5x5.
    """

    kind: ClassVar[str] = "pyramid"

    windows: Windows = (7, 6, 4)

    def lower(self, t: Tape, x: Value, /) -> Value:
        return t.cat(*(t.flatten(t.pool("max", x, window, 1)) for window in self.windows))


class AdaptivePyramid(Block):
    """Max pools on grids of several sizes, flattened and joined.

    Source: He et al., Spatial Pyramid Pooling in Deep Convolutional Networks, ECCV 2014.
    """

    kind: ClassVar[str] = "adaptive_pyramid"

    levels: Windows = (4, 2, 1)

    def lower(self, t: Tape, x: Value, /) -> Value:
        return t.cat(*(t.flatten(t.adaptive_pool("max", x, level)) for level in self.levels))
