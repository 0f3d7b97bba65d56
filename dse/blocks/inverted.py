"""The inverted residual: a bottleneck turned inside out."""

from __future__ import annotations

from typing import ClassVar

from dse.blocks.base import Activation, Block, Count, OptionalAttention, Width
from dse.ir import Tape, Value


class InvertedResidual(Block):
    """Expand, filter depthwise, project back linearly, add to the input.

    There is a shortcut where shapes allow one. `attention` re-weights the expanded channels.
    Source: Sandler et al., MobileNetV2, CVPR 2018, Table 1.
    """

    kind: ClassVar[str] = "inverted"

    channels: Width
    stride: Count = 1
    expansion: Count = 6
    kernel: Count = 3
    activation: Activation = "relu6"
    attention: OptionalAttention = None

    def lower(self, t: Tape, x: Value, /) -> Value:
        keeps_shape = self.stride == 1 and x.channels == self.channels
        channels = x.channels if keeps_shape else self.channels
        hidden = t.let("hidden", x.channels * self.expansion)
        y = x
        if self.expansion > 1:
            y = t.conv_norm_act("expand", y, hidden, activation=self.activation)
        y = t.conv_norm_act(
            "depthwise",
            y,
            hidden,
            self.kernel,
            self.stride,
            groups=hidden,
            activation=self.activation,
        )
        if self.attention is not None:
            y = t.call("attention", self.attention, y)
        y = t.conv_norm_act("project", y, channels)
        if keeps_shape:
            return t.add(x, y)
        t.rename(
            "LinearBottleneck",
            "Expand, filter depthwise, project linearly; no shortcut.",
        )
        return y
