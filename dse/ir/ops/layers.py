"""Ops with weights."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from dse.errors import InvalidDesign
from dse.ir.ops.base import Op, as_map, primitive, windows
from dse.ir.shape import Shape


@primitive
@dataclass(slots=True)
class Conv(Op):
    """Two-dimensional convolution with a square kernel."""

    module: ClassVar[bool] = True
    heavy: ClassVar[bool] = True

    channels: int
    kernel: int = 1
    stride: int = 1
    padding: int = 0
    groups: int = 1
    bias: bool = False

    def shape(self, *inputs: Shape) -> Shape:
        x = as_map(inputs[0], "a convolution")
        channels, rows, columns = x
        groups = self.groups
        if groups != 1 and (channels % groups or self.channels % groups):
            raise InvalidDesign(
                f"groups must divide the channels in and out, got groups={int(groups)}, "
                f"{int(channels)} in, {int(self.channels)} out"
            )
        height = windows(rows, self.kernel, self.stride, self.padding)
        width = height
        if columns != rows:
            width = windows(columns, self.kernel, self.stride, self.padding)
        if height < 1 or width < 1:
            raise InvalidDesign(
                f"the kernel must fit the padded map, got kernel {int(self.kernel)}, "
                f"padding {int(self.padding)} on {x}"
            )
        return Shape((self.channels, height, width))

    def params(self, *inputs: Shape) -> int:
        channels = self.channels
        weights = channels * (inputs[0][0] // self.groups) * self.kernel**2
        return weights + channels if self.bias else weights

    def macs(self, output: Shape, *inputs: Shape) -> int:
        return prod(output) * (inputs[0][0] // self.groups) * self.kernel**2


@primitive
@dataclass(slots=True)
class BatchNorm(Op):
    """Batch normalisation with a learned scale and shift per channel."""

    module: ClassVar[bool] = True
    in_place: ClassVar[bool] = True

    def shape(self, *inputs: Shape) -> Shape:
        return as_map(inputs[0], "batch normalisation")

    def params(self, *inputs: Shape) -> int:
        return 2 * inputs[0][0]

    def buffers(self, *inputs: Shape) -> int:
        return 2 * inputs[0][0]


@primitive
@dataclass(slots=True)
class ChannelConv(Op):
    """One-dimensional convolution along the channels of a 1x1 map, one kernel for all of them."""

    module: ClassVar[bool] = True
    heavy: ClassVar[bool] = True

    kernel: int = 3

    def shape(self, *inputs: Shape) -> Shape:
        x = as_map(inputs[0], "a channel convolution")
        if x.height != 1 or x.width != 1:
            raise InvalidDesign(f"a channel convolution needs a 1x1 map, got {x}")
        if self.kernel % 2 == 0:
            raise InvalidDesign(
                f"a channel convolution needs an odd kernel, got {int(self.kernel)}"
            )
        return x

    def params(self, *inputs: Shape) -> int:
        return self.kernel

    def macs(self, output: Shape, *inputs: Shape) -> int:
        return output[0] * self.kernel


@primitive
@dataclass(slots=True)
class Linear(Op):
    """A fully connected layer."""

    module: ClassVar[bool] = True
    heavy: ClassVar[bool] = True

    features: int
    bias: bool = True

    def shape(self, *inputs: Shape) -> Shape:
        if len(inputs[0]) != 1:
            raise InvalidDesign(
                f"a linear layer needs a vector, got {inputs[0]}; "
                "put global_pool, flatten or pyramid before it"
            )
        return Shape((self.features,))

    def params(self, *inputs: Shape) -> int:
        weights = inputs[0][0] * self.features
        return weights + self.features if self.bias else weights

    def macs(self, output: Shape, *inputs: Shape) -> int:
        return inputs[0][0] * self.features


@primitive
@dataclass(slots=True)
class Parameter(Op):
    """A learned scalar."""

    module: ClassVar[bool] = True

    initial: float = 1.0

    def shape(self, *inputs: Shape) -> Shape:
        return Shape(())

    def params(self, *inputs: Shape) -> int:
        return 1
