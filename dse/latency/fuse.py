"""Which kernels ONNX Runtime runs for a program, after all its graph optimisations.

One walk over the program follows each value as the runtime holds it: in rows (NCHW) or in blocks of
channels (NCHWc). Calls are noted as they come up, convolutions take into theirs what may be joined
to them, and reorders are added where a call reads another layout than a value has. The rules are
those of the exported graph (`dse.runtime.onnx`) under ORT_ENABLE_ALL; a test compares them with
what ONNX Runtime really runs. Sources: onnxruntime/core/optimizer/nchwc_transformer.cc,
conv_activation_fusion.cc, conv_add_act_fusion.cc.

What costs next to nothing is left out on purpose: reshapes and flattening copy no data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from dse.ir import Op, Step, Value, ops
from dse.ir.ops.pooling import Regions, as_windows
from dse.latency.kernel import Dims, Kernel
from dse.latency.layout import Layout

_JOINED = {"relu", "relu6", "leaky_relu", "sigmoid", "hard_sigmoid"}
"""Activations that a convolution applies to its result in the same call."""

_JOINED_LINEAR = _JOINED - {"relu6"}

_BLOCKED = {"relu", "sigmoid", "hard_swish"}
"""Activations known to the pass that blocks channels. Joined there, which is later than the others:
also to a residual sum and to a batch normalisation that has become a convolution."""

_COPIED_CHANNELS = 4
"""Blocked kernels copy channels in fours."""


class Call:
    """A kernel in the making.

    Attributes:
        conv: whether it is a convolution that no activation and no sum have been joined to.
        written: whether it stands in the exported graph as a convolution, and so takes part in the
            earlier optimisations.
        bias: whether it has one, from its own or from a batch normalisation.
    """

    __slots__ = (
        "activation",
        "bias",
        "blocked",
        "conv",
        "groups",
        "inputs",
        "kind",
        "output",
        "strides",
        "sums",
        "window",
        "written",
    )

    def __init__(self, kind: str, inputs: tuple[Dims, ...], output: Dims, blocked: bool) -> None:
        self.kind = kind
        self.inputs = inputs
        self.output = output
        self.blocked = blocked
        self.window = self.strides = (1, 1)
        self.groups = 1
        self.activation = "none"
        self.sums = self.conv = self.written = self.bias = False

    def kernel(self) -> Kernel:
        """The kernel as it has become."""
        return Kernel(
            self.kind,
            self.inputs,
            self.output,
            self.window,
            self.strides,
            self.groups,
            self.activation,
            self.sums,
            self.blocked,
        )


class Held:
    """A value as the runtime holds it.

    Attributes:
        shape: without the batch, as a plain tuple.
        call: what computes it; None for what a program is given.
        blocked: whether it is computed in blocks of channels.
        both: whether it has been copied to the other layout too.
        readers: how many ops of the exported graph read it, and one more if it is the result.
    """

    __slots__ = ("blocked", "both", "call", "readers", "shape")

    def __init__(self, shape: Dims, call: Call | None, blocked: bool, readers: int) -> None:
        self.shape = shape
        self.call = call
        self.blocked = blocked
        self.both = False
        self.readers = readers


class Fusion:
    """The calls for the steps of a program.

    Args:
        layout: of the target.
        steps: in order of execution.
        given: the program's inputs, each with whether it arrives in blocks of channels.
        result: the program's output.
    """

    def __init__(
        self,
        layout: Layout,
        steps: Iterable[Step],
        given: Sequence[tuple[Value, bool]],
        result: Value,
    ) -> None:
        self.calls: list[Call] = []
        self._block = layout.block
        self._late = _BLOCKED if layout.joins_hard_swish else _BLOCKED - {"hard_swish"}
        walked = list(steps)
        self._readers = _count_readers(walked, result)
        self._held = {
            value: Held(tuple(value.shape), None, blocked, self._readers.get(value, 0))
            for value, blocked in given
        }
        for step in walked:
            inputs = [self._held[value] for value in step.inputs]
            self._held[step.output] = _RULES[type(step.op)](self, step.op, inputs, step.output)
        self.result = self._held[result]

    def kernels(self) -> tuple[Kernel, ...]:
        """What runs, in the order of the program."""
        return tuple([call.kernel() for call in self.calls])

    # -- layouts

    def rows(self, x: Held) -> None:
        """See that a value can be read in rows."""
        if x.blocked and not x.both:
            self.calls.append(Call("reorder_output", (x.shape,), x.shape, True))
            x.both = True

    def blocks(self, x: Held) -> None:
        """See that a value can be read in blocks of channels."""
        if not x.blocked and not x.both:
            self.calls.append(Call("reorder_input", (x.shape,), x.shape, True))
            x.both = True

    def _note(
        self, kind: str, inputs: Sequence[Held], output: Value, blocked: bool, shape: Dims = ()
    ) -> Held:
        """Append a call that reads and writes one layout; returns its result."""
        for x in inputs:
            (self.blocks if blocked else self.rows)(x)
        return self._append(kind, [x.shape for x in inputs], output, blocked, shape)

    def _append(
        self, kind: str, inputs: Sequence[Dims], output: Value, blocked: bool, shape: Dims = ()
    ) -> Held:
        call = Call(kind, tuple(inputs), shape or tuple(output.shape), blocked)
        self.calls.append(call)
        return Held(call.output, call, blocked, self._readers.get(output, 0))

    # -- convolutions

    def conv(self, op: ops.Conv, inputs: list[Held], output: Value) -> Held:
        window, strides = (op.kernel, op.kernel), (op.stride, op.stride)
        return self._conv(
            inputs[0], tuple(output.shape), output, window, strides, op.groups, op.bias
        )

    def _conv(
        self,
        x: Held,
        shape: Dims,
        output: Value,
        window: tuple[int, int],
        strides: tuple[int, int],
        groups: int,
        bias: bool,
    ) -> Held:
        """A convolution in blocks of channels where the runtime has a kernel for it."""
        read, written, block = x.shape[0], shape[0], self._block
        direct = False  # reads rows and writes blocks, as for the three colours of an image
        if block == 1:
            blocked = False
        elif groups == 1:
            direct = read < block
            blocked = direct or read % _COPIED_CHANNELS == 0
        elif groups == read == written:
            blocked = read % _COPIED_CHANNELS == 0
        else:
            blocked = read // groups % block == 0 and written // groups % block == 0
        if blocked and not direct:
            self.blocks(x)
        else:
            self.rows(x)
        if groups > 1:
            kind = "depthwise" if groups == read == written else "grouped"
        else:
            kind = "pointwise" if window == (1, 1) else "conv"
        held = self._append(kind, [x.shape], output, blocked, shape)
        call = held.call
        assert call is not None
        call.window, call.strides, call.groups = window, strides, groups
        call.conv = call.written = True
        call.bias = bias
        return held

    def batch_norm(self, op: ops.BatchNorm, inputs: list[Held], output: Value) -> Held:
        [x] = inputs
        call = x.call
        if call is not None and call.conv and call.written and x.readers == 1:
            call.bias = True
            return self._joined(x, output)
        if not x.blocked:
            return self._note("batch_norm", inputs, output, False)
        # As a depthwise convolution with one weight per channel.
        held = self._append("depthwise", [x.shape], output, True)
        assert held.call is not None
        held.call.groups = x.shape[0]
        held.call.conv = held.call.bias = True
        return held

    def channel_conv(self, op: ops.ChannelConv, inputs: list[Held], output: Value) -> Held:
        channels = inputs[0].shape[0]
        x = self._note("transpose", inputs, output, False, (1, channels, 1))
        x = self._conv(x, (1, channels, 1), output, (op.kernel, 1), (1, 1), 1, False)
        return self._note("transpose", [x], output, False)

    def _joined(self, x: Held, output: Value) -> Held:
        """The result of an op that is done within the call before it."""
        return Held(x.shape, x.call, x.blocked, self._readers.get(output, 0))

    # -- element by element

    def act(self, op: ops.Act, inputs: list[Held], output: Value) -> Held:
        [x] = inputs
        function, call = op.function, x.call
        if call is not None and x.readers == 1 and call.activation == "none":
            if call.kind == "linear":
                joins = function in _JOINED_LINEAR
            elif call.conv and call.written:
                joins = function in _JOINED or (call.blocked and function in self._late)
            elif call.conv or call.sums:
                joins = function in (self._late if call.blocked else _JOINED)
            else:
                joins = False
            if joins:
                call.activation = function
                call.conv = False
                return self._joined(x, output)
        blocked = x.blocked and (function == "silu" or function in self._late)
        if function == "hard_swish" and not blocked:  # written out when the session starts
            gate = self._note("hard_sigmoid", inputs, output, False)
            return self._note("mul", [x, gate], output, False)
        return self._note(function, inputs, output, blocked)

    def add(self, op: ops.Add, inputs: list[Held], output: Value) -> Held:
        blocked = all(x.blocked for x in inputs)
        joining = [x.call for x in inputs if x.readers == 1 and x.call is not None and x.call.conv]
        if not blocked:
            for x in inputs:
                self.rows(x)
            # Here the first of the graph, in blocks the first operand.
            joining = [call for call in joining if not call.blocked and call.bias]
            joining.sort(key=self.calls.index)
        if not joining:
            return self._note("add", inputs, output, blocked)
        call = joining[0]
        call.inputs = (*call.inputs, call.output)
        call.sums, call.conv = True, False
        # What it adds must be there first.
        self.calls.append(self.calls.pop(self.calls.index(call)))
        return Held(call.output, call, blocked, self._readers.get(output, 0))

    def mul(self, op: ops.Mul, inputs: list[Held], output: Value) -> Held:
        x, weights = inputs
        if not weights.shape:
            if x.readers == 1 and x.call is not None and x.call.conv and x.call.written:
                return self._joined(x, output)
            blocked = False
        else:
            blocked = x.blocked and weights.blocked and x.shape == weights.shape
        return self._note("mul", inputs, output, blocked)

    def parameter(self, op: ops.Parameter, inputs: list[Held], output: Value) -> Held:
        return Held((), None, False, 0)

    def cat(self, op: ops.Cat, inputs: list[Held], output: Value) -> Held:
        blocked = all(x.blocked and x.shape[0] % self._block == 0 for x in inputs)
        return self._note("concat", inputs, output, blocked)

    def dropout(self, op: ops.Dropout, inputs: list[Held], output: Value) -> Held:
        return inputs[0]

    def flatten(self, op: ops.Flatten, inputs: list[Held], output: Value) -> Held:
        self.rows(inputs[0])
        return Held(tuple(output.shape), None, False, self._readers.get(output, 0))

    def local_response_norm(
        self, op: ops.LocalResponseNorm, inputs: list[Held], output: Value
    ) -> Held:
        return self._note("local_response_norm", inputs, output, False)

    def channel_shuffle(self, op: ops.ChannelShuffle, inputs: list[Held], output: Value) -> Held:
        [x] = inputs
        self.rows(x)
        channels, height, width = x.shape
        dealt = (op.groups, channels // op.groups, height * width)
        shuffled = (dealt[1], dealt[0], dealt[2])
        held = self._append("transpose", [dealt], output, False, shuffled)
        held.shape = x.shape
        return held

    def linear(self, op: ops.Linear, inputs: list[Held], output: Value) -> Held:
        return self._note("linear", inputs, output, False)

    # -- pools

    def pool(self, op: ops.Pool, inputs: list[Held], output: Value) -> Held:
        window, strides = (op.kernel, op.kernel), (op.stride, op.stride)
        return self._pool(f"{op.mode}_pool", inputs[0], output, window, strides)

    def _pool(
        self,
        kind: str,
        x: Held,
        output: Value,
        window: tuple[int, int],
        strides: tuple[int, int],
    ) -> Held:
        blocked = self._block > 1 and x.shape[0] % self._block == 0
        held = self._note(kind, [x], output, blocked)
        assert held.call is not None
        held.call.window, held.call.strides = window, strides
        return held

    def adaptive_pool(self, op: ops.AdaptivePool, inputs: list[Held], output: Value) -> Held:
        return self._grid(op.mode, op.regions, inputs[0], output)

    def fractional_max_pool(
        self, op: ops.FractionalMaxPool, inputs: list[Held], output: Value
    ) -> Held:
        return self._grid("max", op.regions, inputs[0], output)

    def _grid(self, mode: str, regions: Callable[[int], Regions], x: Held, output: Value) -> Held:
        """A pool over regions: a plain one where they are equal; see `dse.runtime.onnx.pooling`."""
        channels, height, width = x.shape
        rows, columns = regions(height), regions(width)
        down, across = as_windows(rows), as_windows(columns)
        if down and across:
            window, strides = zip(down, across, strict=True)
            return self._pool(f"{mode}_pool", x, output, window, strides)
        if mode == "average":
            x = self._note("matmul", [x], output, False, (channels, len(rows), width))
            return self._note("matmul", [x], output, False)
        longest = max(end - start for start, end in rows)
        x = self._note("gather", [x], output, False, (channels, len(rows), longest, width))
        x = self._note("reduce_max", [x], output, False, (channels, len(rows), width))
        longest = max(end - start for start, end in columns)
        wide = (channels, len(rows), len(columns), longest)
        x = self._note("gather", [x], output, False, wide)
        return self._note("reduce_max", [x], output, False)

    def blur_pool(self, op: ops.BlurPool, inputs: list[Held], output: Value) -> Held:
        channels, height, width = inputs[0].shape
        x = self._note("pad", inputs, output, False, (channels, height + 2, width + 2))
        strides = (op.stride, op.stride)
        return self._conv(x, tuple(output.shape), output, (3, 3), strides, channels, False)

    def global_pool(self, op: ops.GlobalPool, inputs: list[Held], output: Value) -> Held:
        [x] = inputs
        # It follows the layout of its input; what is given to a network may have either.
        either = x.blocked or (x.call is None and self._block > 1)
        blocked = either and x.shape[0] % self._block == 0
        pooled = self._note(f"global_{op.mode}_pool", inputs, output, blocked, (x.shape[0], 1, 1))
        if not op.keep_map:
            self.rows(pooled)
            return Held(tuple(output.shape), None, False, self._readers.get(output, 0))
        return pooled


def _count_readers(steps: list[Step], result: Value) -> dict[Value, int]:
    """How many ops read each value; a dropout is none, its readers are those of what it reads."""
    counts: dict[Value, int] = {result: 1}
    for step in reversed(steps):
        own = counts.get(step.output, 0) if type(step.op) is ops.Dropout else 1
        for value in step.inputs:
            counts[value] = counts.get(value, 0) + own
    return counts


_Rule = Callable[[Fusion, Any, list[Held], Value], Held]

_RULES: dict[type[Op], _Rule] = {
    ops.Act: Fusion.act,
    ops.AdaptivePool: Fusion.adaptive_pool,
    ops.Add: Fusion.add,
    ops.BatchNorm: Fusion.batch_norm,
    ops.BlurPool: Fusion.blur_pool,
    ops.Cat: Fusion.cat,
    ops.ChannelConv: Fusion.channel_conv,
    ops.ChannelShuffle: Fusion.channel_shuffle,
    ops.Conv: Fusion.conv,
    ops.Dropout: Fusion.dropout,
    ops.Flatten: Fusion.flatten,
    ops.FractionalMaxPool: Fusion.fractional_max_pool,
    ops.GlobalPool: Fusion.global_pool,
    ops.Linear: Fusion.linear,
    ops.LocalResponseNorm: Fusion.local_response_norm,
    ops.Mul: Fusion.mul,
    ops.Parameter: Fusion.parameter,
    ops.Pool: Fusion.pool,
}
