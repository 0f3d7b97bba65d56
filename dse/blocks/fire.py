"""SqueezeNet's fire module."""

from __future__ import annotations

from typing import ClassVar

from dse.blocks.base import Block, Width
from dse.ir import Tape, Value


class Fire(Block):
    """Squeeze to few channels, then expand by 1x1 and 3x3 convolutions.

    Source: Iandola et al., SqueezeNet, arXiv:1602.07360, section 3.2.
    """

    kind: ClassVar[str] = "fire"

    squeeze: Width
    expand1x1: Width
    expand3x3: Width

    def lower(self, t: Tape, x: Value, /) -> Value:
        x = t.relu(t.conv("squeeze", x, self.squeeze, bias=True))
        a = t.relu(t.conv("expand1x1", x, self.expand1x1, bias=True))
        b = t.relu(t.conv("expand3x3", x, self.expand3x3, kernel=3, bias=True))
        return t.cat(a, b)
