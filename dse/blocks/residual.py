"""ResNet's basic block."""

from __future__ import annotations

from typing import ClassVar

from dse.blocks.base import Activation, Block, Count, Width
from dse.ir import Tape, Value


class Residual(Block):
    """Two 3x3 convolutions added to their input.

    The shortcut is the input itself where shapes allow, a strided 1x1 convolution otherwise.
    Source: He et al., Deep Residual Learning, CVPR 2016, Figure 5 left.
    """

    kind: ClassVar[str] = "residual"

    channels: Width
    stride: Count = 1
    activation: Activation = "relu"

    def lower(self, t: Tape, x: Value, /) -> Value:
        keeps_shape = self.stride == 1 and x.channels == self.channels
        # With an identity shortcut there is one width, and the emitted class has one argument.
        channels = x.channels if keeps_shape else self.channels
        y = t.conv_norm_act("conv1", x, channels, 3, self.stride, activation=self.activation)
        y = t.conv_norm_act("conv2", y, channels, 3)
        if not keeps_shape:
            t.rename(
                "ResidualDown", "Two 3x3 convolutions added to a 1x1 projection of their input."
            )
            x = t.conv_norm_act("shortcut", x, channels, 1, self.stride, padding=0)
        return t.act(self.activation, t.add(x, y))
