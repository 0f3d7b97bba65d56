"""What a network costs: one walk over its program, without torch.

The walk is done block by block and remembered by (block, input shapes), so that within a search,
where designs share most of their blocks, a cost query is a few dictionary look-ups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Protocol

from dse.blocks.base import Block
from dse.errors import InvalidValue
from dse.ir import Scope, Shape, Step, Tape, Value
from dse.network import Network, check_scores

FLOAT_BYTES = 4


@dataclass(frozen=True, slots=True)
class Cost:
    """Cost of a network or a part of it, for one image in float32.

    Attributes:
        params: trainable parameters.
        buffers: batch-norm running means and variances.
        macs: multiply-adds of convolutions and linear layers, counted once; FLOPs are twice as
            many.
        peak_activation_bytes: the most memory that activations alive at one time take, by the rules
            of a runtime that fuses as ONNX Runtime does: each is freed after its last use, the
            image too, and batch norms, activations and sums overwrite what they read if nothing
            else reads it. What single kernels need beside (im2col, other layouts) is not counted,
            nor are gaps between tensors. `benchmarks/memory.py` has it beside what ONNX Runtime
            and torch allocate.
        latency_ms: predicted milliseconds on a device; None where no device was asked of (see
            `Timer`).
    """

    params: int
    buffers: int
    macs: int
    peak_activation_bytes: int
    latency_ms: float | None = None

    @property
    def params_with_buffers(self) -> int:
        """Trainable parameters and running statistics: Keras' "total params"."""
        return self.params + self.buffers

    @property
    def flops(self) -> int:
        """Floating-point operations of the multiply-adds: 2 x MACs."""
        return 2 * self.macs

    @property
    def size_bytes(self) -> int:
        """Bytes of parameters and running statistics in float32."""
        return FLOAT_BYTES * self.params_with_buffers


@dataclass(frozen=True, slots=True)
class Row:
    """Cost of one node (or op): what it is, what comes out, and its share."""

    name: str
    what: str
    output: str
    cost: Cost


class Timer(Protocol):
    """What says how long networks take on some device: `base_ms`, and what each block adds.

    What a block adds hangs on the block, the shapes that it reads and the number of classes alone.
    """

    @property
    def base_ms(self) -> float:
        """Milliseconds that any network takes, whatever it is made of."""
        ...

    def block_ms(self, block: Block, inputs: tuple[Shape, ...], classes: int) -> float:
        """Milliseconds that a block adds; it can take such inputs."""
        ...


Memo = dict[tuple[Block, tuple[Shape, ...], tuple[bool, ...], int], tuple[Shape, Cost]]
"""Costs of blocks already seen, by block, input shapes, which inputs die in it, and classes."""


def cost(network: Network, memo: Memo | None = None) -> Cost:
    """Count parameters, MACs and peak activation memory of `network`.

    Args:
        network: the network.
        memo: pass the same dictionary for many networks, as a search does, and blocks are
            counted once.

    Raises:
        InvalidDesign: the blocks do not fit each other; says where.
    """
    return total((part, beside) for _, part, beside in _parts(network, memo))


Largest = Callable[[list[int]], int]
"""How the largest of some numbers is found: `max`, unless each stands for those of many designs."""


def total(parts: Iterable[tuple[Cost, int]], largest: Largest = max) -> Cost:
    """The cost of parts that run one after the other, each with the bytes that are alive beside
    it.
    """
    params = buffers = macs = 0
    latency_ms: float | None = None
    peaks = [0]
    for part, beside in parts:
        params += part.params
        buffers += part.buffers
        macs += part.macs
        peaks.append(part.peak_activation_bytes + beside)
        if part.latency_ms is not None:
            latency_ms = part.latency_ms + (latency_ms or 0.0)
    return Cost(params, buffers, macs, largest(peaks), latency_ms)


def cost_by_block(network: Network) -> list[Row]:
    """One row per node, in order; peak memory counts what else is alive meanwhile."""
    return [
        Row(
            node.name,
            node.block.kind,
            str(shape),
            replace(part, peak_activation_bytes=part.peak_activation_bytes + beside),
        )
        for node, (shape, part, beside) in zip(network.nodes, _parts(network, None), strict=True)
    ]


def cost_by_op(network: Network) -> list[Row]:
    """One row per primitive op, in order of execution."""
    rows = []
    for path, step in network.lower().walk():
        shapes = [value.shape for value in step.inputs]
        own = Cost(
            step.op.params(*shapes),
            step.op.buffers(*shapes),
            step.op.macs(step.output.shape, *shapes),
            FLOAT_BYTES * (step.output.shape.size + sum(shape.size for shape in shapes)),
        )
        rows.append(Row(path, type(step.op).__name__, str(step.output.shape), own))
    return rows


