"""From a walk to a network and its cost: names, inputs, blocks; what was made once is made once.

`dse.cost` remembers costs by the content of blocks, which takes longer to hash than to add up. Here
a whole stage is remembered, by the decisions that led to it and the shapes that come in.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from hashlib import blake2b
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from dse.blocks import Block, Identity
from dse.blocks.base import first_problem
from dse.cost import FLOAT_BYTES, Cost, Dies, Memo, Timer, along_graph, count_block, total
from dse.errors import InvalidDesign
from dse.ir import Shape
from dse.network import Network, Node, NodeName, check_graph, check_scores
from dse.space.expand import Placed, Walk
from dse.space.template import BlockTemplate
from dse.space.values import build_block

_NAME: TypeAdapter[str] = TypeAdapter(NodeName)
_MAX_KEPT = 50_000
"""Stages and blocks kept for reuse; a search revisits far fewer."""
_TICKS = 2**30
"""Latencies are whole numbers of such parts of a millisecond, so that their sums are exact: a
design takes equally long however it was come by.
"""


class _Stage(NamedTuple):
    """What became of a placed block: its nodes (none where it gave way to nothing), what comes out
    of them, and what they cost together.
    """

    nodes: tuple[Node, ...]
    output: Shape
    cost: Cost


class Binder:
    """Binds walks of one space, for images of one shape and one number of classes.

    Attributes:
        start: what a network costs before its first block.
    """

    def __init__(self, title: str, input: Shape, classes: int, timer: Timer | None = None) -> None:
        """With a `timer`, costs say how long networks take on its device."""
        self.start = Cost(0, 0, 0, 0, None if timer is None else _exact(timer.base_ms))
        self._title = title
        self._input = input
        self._classes = classes
        self._timer = timer
        self._stages: dict[tuple[object, ...], _Stage] = {}
        self._memo: Memo = {}

    def bind(self, walk: Walk, alpha: float) -> tuple[Network, Cost]:
        """The network of a walk and its cost, the finding of which proves the network possible.

        Raises:
            InvalidDesign: the blocks do not fit each other, or the nodes do not form a graph: one
                is unread, or reads the wrong value.
        """
        nodes, output, spent = (self._chain if walk.chain else self._graph)(walk, alpha)
        if not nodes:
            raise InvalidDesign(f"{self._title}: these decisions leave no node")
        check_scores(output, self._classes, nodes[-1].name)
        network = Network.model_construct(
            name=f"{self._title}-{digest(walk.decisions)}",
            title="",
            about=f"A point of the search space {self._title}.",
            input=self._input,
            classes=self._classes,
            nodes=tuple(nodes),
        )
        return network, spent

    def _chain(self, walk: Walk, alpha: float) -> tuple[list[Node], Shape, Cost]:
        """Nodes that each read the one before: a graph by the way it is made."""
        nodes: list[Node] = []
        costs = [(self.start, 0)]
        taken: set[str] = set()
        shape = self._input
        for placed in walk.placed:
            if placed.name in taken:
                placed = _renamed(placed, taken)
            own, shape, spent = self.stage(placed, alpha, (), (shape,), (True,))
            if own:
                taken.add(placed.name)
                nodes += own
                costs.append((spent, 0))
        return nodes, shape, total(costs)

    def _graph(self, walk: Walk, alpha: float) -> tuple[list[Node], Shape, Cost]:
        nodes: list[Node] = []
        taken: set[str] = set()
        # The stages that have nodes, and for each which of them it reads; -1 is the image.
        stages: list[tuple[Placed, tuple[str, ...]]] = []
        sources: list[tuple[int, ...]] = []
        # For each value of the walk, the image first: the stage it comes from, its node, its shape.
        values = [(-1, "", self._input)]
        for placed, reads in zip(walk.placed, walk.reads, strict=True):
            if placed.name in taken:
                placed = _renamed(placed, taken)
            given = [values[read] for read in reads]
            source = tuple([stage for stage, _, _ in given])
            inputs: tuple[str, ...] = ()
            if source != (len(stages) - 1,):
                inputs = tuple([name for _, name, _ in given])
                if -1 in source:
                    raise InvalidDesign(
                        f"{self._title}: only the first node reads the image, got {placed.name}"
                    )
            shapes = tuple([shape for _, _, shape in given])
            own, output, _ = self.stage(placed, alpha, inputs, shapes, (True,) * len(shapes))
            if own:
                values.append((len(stages), own[-1].name, output))
                taken.add(placed.name)
                nodes += own
                stages.append((placed, inputs))
                sources.append(source)
            else:
                values.append(given[0])
        # All else that a graph must be, it is by the way it is made.
        read = {stage for source in sources for stage in source}
        if not read.issuperset(range(len(stages) - 1)):
            try:
                check_graph(tuple(nodes))
            except ValueError as error:
                raise InvalidDesign(f"{self._title}: {error}") from None

        def count(at: int, shapes: tuple[Shape, ...], dies: Dies) -> tuple[Shape, Cost]:
            placed, inputs = stages[at]
            return self.stage(placed, alpha, inputs, shapes, dies)[1:]

        costs = [(self.start, 0)]
        for _, spent, beside in along_graph(self._input, sources, count):
            costs.append((spent, beside))
        return nodes, values[-1][2], total(costs)

    # -- stages and blocks, each made once

    def stage(
        self,
        placed: Placed,
        alpha: float,
        inputs: tuple[str, ...],
        shapes: tuple[Shape, ...],
        dies: Dies,
    ) -> _Stage:
        """What becomes of a placed block.

        Args:
            placed: the block.
            alpha: the width multiplier.
            inputs: the names of the nodes that it reads, none if just the one before it.
            shapes: of what it reads.
            dies: which of that nothing else reads later.
        """
        key = (placed, alpha, inputs, shapes, dies)
        stage = self._stages.get(key)
        if stage is None:
            if len(self._stages) >= _MAX_KEPT:
                self._stages.clear()
            stage = self._stages[key] = self._make_stage(placed, alpha, inputs, shapes, dies)
        return stage

    def _make_stage(
        self,
        placed: Placed,
        alpha: float,
        inputs: tuple[str, ...],
        shapes: tuple[Shape, ...],
        dies: Dies,
    ) -> _Stage:
        name, copies, item, first, values = placed
        nodes: list[Node] = []
        costs: list[tuple[Cost, int]] = []
        beside = 0
        for copy in range(abs(copies)):
            template, closed = (item.block, values) if copy else (item.first, first)
            own = name if copies < 0 else f"{name}.{len(nodes)}"
            block, output, spent = self._fitted(own, template, closed, alpha, shapes, dies)
            if isinstance(block, Identity):
                continue  # nothing stands here: what comes in stands for it
            nodes.append(Node.model_construct(name=_allowed(own), block=block, inputs=inputs))
            costs.append((spent, beside))
            # What the first of them reads may be alive beside the others.
            beside += FLOAT_BYTES * sum(
                s.size for s, over in zip(shapes, dies, strict=True) if not over
            )
            inputs, shapes, dies = (), (output,), (True,)
        return _Stage(tuple(nodes), shapes[0], total(costs))

    def _fitted(
        self,
        name: str,
        template: BlockTemplate,
        values: tuple[Any, ...],
        alpha: float,
        shapes: tuple[Shape, ...],
        dies: Dies,
    ) -> tuple[Block, Shape, Cost]:
        """The block of a template, or the one that stands in its place where it does not fit."""
        block = build_block(template, values, alpha)
        try:
            return block, *self._count(name, block, shapes, dies)
        except InvalidDesign:
            if template.otherwise is None:
                raise
        spare, closed = values[-1]
        return self._fitted(name, spare, closed, alpha, shapes, dies)

    def _count(
        self, name: str, block: Block, shapes: tuple[Shape, ...], dies: Dies
    ) -> tuple[Shape, Cost]:
        key = (block, shapes, dies, self._classes)
        known = self._memo.get(key)
        if known is None:
            if len(self._memo) >= _MAX_KEPT:
                self._memo.clear()
            output, spent = count_block(name, *key)
            if self._timer is not None:
                taken = _exact(self._timer.block_ms(block, shapes, self._classes))
                spent = replace(spent, latency_ms=taken)
            known = self._memo[key] = output, spent
        return known


def _exact(ms: float) -> float:
    return round(ms * _TICKS) / _TICKS


def digest(decisions: dict[str, Any]) -> str:
    """8 hexadecimal digits that tell points of a space apart."""
    # The values in the order of the walk say which decisions they belong to.
    return blake2b(",".join(map(str, decisions.values())).encode(), digest_size=4).hexdigest()


def _renamed(placed: Placed, taken: set[str]) -> Placed:
    """The same under a name that is not taken."""
    number, name = 1, placed.name
    while name in taken:
        number += 1
        name = f"{placed.name}{'_' if placed.name[-1].isdigit() else ''}{number}"
    return placed._replace(name=name)


@cache
def _allowed(name: str) -> str:
    """A node's name, checked; what else a node is made of has been checked when it was made."""
    try:
        return _NAME.validate_python(name)
    except ValidationError as error:
        raise InvalidDesign(f"node {name}: {first_problem(error)}") from None
