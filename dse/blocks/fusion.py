"""Fusion of two branches."""

from __future__ import annotations

from typing import ClassVar

from dse.blocks.base import Block
from dse.ir import Tape, Value


class LearnableFusion(Block):
    """Add two feature maps, each times a learned weight.

    Source: HL-CNN, section III: local and global features fused by learnable weights.
    """

    kind: ClassVar[str] = "fusion"
    arity: ClassVar[int] = 2

    def lower(self, t: Tape, x: Value, other: Value, /) -> Value:  # type: ignore[override]
        alpha = t.parameter("alpha", 0.5)
        beta = t.parameter("beta", 0.5)
        return t.add(t.mul(x, alpha), t.mul(other, beta))
