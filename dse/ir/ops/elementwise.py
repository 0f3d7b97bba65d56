"""Ops without weights that keep or join values."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from dse.errors import InvalidDesign
from dse.ir.ops.base import Op, as_map, primitive
from dse.ir.shape import Shape


@primitive
@dataclass(slots=True)
class Act(Op):
    """An element-wise activation, or the gate of an attention."""

    in_place: ClassVar[bool] = True

    function: str
    slope: float | None = None

    def shape(self, *inputs: Shape) -> Shape:
        return inputs[0]


@primitive
@dataclass(slots=True)
class Dropout(Op):
    """Zero each element with probability ``p`` in training."""

    module: ClassVar[bool] = True
    in_place: ClassVar[bool] = True

    p: float

    def shape(self, *inputs: Shape) -> Shape:
        return inputs[0]


@primitive
@dataclass(slots=True)
class Flatten(Op):
    """A map as one vector, channel by channel."""

    in_place: ClassVar[bool] = True

    def shape(self, *inputs: Shape) -> Shape:
        return Shape((prod(inputs[0]),))


@primitive
@dataclass(slots=True)
class LocalResponseNorm(Op):
    """Divide each channel by the energy of its `size` neighbours, itself among them.

    Source: Krizhevsky et al., ImageNet Classification with Deep Convolutional Neural Networks,
    NeurIPS 2012, section 3.3; alpha 1e-4, beta 0.75 and k 1 are GoogLeNet's.
    """

    size: int = 5

    def shape(self, *inputs: Shape) -> Shape:
        x = as_map(inputs[0], "local response normalisation")
        if self.size % 2 == 0:
            raise InvalidDesign(
                f"local response normalisation needs an odd size, got {int(self.size)}"
            )
        return x


@primitive
@dataclass(slots=True)
class ChannelShuffle(Op):
    """Deal the channels of each group out to all groups, as cards.

    Source: Zhang et al., ShuffleNet, CVPR 2018, Figure 1.
    """

    groups: int

    def shape(self, *inputs: Shape) -> Shape:
        x = as_map(inputs[0], "a channel shuffle")
        if x.channels % self.groups:
            raise InvalidDesign(
                f"groups must divide the channels to shuffle, got groups={int(self.groups)}, "
                f"{int(x.channels)} channels"
            )
        return x


@primitive
@dataclass(slots=True)
class Add(Op):
    """Element-wise sum of two equal shapes."""

    in_place: ClassVar[bool] = True

    def shape(self, *inputs: Shape) -> Shape:
        a, b = inputs
        if a != b:
            raise InvalidDesign(f"add needs equal shapes, got {a} and {b}")
        return a


@primitive
@dataclass(slots=True)
class Mul(Op):
    """Element-wise product; a scalar or one 1x1 map per channel spreads over the first operand."""

    in_place: ClassVar[bool] = True

    def shape(self, *inputs: Shape) -> Shape:
        a, b = inputs
        spreads = not b or (len(a) == len(b) == 3 and b == (a.channels, 1, 1))
        if a != b and not spreads:
            raise InvalidDesign(
                f"multiply needs equal shapes or one weight per channel, got {a} and {b}"
            )
        return a


@primitive
@dataclass(slots=True)
class Cat(Op):
    """Maps of one size joined along channels, or vectors end to end."""

    def shape(self, *inputs: Shape) -> Shape:
        first = inputs[0]
        for other in inputs[1:]:
            if len(other) != len(first) or other[1:] != first[1:]:
                raise InvalidDesign(
                    f"concatenation needs maps of one size, got {first} and {other}"
                )
        channels = first[0]
        for other in inputs[1:]:
            channels = channels + other[0]
        return Shape((channels, *first[1:]))
