"""Two networks side by side: what changed, what was added, what was removed, and what each costs.

Everything is told from the first network to the second: a change of +1,000 parameters means that
the second has more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dse.cost import Cost, cost, cost_by_block
from dse.diff.align import align
from dse.diff.fields import Change, changed_fields
from dse.diff.part import Part, parts, program
from dse.errors import InvalidDesign
from dse.ir import Tape
from dse.network import Network, Node

Status = Literal["same", "changed", "added", "removed"]


@dataclass(frozen=True, slots=True)
class Row:
    """A block of one network beside the block of the other that stands for it.

    Attributes:
        status: ``same``: both compute the same at the same cost; ``changed``: see `changes`;
            ``added``: only in the second network; ``removed``: only in the first.
        a: the node in the first network, None if added.
        b: the node in the second network, None if removed.
        changes: what separates the two nodes, names aside.
        params: trainable parameters of the second less those of the first.
        macs: multiply-adds of the second less those of the first.
    """

    status: Status
    a: Node | None
    b: Node | None
    changes: tuple[Change, ...]
    params: int
    macs: int

    def document(self) -> dict[str, Any]:
        """The row as `dse diff --json` prints it."""
        return {
            "status": self.status,
            "a": _node_document(self.a),
            "b": _node_document(self.b),
            "changes": [change.document() for change in self.changes],
            "delta": {"params": self.params, "macs": self.macs},
        }


def _node_document(node: Node | None) -> dict[str, Any] | None:
    if node is None:
        return None
    return {"name": node.name, "kind": node.block.kind, "block": node.block.document()}


@dataclass(frozen=True, slots=True)
class Diff:
    """What separates network `b` from network `a`; false if they compute the same.

    Attributes:
        a: the first network.
        b: the second network.
        cost_a: what the first costs.
        cost_b: what the second costs.
        changes: of the networks as wholes: ``input`` and ``classes``.
        rows: their blocks in order, the same ones too; none if the networks compute the same.
    """

    a: Network
    b: Network
    cost_a: Cost
    cost_b: Cost
    changes: tuple[Change, ...]
    rows: tuple[Row, ...]

    def __bool__(self) -> bool:
        return bool(self.changes or self.differences)

    @property
    def differences(self) -> tuple[Row, ...]:
        """The rows whose blocks are not the same; their parameters and MACs sum to the totals."""
        return tuple(row for row in self.rows if row.status != "same")

    @property
    def counts(self) -> Counter[Status]:
        """How many rows there are of each status."""
        return Counter(row.status for row in self.rows)

    @property
    def params(self) -> int:
        """Trainable parameters of `b` less those of `a`."""
        return self.cost_b.params - self.cost_a.params

    @property
    def macs(self) -> int:
        """Multiply-adds of `b` less those of `a`."""
        return self.cost_b.macs - self.cost_a.macs

    @property
    def peak_activation_bytes(self) -> int:
        """Peak activation memory of `b` less that of `a`."""
        return self.cost_b.peak_activation_bytes - self.cost_a.peak_activation_bytes

    def document(self) -> dict[str, Any]:
        """The comparison as `dse diff --json` prints it."""
        return {
            "a": self.a.name,
            "b": self.b.name,
            "delta": {
                "params": self.params,
                "macs": self.macs,
                "peak_activation_bytes": self.peak_activation_bytes,
            },
            "changes": [change.document() for change in self.changes],
            "same": self.counts["same"],
            "differences": [row.document() for row in self.differences],
        }


def diff(a: Network, b: Network) -> Diff:
    """Compare two networks block by block.

    Blocks are paired at the least cost of edits; what has no counterpart is added or removed. Equal
    networks have no differences, whatever their nodes are called.
    """
    costs = cost(a), cost(b)
    if a == b:
        return Diff(a, b, *costs, (), ())
    whole = [Change("input", str(a.input), str(b.input)), Change("classes", a.classes, b.classes)]
    changes = tuple(change for change in whole if change.old != change.new)
    return Diff(a, b, *costs, changes, tuple(_Comparison(a, b).rows()))


class _Comparison:
    """The aligned blocks of two networks."""

    def __init__(self, a: Network, b: Network) -> None:
        self._networks = a, b
        self._parts = parts(a), parts(b)
        self._costs = [[row.cost for row in cost_by_block(network)] for network in (a, b)]
        # Aligned in one order only, so that ties break alike in both directions.
        if a.digest < b.digest:
            self._pairs = align(*self._parts).pairs
        else:
            self._pairs = tuple((i, j) for j, i in align(*reversed(self._parts)).pairs)
        self._ancestors = [
            _nearest_pairs(side, {pair[which]: number for number, pair in enumerate(self._pairs)})
            for which, side in enumerate(self._parts)
        ]

    def rows(self) -> Iterator[Row]:
        """All rows; between two pairs what was removed comes before what was added."""
        i = j = 0
        for pair in self._pairs:
            yield from self._single(range(i, pair[0]), range(j, pair[1]))
            yield self._paired(*pair)
            i, j = pair[0] + 1, pair[1] + 1
        yield from self._single(range(i, len(self._parts[0])), range(j, len(self._parts[1])))

    def _single(self, removed: range, added: range) -> Iterator[Row]:
        (nodes_a, nodes_b), (costs_a, costs_b) = (n.nodes for n in self._networks), self._costs
        for i in removed:
            yield Row("removed", nodes_a[i], None, (), -costs_a[i].params, -costs_a[i].macs)
        for j in added:
            yield Row("added", None, nodes_b[j], (), costs_b[j].params, costs_b[j].macs)

    def _paired(self, i: int, j: int) -> Row:
        one, other = self._costs[0][i], self._costs[1][j]
        params, macs = other.params - one.params, other.macs - one.macs
        a, b = self._parts[0][i], self._parts[1][j]
        changes = [*self._block_changes(a, b, bool(params or macs)), *self._rewired(i, j)]
        status: Status = "changed" if changes else "same"
        nodes = self._networks[0].nodes[i], self._networks[1].nodes[j]
        return Row(status, *nodes, tuple(changes), params, macs)

    def _block_changes(self, a: Part, b: Part, costs_differ: bool) -> Iterator[Change]:
        """What separates two blocks: the kind, or else fields, and what else makes the cost."""
        if a.block.kind != b.block.kind:
            yield Change("kind", a.block.kind, b.block.kind)
            return
        same_input = a.inputs == b.inputs
        if not (same_input and a.program == b.program):
            yield from changed_fields(a.block, b.block)
        if not costs_differ:
            return
        if not same_input:
            yield Change("input", _shapes(a), _shapes(b))
        classes = self._networks[0].classes, self._networks[1].classes
        if classes[0] != classes[1] and _depends_on_classes(a, classes[1]):
            yield Change("classes", *classes)

    def _rewired(self, i: int, j: int) -> Iterator[Change]:
        """What two blocks read, if it is not the same when added and removed blocks are passed
        over.
        """
        a, b = self._parts[0][i], self._parts[1][j]
        reached = [
            [ancestors[origin] for origin in part.origins]
            for part, ancestors in zip((a, b), self._ancestors, strict=True)
        ]
        if len(a.origins) != len(b.origins) or any(
            one.isdisjoint(other) for one, other in zip(*reached, strict=True)
        ):
            yield Change("reads", list(a.reads), list(b.reads))


def _nearest_pairs(side: Sequence[Part], paired: dict[int, int]) -> dict[int, frozenset[int]]:
    """For each position the pair it belongs to, or those that it reads through unpaired blocks."""
    found = {-1: frozenset((-1,))}
    for position, part in enumerate(side):
        if position in paired:
            found[position] = frozenset((paired[position],))
        else:
            found[position] = frozenset().union(*(found[origin] for origin in part.origins))
    return found


def _shapes(part: Part) -> str:
    return " and ".join(map(str, part.inputs))


def _depends_on_classes(part: Part, classes: int) -> bool:
    """Whether a block does something else in a network of other classes."""
    tape = Tape(part.name, classes, *part.inputs)
    try:
        tape.root.output = tape.call(part.name, part.block, *tape.root.inputs)
    except InvalidDesign:
        return True
    return program(tape.root) != part.program
