"""From a feature map to class scores (logits)."""

from __future__ import annotations

from typing import ClassVar

from dse.blocks.base import Activation, Block, PoolKind, Probability, Width
from dse.ir import Tape, Value


class GlobalPool(Block):
    """The average or maximum of each channel."""

    kind: ClassVar[str] = "global_pool"

    mode: PoolKind = "average"

    def lower(self, t: Tape, x: Value, /) -> Value:
        return t.global_pool(x, self.mode)


class Flatten(Block):
    """The whole map as one vector."""

    kind: ClassVar[str] = "flatten"

    def lower(self, t: Tape, x: Value, /) -> Value:
        return t.flatten(x)


class Dense(Block):
    """Dropout and a fully connected layer with its activation, between features and classifier."""

    kind: ClassVar[str] = "dense"

    features: Width
    activation: Activation = "relu"
    dropout: Probability = 0.0

    def lower(self, t: Tape, x: Value, /) -> Value:
        x = t.dropout("dropout", x, self.dropout)
        return t.act(self.activation, t.linear(t.own_label("linear"), x, self.features))


class Classifier(Block):
    """Dropout and a linear layer from a vector to the classes."""

    kind: ClassVar[str] = "classifier"

    dropout: Probability = 0.0

    def lower(self, t: Tape, x: Value, /) -> Value:
        return t.linear(t.own_label("linear"), t.dropout("dropout", x, self.dropout), t.classes)


class ConvClassifier(Block):
    """Dropout, a 1x1 convolution to one map per class, its activation, and the average of each map.

    Source: Iandola et al., SqueezeNet, arXiv:1602.07360, Table 1.
    """

    kind: ClassVar[str] = "conv_classifier"

    dropout: Probability = 0.5
    activation: Activation = "relu"

    def lower(self, t: Tape, x: Value, /) -> Value:
        x = t.dropout("dropout", x, self.dropout)
        x = t.conv(t.own_label("conv"), x, t.classes, bias=True)
        return t.global_pool(t.act(self.activation, x))
