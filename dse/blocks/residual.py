"""ResNet's two blocks."""

from __future__ import annotations

from typing import ClassVar, Literal

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


class Bottleneck(Block):
    """A 3x3 convolution between two 1x1 ones, added to the input of all three.

    The inner width is `channels` divided by `reduction`. `stride_at` says which convolution takes
    the stride: the 3x3 one, as every current implementation has it, or the first 1x1 one, as the
    paper has.

    Source: He et al., Deep Residual Learning, CVPR 2016, Figure 5 right.
    """

    kind: ClassVar[str] = "bottleneck"

    channels: Width
    stride: Count = 1
    reduction: Count = 4
    stride_at: Literal["3x3", "1x1"] = "3x3"
    activation: Activation = "relu"

    def lower(self, t: Tape, x: Value, /) -> Value:
        keeps_shape = self.stride == 1 and x.channels == self.channels
        channels = x.channels if keeps_shape else self.channels
        hidden = channels // self.reduction if channels >= self.reduction else 1
        hidden = t.let("hidden", hidden)
        first, second = (1, self.stride) if self.stride_at == "3x3" else (self.stride, 1)
        act = self.activation
        y = t.conv_norm_act("conv1", x, hidden, 1, first, activation=act)
        y = t.conv_norm_act("conv2", y, hidden, 3, second, activation=act)
        y = t.conv_norm_act("conv3", y, channels)
        if not keeps_shape:
            t.rename(
                "BottleneckDown",
                "Three convolutions, narrow in the middle, added to a 1x1 projection of their "
                "input.",
            )
            x = t.conv_norm_act("shortcut", x, channels, 1, self.stride, padding=0)
        return t.act(act, t.add(x, y))
