"""Channel attention: weights for the channels of a map, computed from its global average."""

from __future__ import annotations

from typing import ClassVar, Literal

from dse.blocks.base import Activation, Attention, Count, Width
from dse.ir import Tape, Value


class SqueezeExcite(Attention):
    """Weight the channels by a small network that sees the average of each.

    The hidden layer has `hidden` channels, or the channels divided by `reduction`.
    Source: Hu et al., Squeeze-and-Excitation Networks, CVPR 2018.
    """

    kind: ClassVar[str] = "squeeze_excite"

    reduction: Count = 4
    hidden: Width | None = None
    activation: Activation = "relu"
    gate: Literal["sigmoid", "hard_sigmoid"] = "sigmoid"

    def lower(self, t: Tape, x: Value, /) -> Value:
        hidden = self.hidden
        if hidden is None:
            # Fewer channels than the reduction still need one to pass through.
            hidden = x.channels // self.reduction if x.channels >= self.reduction else 1
            hidden = t.let("hidden", hidden)
        weights = t.global_pool(x, keep_map=True)
        weights = t.act(self.activation, t.conv("reduce", weights, hidden, bias=True))
        weights = t.act(self.gate, t.conv("expand", weights, x.channels, bias=True))
        return t.mul(x, weights)


class EfficientChannelAttention(Attention):
    """Weight the channels by a convolution along their averages.

    Source: Wang et al., ECA-Net, CVPR 2020.
    """

    kind: ClassVar[str] = "eca"

    kernel: Count = 3

    def lower(self, t: Tape, x: Value, /) -> Value:
        weights = t.channel_conv("conv", t.global_pool(x, keep_map=True), self.kernel)
        return t.mul(x, t.act("sigmoid", weights))
