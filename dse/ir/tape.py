"""The tape: records primitive ops as a block calls them, in nested scopes.

A block's `lower` is ordinary code that calls the tape; what it leaves behind is a `Scope`, a tree
whose leaves are `Step`s. One tape serves every purpose, because it only records.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from dse.errors import InvalidDesign
from dse.ir import ops
from dse.ir.activation import parse_activation
from dse.ir.shape import Shape

if TYPE_CHECKING:
    from dse.blocks.base import Block


class Value:
    """A tensor in the making: the result of one step, or an input of a scope."""

    __slots__ = ("shape",)

    def __init__(self, shape: Shape) -> None:
        self.shape = shape

    @property
    def channels(self) -> int:
        return self.shape[0]

    @property
    def is_map(self) -> bool:
        return self.shape.is_map


class Step:
    """One op applied to values, with the label it has inside its scope."""

    __slots__ = ("inputs", "label", "op", "output")

    def __init__(self, op: ops.Op, label: str, inputs: tuple[Value, ...], output: Value) -> None:
        self.op = op
        self.label = label
        self.inputs = inputs
        self.output = output


class Scope:
    """What one block recorded: its inputs, its body in order, and its output.

    A network is a scope whose body holds one scope per node.
    """

    __slots__ = ("block", "body", "inputs", "label", "output", "summary", "title")

    def __init__(self, label: str, block: Block | None, inputs: tuple[Value, ...]) -> None:
        self.label = label
        self.block = block
        self.inputs = inputs
        self.body: list[Step | Scope] = []
        self.output: Value = inputs[0]
        self.title = type(block).__name__ if block is not None else label
        self.summary: str | None = None

    def steps(self) -> Iterator[Step]:
        """All steps of this scope and those within, in order of execution."""
        for item in self.body:
            if isinstance(item, Step):
                yield item
            else:
                yield from item.steps()

    def walk(self, path: str = "") -> Iterator[tuple[str, Step]]:
        """Like `steps`, each with its dotted path, which is its path in the emitted module too."""
        for item in self.body:
            here = f"{path}.{item.label}" if path and item.label else path or item.label
            if isinstance(item, Step):
                yield here, item
            else:
                yield from item.walk(here)


_BATCH_NORM = ops.BatchNorm()  # ops are immutable: one serves all


@cache
def _activation(text: str) -> ops.Act:
    return ops.Act(*parse_activation(text))


class Tape:
    """Records what blocks do. Methods that take a `label` make an attribute of that name in emitted
    code.
    """

    def __init__(self, name: str, classes: int, *inputs: Shape) -> None:
        self.classes = classes
        self.root = Scope(name, None, tuple(Value(shape) for shape in inputs))
        self._open = [self.root]

    # -- structure

    def call(self, label: str, block: Block, *inputs: Value) -> Value:
        """Lower `block` in a scope of its own, called `label`."""
        scope = Scope(label, block, inputs)
        self._open[-1].body.append(scope)
        self._open.append(scope)
        scope.output = block.lower(self, *inputs)
        self._open.pop()
        return scope.output

    def rename(self, title: str, summary: str) -> None:
        """Give the open scope's class another name and description: a structural variant."""
        self._open[-1].title = title
        self._open[-1].summary = summary

    def own_label(self, otherwise: str) -> str:
        """The label of a small block's one layer: empty where the block stands alone in the
        network, so that the layer takes the node's name and emitted code needs no class for it;
        `otherwise` in a stage.
        """
        return otherwise if len(self._open) > 2 or "." in self._open[-1].label else ""

    def let(self, name: str, value: int) -> int:
        """Name a computed width, as in ``hidden = in_channels * 4``; only emission takes notice."""
        return value

    def place(self) -> str:
        """Where the tape stands, for error messages: ``stage2.1 Residual``."""
        path = ".".join(scope.label for scope in self._open[1:])
        block = self._open[-1].block
        return f"{path} {type(block).__name__}" if block is not None else self.root.label

    def record(self, op: ops.Op, label: str, *inputs: Value) -> Value:
        """Append one op.

        Raises:
            InvalidDesign: the op's rule is broken; the message begins with the place.
        """
        try:
            if len(inputs) == 1:
                output = Value(op.shape(inputs[0].shape))
            else:
                output = Value(op.shape(*[value.shape for value in inputs]))
        except InvalidDesign as error:
            where = f"{self.place()} {label}".rstrip()
            raise InvalidDesign(f"{where}: {error}") from None
        self._open[-1].body.append(Step(op, label, inputs, output))
        return output

    # -- ops

    def conv(
        self,
        label: str,
        x: Value,
        channels: int,
        kernel: int = 1,
        stride: int = 1,
        padding: int | None = None,
        groups: int = 1,
        bias: bool = False,
    ) -> Value:
        """Convolution; without `padding`, half the kernel, so that stride 1 keeps the size."""
        pad = kernel // 2 if padding is None else padding
        return self.record(ops.Conv(channels, kernel, stride, pad, groups, bias), label, x)

    def norm(self, label: str, x: Value) -> Value:
        return self.record(_BATCH_NORM, label, x)

    def conv_norm_act(
        self,
        label: str,
        x: Value,
        channels: int,
        kernel: int = 1,
        stride: int = 1,
        padding: int | None = None,
        groups: int = 1,
        activation: str = "none",
        bias: bool = False,
    ) -> Value:
        """Convolution, batch normalisation, activation; ``conv1`` is followed by ``bn1``.

        A `bias` is what the normalisation takes away again: only to match networks that have one.
        """
        norm = f"bn{label[4:]}" if label.startswith("conv") else f"{label}_bn"
        x = self.norm(norm, self.conv(label, x, channels, kernel, stride, padding, groups, bias))
        return self.act(activation, x)

    def act(self, activation: str, x: Value) -> Value:
        """Apply an activation by its written form; ``none`` records nothing."""
        if activation == "none":
            return x
        return self.record(_activation(activation), "", x)

    def relu(self, x: Value) -> Value:
        return self.act("relu", x)

    def pool(
        self,
        mode: ops.PoolMode,
        x: Value,
        kernel: int,
        stride: int,
        padding: int = 0,
        ceil_mode: bool = False,
        count_padding: bool = False,
    ) -> Value:
        op = ops.Pool(mode, kernel, stride, padding, ceil_mode, count_padding)
        return self.record(op, "", x)

    def adaptive_pool(self, mode: ops.PoolMode, x: Value, size: int) -> Value:
        return self.record(ops.AdaptivePool(mode, size), "", x)

    def fractional_max_pool(self, label: str, x: Value, ratio: float, overlap: bool) -> Value:
        return self.record(ops.FractionalMaxPool(ratio, overlap), label, x)

    def blur_pool(self, label: str, x: Value, stride: int) -> Value:
        return self.record(ops.BlurPool(stride), label, x)

    def global_pool(
        self, x: Value, mode: ops.PoolMode = "average", keep_map: bool = False
    ) -> Value:
        return self.record(ops.GlobalPool(mode, keep_map), "", x)

    def local_response_norm(self, x: Value, size: int) -> Value:
        return self.record(ops.LocalResponseNorm(size), "", x)

    def channel_shuffle(self, x: Value, groups: int) -> Value:
        """Channels dealt out among groups; one group leaves them as they are."""
        return self.record(ops.ChannelShuffle(groups), "", x) if groups > 1 else x

    def channel_conv(self, label: str, x: Value, kernel: int) -> Value:
        return self.record(ops.ChannelConv(kernel), label, x)

    def linear(self, label: str, x: Value, features: int, bias: bool = True) -> Value:
        return self.record(ops.Linear(features, bias), label, x)

    def dropout(self, label: str, x: Value, p: float) -> Value:
        """Dropout; with p = 0 nothing is recorded."""
        return self.record(ops.Dropout(p), label, x) if p else x

    def flatten(self, x: Value) -> Value:
        """A vector; what is one already stays as it is."""
        return self.record(ops.Flatten(), "", x) if x.is_map else x

    def parameter(self, label: str, initial: float) -> Value:
        return self.record(ops.Parameter(initial), label)

    def add(self, a: Value, b: Value) -> Value:
        return self.record(ops.Add(), "", a, b)

    def mul(self, a: Value, b: Value) -> Value:
        return self.record(ops.Mul(), "", a, b)

    def cat(self, *values: Value) -> Value:
        return self.record(ops.Cat(), "", *values)