Dies = tuple[bool, ...]
"""Which of a node's inputs no later node reads."""


def _parts(network: Network, memo: Memo | None) -> Iterator[tuple[Shape, Cost, int]]:
    """For each node: its output shape, its own cost, and the bytes that are alive beside it."""
    if any(node.inputs for node in network.nodes):
        yield from _parts_of_graph(network, memo)
        return
    # A chain, as most networks are: each value dies in the next node and nothing is alive beside.
    shape, classes = network.input, network.classes
    for position, node in enumerate(network.nodes):
        known = None if memo is None else memo.get((node.block, (shape,), (True,), classes))
        if known is None:
            known = _count_node(network, position, (shape,), (True,), memo)
        shape, part = known
        yield shape, part, 0
    check_scores(shape, classes, network.nodes[-1].name)


def _parts_of_graph(network: Network, memo: Memo | None) -> Iterator[tuple[Shape, Cost, int]]:
    nodes, classes, sources = network.nodes, network.classes, network.sources()

    def count(position: int, inputs: tuple[Shape, ...], dies: Dies) -> tuple[Shape, Cost]:
        known = None if memo is None else memo.get((nodes[position].block, inputs, dies, classes))
        return _count_node(network, position, inputs, dies, memo) if known is None else known

    shape = network.input
    for shape, part, beside in along_graph(network.input, sources, count):
        yield shape, part, beside
    check_scores(shape, classes, nodes[-1].name)


def along_graph(
    image: Shape,
    sources: Sequence[tuple[int, ...]],
    count: Callable[[int, tuple[Shape, ...], Dies], tuple[Shape, Cost]],
) -> Iterator[tuple[Shape, Cost, int]]:
    """For each node of a graph: its output, its cost, and the bytes that are alive beside it.

    Args:
        image: what the graph takes, at position -1.
        sources: for each node the positions of the values that it reads.
        count: the output and the cost of the node at a position, by its inputs and which of them
            die in it.
    """
    last_use = {source: position for position, reads in enumerate(sources) for source in reads}
    shapes = {-1: image}
    alive = {-1: prod(image)}
    for position, reads in enumerate(sources):
        inputs = tuple([shapes[source] for source in reads])
        dies = tuple([last_use[source] == position for source in reads])
        shape, part = count(position, inputs, dies)
        beside = 0
        if len(alive) > len(reads):
            beside = sum([size for source, size in alive.items() if source not in reads])
        for source, over in zip(reads, dies, strict=True):
            if over:
                alive.pop(source, None)
        shapes[position] = shape
        alive[position] = prod(shape)
        yield shape, part, FLOAT_BYTES * beside


def _count_node(
    network: Network, position: int, inputs: tuple[Shape, ...], dies: Dies, memo: Memo | None
) -> tuple[Shape, Cost]:
    """Count one node: where it stands in the network's program, or by itself for the memo."""
    if memo is None:
        scope = network.lower().body[position]
        # One value read twice counts as two, as it does where the node is lowered by itself.
        if isinstance(scope, Scope) and len(set(scope.inputs)) == len(inputs):
            return scope.output.shape, _count(scope, dies)
    node = network.nodes[position]
    found = count_block(node.name, node.block, inputs, dies, network.classes)
    if memo is not None:
        memo[node.block, inputs, dies, network.classes] = found
    return found


def count_block(
    name: str,
    block: Block,
    inputs: tuple[Shape, ...],
    dies: Dies,
    classes: int,
    largest: Largest = max,
) -> tuple[Shape, Cost]:
    """The output of a block by itself, and its cost; `dies` says which inputs nothing else reads.

    Raises:
        InvalidDesign: the block cannot take such inputs; says its name, the rule and the values.
    """
    tape = Tape(name, classes, *inputs)
    output = tape.root.output = tape.call(name, block, *tape.root.inputs)
    return output.shape, _count(tape.root, dies, largest)


