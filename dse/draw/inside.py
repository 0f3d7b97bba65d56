"""What blocks are inside: one small graph for each structure that a network uses.

Blocks are alike if they record the same ops in the same wiring, whatever the numbers.
Normalisation, activation and the like ride on the box of the op before them, or of the layer after
them where they come first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dse.draw.labels import Use, is_depthwise, label, words
from dse.ir import Scope, Step, Value, ops

if TYPE_CHECKING:
    import networkx as nx

START, OUT, END = -1, -2, -3
"""Nodes of an inside's graph that are no parts: above all, where the result leaves, below all."""

Structure = tuple[object, ...]
"""Equal for blocks that are alike inside."""


@dataclass(slots=True)
class Part:
    """A box of a block's inside, or the sign of a sum, a product or a concatenation.

    Attributes:
        steps: its ops in order; none for an input of the block.
        reads: the parts whose values it takes, by position, in the order of its operands.
    """

    steps: list[Step]
    reads: list[int]

    @property
    def main(self) -> Step | None:
        """The op that the others ride on; None if all could ride."""
        return next((step for step in self.steps if not _rides(step)), None)


@dataclass(slots=True)
class Anatomy:
    """One block's parts, its inputs first, then in order of execution."""

    scope: Scope
    parts: list[Part]
    result: int

    @property
    def structure(self) -> Structure:
        parts = (
            (*((type(step.op), _role(step)) for step in part.steps), *part.reads)
            for part in self.parts
        )
        return (self.scope.title, *parts, self.result)

    @property
    def is_simple(self) -> bool:
        """Whether its name says it all: one layer and what rides on it."""
        return sum(bool(part.steps) for part in self.parts) <= 1


def dissect(scope: Scope) -> Anatomy:
    """Group the ops of a block into parts."""
    steps = list(scope.steps())
    readers: dict[Value, int] = {scope.output: 1}
    for value in (value for step in steps for value in step.inputs):
        readers[value] = readers.get(value, 0) + 1
    inputs = list(dict.fromkeys(scope.inputs))
    parts = [Part([], []) for _ in inputs]
    makers = {value: position for position, value in enumerate(inputs)}
    for step in steps:
        reads = [makers[value] for value in step.inputs]
        before = parts[reads[0]] if len(reads) == 1 and readers[step.inputs[0]] == 1 else None
        if before is not None and _fits(step, before):
            before.steps.append(step)
            makers[step.output] = reads[0]
        else:
            makers[step.output] = len(parts)
            parts.append(Part([step], reads))
    return Anatomy(scope, parts, makers[scope.output])


def _fits(step: Step, part: Part) -> bool:
    """Whether an op may share the box of the only value that it reads."""
    if not part.steps or len(part.steps[0].inputs) != 1:
        return False  # an input of the block, or a sign
    if not _rides(step):
        return step.op.heavy and part.main is None
    # A second normalisation belongs to the layer after it.
    return not (
        isinstance(step.op, ops.BatchNorm)
        and any(isinstance(other.op, ops.BatchNorm) for other in part.steps)
    )


def _rides(step: Step) -> bool:
    return step.op.in_place and len(step.inputs) == 1


def _role(step: Step) -> str:
    if is_depthwise(step):
        return "depthwise"
    return "grouped" if isinstance(step.op, ops.Conv) and step.op.groups > 1 else ""


@dataclass(slots=True, eq=False)
class Inside:
    """What all blocks of one structure are inside.

    Attributes:
        badge: the letters that mark the blocks in the drawing.
        anatomies: of all these blocks, in order.
    """

    badge: str
    anatomies: list[Anatomy] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The block's class in emitted code, and the blocks nested in it."""
        scope = self.anatomies[0].scope
        return " + ".join([scope.title, *(inner.title for inner in _nested(scope))])

    @property
    def about(self) -> str:
        """One sentence on it."""
        scope = self.anatomies[0].scope
        return scope.summary or (scope.block.__doc__ or "").strip().splitlines()[0]

    @property
    def parts(self) -> list[Part]:
        """The parts of the first of the blocks."""
        return self.anatomies[0].parts

    @property
    def result(self) -> int:
        """The part whose value the blocks give."""
        return self.anatomies[0].result

    @property
    def times(self) -> str:
        """How often it occurs, where that is more than once."""
        return f"× {len(self.anatomies)}" if len(self.anatomies) > 1 else ""

    def is_a(self, position: int, *kinds: type[ops.Op]) -> bool:
        """Whether a part is named after one of these ops."""
        main = self.parts[position].main if position >= 0 else None
        return main is not None and isinstance(main.op, kinds)

    def lines(self, position: int) -> tuple[str, str, str]:
        """What is written on a part: what comes before its main op, that op, and what follows.

        The first or the last may be empty. Where there is no main op, all is in the middle.
        """
        part = self.parts[position]
        if not part.steps:
            return "", self._input_label(position), ""
        texts = [label(uses) for uses in self._uses(position)]
        at = next((i for i, step in enumerate(part.steps) if step is part.main), None)
        if at is None:
            return "", ", ".join(texts), ""
        return ", ".join(texts[:at]), texts[at], ", ".join(texts[at + 1 :])

    def tooltip(self, position: int) -> str:
        """The names that the ops of a part have in emitted code, or their words."""
        return ", ".join(step.label or words(step.op) for step in self.parts[position].steps)

    def _input_label(self, position: int) -> str:
        several = sum(not part.steps for part in self.parts) > 1
        return f"in {position + 1}" if several else "in"

    def _uses(self, position: int) -> Iterator[Sequence[Use]]:
        """For each op of a part, that op in each of the blocks."""
        for column in zip(*(a.parts[position].steps for a in self.anatomies), strict=True):
            yield [
                Use.within(a.scope, step) for a, step in zip(self.anatomies, column, strict=True)
            ]


def inside_graph(reads: Sequence[Sequence[int]], result: int) -> nx.DiGraph:
    """Parts by position, with what each reads and which gives the result, and the three other
    nodes.
    """
    import networkx as nx

    graph = nx.DiGraph()
    for position, sources in enumerate(reads):
        for source in sources or (START,):
            graph.add_edge(source, position)
    graph.add_edge(result, OUT)
    graph.add_edge(OUT, END)
    return graph


def _nested(scope: Scope) -> Iterator[Scope]:
    for item in scope.body:
        if isinstance(item, Scope):
            yield item
            yield from _nested(item)


def insides(anatomies: Sequence[Anatomy]) -> list[Inside | None]:
    """For each of a network's blocks what it is inside; None for simple ones."""
    found: dict[Structure, Inside] = {}
    result: list[Inside | None] = []
    for whole in anatomies:
        if whole.is_simple:
            result.append(None)
            continue
        inside = found.setdefault(whole.structure, Inside(_letters(len(found))))
        inside.anatomies.append(whole)
        result.append(inside)
    return result


def _letters(number: int) -> str:
    """A, B, ..., Z, AA, AB, ..."""
    rest, letter = divmod(number, 26)
    return (_letters(rest - 1) if rest else "") + chr(ord("A") + letter)
