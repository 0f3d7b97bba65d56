"""GoogLeNet's inception module."""

from __future__ import annotations

from typing import ClassVar

from dse.blocks.base import Block, Count, Width
from dse.ir import Tape, Value


class Inception(Block):
    """Four branches over one map, joined: 1x1, 3x3 and 5x5 convolutions, and a pool.

    The larger convolutions and the pool have 1x1 convolutions beside them that keep widths small.
    Convolutions have biases; with `norm` batch normalisation instead.

    Source: Szegedy et al., Going Deeper with Convolutions, CVPR 2015, Figure 2b and Table 1.
    """

    kind: ClassVar[str] = "inception"

    conv1x1: Width
    reduce3x3: Width
    conv3x3: Width
    reduce5x5: Width
    conv5x5: Width
    pool: Width
    kernel: Count = 5
    """Of the third branch; torchvision's network has 3 there."""
    norm: bool = False

    def lower(self, t: Tape, x: Value, /) -> Value:
        a = self._conv(t, "conv1x1", x, self.conv1x1)
        b = self._conv(t, "reduce3x3", x, self.reduce3x3)
        b = self._conv(t, "conv3x3", b, self.conv3x3, 3)
        c = self._conv(t, "reduce5x5", x, self.reduce5x5)
        c = self._conv(t, "conv5x5", c, self.conv5x5, self.kernel)
        d = self._conv(t, "project", t.pool("max", x, 3, 1, 1), self.pool)
        return t.cat(a, b, c, d)

    def _conv(self, t: Tape, label: str, x: Value, channels: int, kernel: int = 1) -> Value:
        if self.norm:
            return t.conv_norm_act(label, x, channels, kernel, activation="relu")
        return t.relu(t.conv(label, x, channels, kernel, bias=True))
