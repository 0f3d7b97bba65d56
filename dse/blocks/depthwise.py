"""Depthwise separable convolution with a depth multiplier."""

from __future__ import annotations

from typing import ClassVar

from dse.blocks.base import Activation, Block, Count, Width
from dse.ir import Tape, Value


class DepthwiseSeparable(Block):
    """Filter each channel on its own, then mix channels with a 1x1 convolution.

    The depthwise convolution has `delta` filters per channel: the depth multiplier δ.

    Source: Howard et al., MobileNets, arXiv:1704.04861, section 3.1; δ: Enhanced Hybrid
    MobileNet, section III.
    """

    kind: ClassVar[str] = "depthwise"

    channels: Width
    stride: Count = 1
    kernel: Count = 3
    delta: Count = 1
    activation: Activation = "relu"

    def lower(self, t: Tape, x: Value, /) -> Value:
        filters = t.let("filters", x.channels * self.delta)
        x = t.conv_norm_act(
            "depthwise",
            x,
            filters,
            self.kernel,
            self.stride,
            groups=x.channels,
            activation=self.activation,
        )
        return t.conv_norm_act("pointwise", x, self.channels, activation=self.activation)