def _count(program: Scope, dies: Dies, largest: Largest = max) -> Cost:
    """Sum the ops' rules and follow which values are alive, in elements, from step to step."""
    steps = list(program.steps())
    last_use: dict[Value, Step | None] = {value: step for step in steps for value in step.inputs}
    last_use[program.output] = None
    for value, over in zip(program.inputs, dies, strict=True):
        if not over:
            last_use[value] = None
    params = buffers = macs = 0
    alive = {value: prod(value.shape) for value in program.inputs}
    now = sum(alive.values())
    levels = [now]
    for step in steps:
        op, inputs, output = step.op, step.inputs, step.output
        if op.counts:
            shapes = [value.shape for value in inputs]
            params += op.params(*shapes)
            buffers += op.buffers(*shapes)
            macs += op.macs(output.shape, *shapes)
        if op.in_place and inputs and last_use[inputs[0]] is step:
            now -= alive.pop(inputs[0])
        size = alive[output] = prod(output.shape)
        now += size
        levels.append(now)
        for value in inputs:
            if last_use[value] is step and value in alive:
                now -= alive.pop(value)
    return Cost(params, buffers, macs, FLOAT_BYTES * largest(levels))


# -- budgets


@dataclass(frozen=True, slots=True)
class Budget:
    """Hard upper limits; None is no limit. A design over any of them is never trained.

    Attributes:
        params: trainable parameters.
        macs: multiply-adds for one image.
        peak_activation_bytes: see `Cost`.
        size_bytes: float32 weights and running statistics.
        latency_ms: milliseconds per image on a device; holds where a cost says none.
    """

    params: float | None = None
    macs: float | None = None
    peak_activation_bytes: float | None = None
    size_bytes: float | None = None
    latency_ms: float | None = None

    def __post_init__(self) -> None:
        for name, limit in self.limits().items():
            if not limit > 0:
                raise InvalidValue(f"a budget is above 0, got {name}={limit:g}")

    def limits(self) -> dict[str, float]:
        """The limits that are set."""
        every: dict[str, float | None] = {name: getattr(self, name) for name in self.__slots__}
        return {name: limit for name, limit in every.items() if limit is not None}

    def excess(self, spent: Cost) -> dict[str, float]:
        """By what factor each limit is exceeded, less 1; empty if all hold."""
        over = {}
        for name, limit in self.limits().items():
            value = getattr(spent, name)
            if value is not None and value > limit:
                over[name] = value / limit - 1
        return over

    def admits(self, spent: Cost) -> bool:
        """Whether all limits hold."""
        return not self.excess(spent)

    def __str__(self) -> str:
        texts = {
            "params": "{:,.0f} parameters",
            "macs": "{:,.0f} MACs",
            "peak_activation_bytes": "{:,.0f} bytes of activations",
            "size_bytes": "{:,.0f} bytes of weights",
            "latency_ms": "{:g} ms",
        }
        parts = [texts[name].format(limit) for name, limit in self.limits().items()]
        if self.macs is not None:
            parts = [f"{p} ({2 * self.macs:,.0f} FLOPs)" if "MACs" in p else p for p in parts]
        return ", ".join(parts) or "no budget"


# -- text


def table(network: Network) -> str:
    """The network as the table a paper would print: node, block, output, parameters, MACs."""
    rows = [
        (r.name, r.what, r.output, f"{r.cost.params:,}", f"{r.cost.macs:,}")
        for r in cost_by_block(network)
    ]
    total = cost(network)
    lines = [
        ("node", "block", "output", "params", "MACs"),
        *rows,
        ("total", "", "", f"{total.params:,}", f"{total.macs:,}"),
    ]
    wide = [max(len(line[i]) for line in lines) for i in range(5)]
    aligned = [
        f"{a:<{wide[0]}}  {b:<{wide[1]}}  {c:<{wide[2]}}  {d:>{wide[3]}}  {e:>{wide[4]}}".rstrip()
        for a, b, c, d, e in lines
    ]
    return "\n".join([f"{network.name}: {network.input} -> {network.classes} classes", *aligned])


def as_document(network: Network) -> dict[str, Any]:
    """The cost of a network as `dse cost --json` prints it."""
    total = cost(network)
    return {
        "name": network.name,
        "params": total.params,
        "params_with_buffers": total.params_with_buffers,
        "macs": total.macs,
        "flops": total.flops,
        "peak_activation_bytes": total.peak_activation_bytes,
        "size_bytes": total.size_bytes,
        "input": str(network.input),
        "classes": network.classes,
        "digest": network.digest,
        "blocks": [
            {
                "name": row.name,
                "block": row.what,
                "output": row.output,
                "params": row.cost.params,
                "params_with_buffers": row.cost.params_with_buffers,
                "macs": row.cost.macs,
                "peak_activation_bytes": row.cost.peak_activation_bytes,
            }
            for row in cost_by_block(network)
        ],
    }
