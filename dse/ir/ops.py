"""The primitive operations and their rules, each stated once.

Every op knows, from the shapes of its inputs: the shape of its output, its trainable parameters,
its buffers (batch-norm running statistics), and its multiply-accumulates. Cost, latency, drawings,
ONNX and source code are walks over these ops; how an op is *written* in torch is in
``templates/torch/ops.py.j2``.

MACs are multiply-adds of convolutions and linear layers, counted once; bias and element-wise work
apart.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import ceil, prod
from typing import ClassVar, Literal

from dse.errors import InvalidDesign
from dse.ir.shape import Shape

PoolMode = Literal["max", "average"]


class Op:
    """One primitive. Instances are immutable by convention (frozen dataclasses cost five times as
    much).
    """

    __slots__ = ()

    module: ClassVar[bool] = False
    """Whether it is an attribute of the emitted module (it holds state), rather than a function
    call.
    """
    heavy: ClassVar[bool] = False
    """Whether it does real work: in emitted code a heavy op starts a statement, others ride along.
    """
    in_place: ClassVar[bool] = False
    """Whether its output may take over the memory of its first input, if that is not needed again.
    """
    counts: ClassVar[bool] = False
    """Whether it has a rule for parameters, buffers or multiply-adds; seen when registered."""

    def shape(self, *inputs: Shape) -> Shape:
        """Shape of the output.

        Raises:
            InvalidDesign: the inputs do not fit; says the rule and the values, the tape adds
                the place.
        """
        raise NotImplementedError

    def params(self, *inputs: Shape) -> int:
        """Trainable parameters."""
        return 0

    def buffers(self, *inputs: Shape) -> int:
        """Non-trainable state: running statistics."""
        return 0

    def macs(self, output: Shape, *inputs: Shape) -> int:
        """Multiply-adds of convolution and linear layers for one image."""
        return 0

    def signature(self) -> str:
        """What it computes, in a stable text: ops with equal signatures and inputs are equal."""
        settings = ",".join(repr(getattr(self, f.name)) for f in fields(self))  # type: ignore[arg-type]
        return f"{type(self).__name__}({settings})"


OPS: dict[str, type[Op]] = {}


def primitive(cls: type[Op]) -> type[Op]:
    """Register an op under its class name; a template macro and an ONNX rule must exist for it."""
    rules = ("params", "buffers", "macs")
    cls.counts = any(getattr(cls, rule) is not getattr(Op, rule) for rule in rules)
    OPS[cls.__name__] = cls
    return cls


def _map(x: Shape, what: str) -> Shape:
    if len(x) != 3:
        raise InvalidDesign(f"{what} needs a feature map, got a vector of {x} features")
    return x


def _windows(size: int, kernel: int, stride: int, padding: int, ceil_mode: bool = False) -> int:
    """Positions of a window along one axis, by torch's rules."""
    span = size + 2 * padding - kernel
    if span < 0:
        return 0
    if not ceil_mode:
        return span // stride + 1
    positions = -(-span // stride) + 1
    # The last window must start inside the map or its left padding.
    return positions - 1 if (positions - 1) * stride >= size + padding else positions


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
        x = _map(inputs[0], "a convolution")
        channels, rows, columns = x
        groups = self.groups
        if groups != 1 and (channels % groups or self.channels % groups):
            raise InvalidDesign(
                f"groups must divide the channels in and out, got groups={int(groups)}, "
                f"{int(channels)} in, {int(self.channels)} out"
            )
        height = _windows(rows, self.kernel, self.stride, self.padding)
        width = height
        if columns != rows:
            width = _windows(columns, self.kernel, self.stride, self.padding)
        if height < 1 or width < 1:
            raise InvalidDesign(
                f"the kernel must fit the padded map, got kernel {int(self.kernel)}, "
                f"padding {int(self.padding)} on {x}"
            )
        return Shape((self.channels, height, width))

    def params(self, *inputs: Shape) -> int:
        channels = int(self.channels)
        weights = channels * (inputs[0][0] // int(self.groups)) * int(self.kernel) ** 2
        return weights + channels if self.bias else weights

    def macs(self, output: Shape, *inputs: Shape) -> int:
        return prod(output) * (inputs[0][0] // int(self.groups)) * int(self.kernel) ** 2


@primitive
@dataclass(slots=True)
class BatchNorm(Op):
    """Batch normalisation with a learned scale and shift per channel."""

    module: ClassVar[bool] = True
    in_place: ClassVar[bool] = True

    def shape(self, *inputs: Shape) -> Shape:
        return _map(inputs[0], "batch normalisation")

    def params(self, *inputs: Shape) -> int:
        return 2 * int(inputs[0][0])

    def buffers(self, *inputs: Shape) -> int:
        return 2 * int(inputs[0][0])


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
class Pool(Op):
    """Max or average over square windows; an average leaves padding out of its count, unless
    `count_padding` takes it in as zeros.
    """

    mode: PoolMode
    kernel: int
    stride: int
    padding: int = 0
    ceil_mode: bool = False
    count_padding: bool = False

    def shape(self, *inputs: Shape) -> Shape:
        x = _map(inputs[0], "pooling")
        if self.padding > self.kernel // 2:
            raise InvalidDesign(
                f"padding is at most half the pooling window, got padding {int(self.padding)}, "
                f"window {int(self.kernel)}"
            )
        height = _windows(x.height, self.kernel, self.stride, self.padding, self.ceil_mode)
        width = _windows(x.width, self.kernel, self.stride, self.padding, self.ceil_mode)
        if height < 1 or width < 1:
            raise InvalidDesign(
                f"the pooling window must fit the map, got window {int(self.kernel)} on {x}"
            )
        return Shape((x.channels, height, width))


@primitive
@dataclass(slots=True)
class AdaptivePool(Op):
    """Max or average over a grid of ``size`` x ``size`` regions that cover a map of any size."""

    mode: PoolMode
    size: int

    def shape(self, *inputs: Shape) -> Shape:
        x = _map(inputs[0], "adaptive pooling")
        return Shape((x.channels, self.size, self.size))


@primitive
@dataclass(slots=True)
class FractionalMaxPool(Op):
    """Max over pseudo-random regions that shrink a map by a ratio between 1 and 2.

    Regions are drawn anew at each training step and fixed in evaluation.
    Source: Graham, Fractional Max-Pooling, arXiv:1412.6071, section 2.
    """

    module: ClassVar[bool] = True

    ratio: float
    overlap: bool = True

    def shape(self, *inputs: Shape) -> Shape:
        x = _map(inputs[0], "fractional pooling")
        height, width = int(x.height / self.ratio), int(x.width / self.ratio)
        if height < 1 or width < 1:
            raise InvalidDesign(
                "fractional pooling must leave at least one position, "
                f"got ratio {self.ratio} on {x}"
            )
        return Shape((x.channels, height, width))

    def edges(self, size: int) -> list[int]:
        """The fixed region borders of evaluation along an axis of ``size``: one more than regions.

        Region i spans ``edges[i]`` to ``edges[i + 1]``, that last position included if regions
        overlap.
        """
        count = int(size / self.ratio)
        step = (size - 1 if self.overlap else size) / count
        raw = [ceil(step * (i + 0.5)) for i in range(count + 1)]
        return [edge - raw[0] for edge in raw]


@primitive
@dataclass(slots=True)
class BlurPool(Op):
    """Smooth with a fixed 3x3 binomial filter (reflected borders), then subsample.

    Source: Zhang, Making Convolutional Networks Shift-Invariant Again, ICML 2019.
    """

    module: ClassVar[bool] = True
    heavy: ClassVar[bool] = True

    stride: int = 2

    def shape(self, *inputs: Shape) -> Shape:
        x = _map(inputs[0], "blur pooling")
        if min(x.height, x.width) < 2:
            raise InvalidDesign(
                f"blur pooling reflects one border pixel and needs at least 2x2, got {x}"
            )
        height, width = _windows(x.height, 3, self.stride, 1), _windows(x.width, 3, self.stride, 1)
        return Shape((x.channels, height, width))

    def macs(self, output: Shape, *inputs: Shape) -> int:
        return prod(output) * 9


@primitive
@dataclass(slots=True)
class LocalResponseNorm(Op):
    """Divide each channel by the energy of its `size` neighbours, itself among them.

    Source: Krizhevsky et al., ImageNet Classification with Deep Convolutional Neural Networks,
    NeurIPS 2012, section 3.3; alpha 1e-4, beta 0.75 and k 1 are GoogLeNet's.
    """

    size: int = 5

    def shape(self, *inputs: Shape) -> Shape:
        x = _map(inputs[0], "local response normalisation")
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
        x = _map(inputs[0], "a channel shuffle")
        if x.channels % self.groups:
            raise InvalidDesign(
                f"groups must divide the channels to shuffle, got groups={int(self.groups)}, "
                f"{int(x.channels)} channels"
            )
        return x


@primitive
@dataclass(slots=True)
class GlobalPool(Op):
    """Max or average over the whole map: to a vector, or to a 1x1 map that still broadcasts."""

    mode: PoolMode = "average"
    keep_map: bool = False

    def shape(self, *inputs: Shape) -> Shape:
        x = _map(inputs[0], "global pooling")
        return Shape((x.channels, 1, 1)) if self.keep_map else Shape((x.channels,))


@primitive
@dataclass(slots=True)
class ChannelConv(Op):
    """One-dimensional convolution along the channels of a 1x1 map, one kernel for all of them."""

    module: ClassVar[bool] = True
    heavy: ClassVar[bool] = True

    kernel: int = 3

    def shape(self, *inputs: Shape) -> Shape:
        x = _map(inputs[0], "a channel convolution")
        if x.height != 1 or x.width != 1:
            raise InvalidDesign(f"a channel convolution needs a 1x1 map, got {x}")
        if self.kernel % 2 == 0:
            raise InvalidDesign(
                f"a channel convolution needs an odd kernel, got {int(self.kernel)}"
            )
        return x

    def params(self, *inputs: Shape) -> int:
        return int(self.kernel)

    def macs(self, output: Shape, *inputs: Shape) -> int:
        return int(output[0]) * int(self.kernel)


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
        weights = int(inputs[0][0]) * int(self.features)
        return weights + int(self.features) if self.bias else weights

    def macs(self, output: Shape, *inputs: Shape) -> int:
        return int(inputs[0][0]) * int(self.features)


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
class Parameter(Op):
    """A learned scalar."""

    module: ClassVar[bool] = True

    initial: float = 1.0

    def shape(self, *inputs: Shape) -> Shape:
        return Shape(())

    def params(self, *inputs: Shape) -> int:
        return 1


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
