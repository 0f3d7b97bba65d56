"""The parts of DenseNet, which normalise before they convolve."""

from __future__ import annotations

from typing import ClassVar

from dse.blocks.base import Activation, Block, Count, Width
from dse.ir import Tape, Value


class DenseLayer(Block):
    """Append a few new channels, computed from all that are there.

    A 1x1 convolution to `bottleneck` times `growth` channels comes before the 3x3 one.

    Source: Huang et al., Densely Connected Convolutional Networks, CVPR 2017, section 3.
    """

    kind: ClassVar[str] = "dense_layer"

    growth: Width = 32
    bottleneck: Count = 4

    def lower(self, t: Tape, x: Value, /) -> Value:
        y = t.relu(t.norm("bn1", x))
        y = t.conv("conv1", y, self.growth * self.bottleneck)
        y = t.relu(t.norm("bn2", y))
        return t.cat(x, t.conv("conv2", y, self.growth, 3))


class Transition(Block):
    """Halve a map and its channels between the dense blocks of DenseNet.

    `channels` may be given instead of half. Source: Huang et al., CVPR 2017, section 3.
    """

    kind: ClassVar[str] = "transition"

    channels: Width | None = None

    def lower(self, t: Tape, x: Value, /) -> Value:
        channels = self.channels
        if channels is None:
            channels = x.channels // 2 if x.channels > 1 else 1
        y = t.conv("conv", t.relu(t.norm("bn", x)), channels)
        return t.pool("average", y, 2, 2)


class BatchNorm(Block):
    """Batch normalisation and activation by themselves, where no convolution stands before."""

    kind: ClassVar[str] = "batch_norm"

    activation: Activation = "relu"

    def lower(self, t: Tape, x: Value, /) -> Value:
        return t.act(self.activation, t.norm(t.own_label("bn"), x))
