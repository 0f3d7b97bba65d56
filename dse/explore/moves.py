"""Steps through a space that are taken again and again, each worked out once.

What a step comes to hangs on the point it starts from and on the decisions that its one item reads:
moves of a slider have nearly all of their steps in common.
"""

from __future__ import annotations

from collections.abc import Iterator

from dse.cost import Cost
from dse.errors import InvalidDesign
from dse.space import Decisions, Space
from dse.space.agenda import Agenda, value_holes
from dse.space.steps import Point
from dse.space.template import BlockItem, ChoiceItem, Scope, Value

_MAX_KEPT = 200_000


class Moves:
    """The steps of one space; see `dse.space.steps.Steps.advance`."""

    def __init__(self, space: Space) -> None:
        self._steps = space.steps
        self._scale = tuple(_names([space.template.scale], space.template.top))
        self._reads: dict[Agenda, tuple[str, ...]] = {}
        self._known: dict[tuple[object, ...], tuple[Point, Cost] | str] = {}

    def advance(self, at: Point, known: Decisions) -> tuple[Point, Cost]:
        """The point after the item at hand, and what the item costs; `known` has all decisions that
        the item may read.

        Raises:
            InvalidDesign: as `Steps.advance`.
        """
        key = (at, *[known[name] for name in self._read_by(at)])
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _MAX_KEPT:
                self._known.clear()
            try:
                found = self._steps.advance(at, known)
            except InvalidDesign as error:
                found = str(error)
            self._known[key] = found
        if isinstance(found, str):
            raise InvalidDesign(found)
        return found

    def _read_by(self, at: Point) -> tuple[str, ...]:
        if at.alpha is None:
            return self._scale
        assert at.agenda is not None
        names = self._reads.get(at.agenda)
        if names is None:
            names = self._reads[at.agenda] = tuple(dict.fromkeys(_of_item(at.agenda)))
        return names


def _of_item(agenda: Agenda) -> Iterator[str]:
    item, scope = agenda.item, agenda.scope
    if agenda.done:
        return
    if isinstance(item, ChoiceItem):
        yield item.hole.name(scope)
        return
    values = [] if item.repeat is None else [item.repeat]
    if isinstance(item, BlockItem):
        values += [item.first, item.block]
    yield from _names(values, scope)


def _names(values: list[Value], scope: Scope) -> Iterator[str]:
    for value in values:
        for hole, inner in value_holes(value, scope):
            yield hole.name(inner)
