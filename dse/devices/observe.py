"""ONNX Runtime's profile of a run, read as kernels with their times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dse.ir import Scope, Shape, Tape
from dse.latency.kernel import CONVOLUTIONS, Dims, Kernel
from dse.latency.layout import Layout

Event = Mapping[str, Any]
"""A node's event as ONNX Runtime writes it: `dur` in microseconds, and `args` with the operator and
the shapes that it read and wrote, batch and weights included."""

FREE = ("Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze")
"""Operators that copy no data and that no kernel stands for."""

_OPERATORS = {
    **dict.fromkeys(CONVOLUTIONS, "Conv"),
    "add": "Add",
    "average_pool": "AveragePool",
    "batch_norm": "BatchNormalization",
    "concat": "Concat",
    "gather": "Gather",
    "global_average_pool": "GlobalAveragePool",
    "global_max_pool": "GlobalMaxPool",
    "hard_sigmoid": "HardSigmoid",
    "leaky_relu": "LeakyRelu",
    "linear": "Gemm",
    "local_response_norm": "LRN",
    "matmul": "MatMul",
    "max_pool": "MaxPool",
    "mul": "Mul",
    "pad": "Pad",
    "reduce_max": "ReduceMax",
    "relu": "Relu",
    "relu6": "Clip",
    "reorder_input": "ReorderInput",
    "reorder_output": "ReorderOutput",
    "sigmoid": "Sigmoid",
    "silu": "QuickGelu",
    "transpose": "Transpose",
}
"""ONNX Runtime's operator for each kind of kernel; those that are fused begin with ``Fused``."""

_TWO_MAPS = ("add", "mul")
"""Kinds whose second input is data and no constant."""

Signature = tuple[str, tuple[Dims, ...], Dims]
"""Operator, shapes read (the weights of a convolution among them) and shape written, without the
batch."""


@dataclass(frozen=True)
class Observed:
    """What a profile says about the kernels that were expected.

    Attributes:
        times: each expected kernel that was seen, with its microseconds, in order of execution.
        strangers: what ran, but was not expected: operator, shapes read and shape written. Its time
            belongs to no kernel.
        missing: kernels that were expected, but did not run.
    """

    times: tuple[tuple[Kernel, float], ...]
    strangers: tuple[str, ...]
    missing: tuple[Kernel, ...]


def observed(events: Iterable[Event], kernels: Sequence[Kernel], layout: Layout) -> Observed:
    """Tell which event is which kernel, by operator and shapes; among equal ones in order.

    Nothing is guessed: an event that fits no kernel is a stranger, and a kernel without an event is
    missing. Kernels that differ in their activation alone look the same in a profile; they are
    taken in the order of the program.

    Args:
        events: of one run, each node once; others than nodes' are passed over.
        kernels: of the program that ran, see `dse.latency.kernels.kernels`.
        layout: of the machine that it ran on.
    """
    waiting: dict[Signature, list[Kernel]] = {}
    for kernel in kernels:
        waiting.setdefault(expected(kernel, layout), []).append(kernel)
    times: list[tuple[Kernel, float]] = []
    strangers: list[str] = []
    for event in events:
        if not event["name"].endswith("_kernel_time"):
            continue
        seen = signature(event)
        if seen is None:
            continue
        if waiting.get(seen):
            times.append((waiting[seen].pop(0), float(event["dur"])))
        else:
            operator, inputs, output = seen
            reads = ", ".join(str(Shape(shape)) for shape in inputs)
            strangers.append(f"{operator} {reads} -> {Shape(output)}")
    missing = [kernel for left in waiting.values() for kernel in left]
    return Observed(tuple(times), tuple(strangers), tuple(missing))


def signature(event: Event) -> Signature | None:
    """How an event of a node looks, or None if its operator is a free one."""
    args = event["args"]
    operator = args["op_name"].removeprefix("Fused")
    if operator in FREE:
        return None
    shapes = [tuple(next(iter(typed.values()))) for typed in args["input_type_shape"]]
    output = tuple(next(iter(args["output_type_shape"][0].values())))[1:]
    if operator == "Conv":  # data, weights, perhaps a bias, perhaps a map to be added
        added = [shape[1:] for shape in shapes[2:] if len(shape) == 4]
        return operator, (shapes[0][1:], shapes[1], *added), output
    if operator == "Concat":
        return operator, tuple(shape[1:] for shape in shapes), output
    if operator in ("Add", "Mul"):
        data = tuple(shape[1:] for shape in shapes)
        return operator, data, output
    if operator == "MatMul":  # the constant matrix may come first, or is packed and not shown
        shapes = [shape for shape in shapes if len(shape) == 4]
    return operator, (shapes[0][1:],), output


def expected(kernel: Kernel, layout: Layout) -> Signature:
    """How the event of a kernel looks: where channels come in blocks, the last one is full."""

    def full(shape: Dims) -> Dims:
        return (_full(shape[0], layout), *shape[1:])

    operator = _OPERATORS[kernel.kind]
    inputs, output = kernel.inputs, kernel.output
    if kernel.kind in CONVOLUTIONS:
        x, *added = inputs
        filters, depth = output[0], x[0] // kernel.groups
        if kernel.blocked:
            output, added = full(output), [full(shape) for shape in added]
            filters = output[0]
            one_group = kernel.kind in ("conv", "pointwise")
            if not one_group or x[0] >= layout.block:
                x = full(x)
            if one_group:
                depth = x[0]
        return operator, (x, (filters, depth, *kernel.window), *added), output
    if kernel.kind == "reorder_input":
        return operator, inputs, full(output)
    if kernel.kind == "reorder_output":
        return operator, (full(inputs[0]),), output
    if kernel.blocked:
        return operator, tuple(full(shape) for shape in inputs), full(output)
    if kernel.kind in (*_TWO_MAPS, "concat"):
        return operator, inputs, output
    return operator, inputs[:1], output


def _full(channels: int, layout: Layout) -> int:
    return -(-channels // layout.block) * layout.block


# -- the layout of a machine


def probe() -> Scope:
    """A program whose events tell the layout of the machine that it ran on; see `seen_layout`."""
    tape = Tape("probe", 2, Shape((3, 8, 8)))
    y = tape.act("hard_swish", tape.conv("conv", tape.root.inputs[0], 3, 3, bias=True))
    tape.root.output = tape.linear("linear", tape.global_pool(y), 2)
    return tape.root


def seen_layout(events: Iterable[Event]) -> Layout:
    """The layout of a machine by the events of a run of `probe` there."""
    nodes = [event["args"] for event in events if event["name"].endswith("_kernel_time")]
    operators = {args["op_name"] for args in nodes}
    [conv] = [args for args in nodes if args["op_name"] in ("Conv", "FusedConv")]
    written = next(iter(conv["output_type_shape"][0].values()))[1]
    if written == 3:
        return Layout(block=1, joins_hard_swish=False)
    return Layout(block=written, joins_hard_swish=not operators & {"HardSwish", "HardSigmoid"})
