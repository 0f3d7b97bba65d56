"""Convolutions: the plain one, and DarkCovidNet's squeeze triple."""

from __future__ import annotations

from typing import ClassVar

from dse.blocks.base import Activation, Block, Count, Padding, Width
from dse.ir import Tape, Value
from dse.ir.activation import TITLES, parse_activation


class Conv(Block):
    """A convolution, its batch normalisation and its activation.

    With ``norm: false`` the convolution has a bias instead, as in SqueezeNet; `bias` gives it one
    beside the normalisation, as in VGG. Without `padding` it is padded by half its kernel, so that
    stride 1 keeps the size.
    """

    kind: ClassVar[str] = "conv"

    channels: Width
    kernel: Count = 3
    stride: Count = 1
    padding: Padding | None = None
    groups: Count = 1
    norm: bool = True
    bias: bool = False
    activation: Activation = "relu"

    def lower(self, t: Tape, x: Value, /) -> Value:
        after = TITLES[parse_activation(self.activation)[0]]
        t.rename(
            f"Conv{'BN' if self.norm else ''}{after}",
            "Convolution"
            + (", batch normalisation" if self.norm else "")
            + (", activation." if after else "."),
        )
        settings = (self.channels, self.kernel, self.stride, self.padding, self.groups)
        if self.norm:
            return t.conv_norm_act("conv", x, *settings, self.activation, self.bias)
        return t.act(self.activation, t.conv(t.own_label("conv"), x, *settings, bias=True))


class SqueezeTriple(Block):
    """A 3x3 convolution, a 1x1 squeeze, and a 3x3 convolution back.

    DarkNet's bottleneck, as DarkCovidNet uses it.

    Source: Ozturk et al., DarkCovidNet, 2020; SPP-COVID-Net, Table I.
    """

    kind: ClassVar[str] = "triple"

    channels: Width
    squeeze: Width
    activation: Activation = "leaky_relu(0.1)"

    def lower(self, t: Tape, x: Value, /) -> Value:
        x = t.conv_norm_act("conv1", x, self.channels, 3, activation=self.activation)
        x = t.conv_norm_act("conv2", x, self.squeeze, 1, activation=self.activation)
        return t.conv_norm_act("conv3", x, self.channels, 3, activation=self.activation)
