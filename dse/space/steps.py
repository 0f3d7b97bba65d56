"""A walk in steps: where it stands, which decision it asks next, what each block adds to the cost.

A whole walk tells the cost of a whole design. This one can stop anywhere, and two walks that have
come to the same point are at the same object: what may follow, and what it costs, is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from dse.blocks import Identity
from dse.cost import FLOAT_BYTES, Cost
from dse.errors import InvalidDesign
from dse.ir import Shape
from dse.network import check_scores
from dse.space.agenda import Agenda, Agendas
from dse.space.choices import Scalar
from dse.space.expand import Placed
from dse.space.template import (
    BlockItem,
    BlockTemplate,
    ChoiceItem,
    Const,
    GroupItem,
    Hole,
    Item,
    Listing,
    Pick,
    Scope,
    Table,
    Value,
)

if TYPE_CHECKING:
    from dse.space.space import Space

Known = Mapping[str, Scalar]

NOTHING = Cost(0, 0, 0, 0)


class Point(NamedTuple):
    """Where a walk stands.

    Attributes:
        agenda: what is left to visit; None at the end.
        alpha: the width multiplier; None before it is decided.
        values: the shapes of the values that may still be read, the current one first.
        named: names of values that may still be read, with the scope of the name and the position
            among `values`.
        begun: whether a block was placed; until then all values are the image, which nobody but the
            first block may read.
    """

    agenda: Agenda | None
    alpha: float | None
    values: tuple[Shape, ...]
    named: tuple[tuple[Scope, str, int], ...]
    begun: bool = False


class Steps:
    """Steps through the template of one space, for its images and classes."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.agendas = Agendas()
        self._template = space.template
        self._binder = space.binder
        first = self.agendas.push(self._template.items, self._template.top, None)
        self.start = Point(first, None, (space.input,), ())
        self._read: dict[Agenda, frozenset[str]] = {}

    def open(self, at: Point, known: Known) -> tuple[str, Hole] | None:
        """The next decision that is asked here, given those `known`; None if there is no more."""
        if at.alpha is None:
            return _open(self._template.scale, self._template.top, known)
        assert at.agenda is not None
        item, scope = at.agenda.item, at.agenda.scope
        if at.agenda.done:
            return None
        if isinstance(item, ChoiceItem):
            name = item.hole.name(scope)
            return None if name in known else (name, item.hole)
        found = None if item.repeat is None else _open(item.repeat, scope, known)
        if found is not None or isinstance(item, GroupItem):
            return found
        copies = 1 if item.repeat is None else int(_closed(item.repeat, scope, known))
        if copies == 0 or item.block.cls is Identity:
            return None
        found = _first_open(item.first.parts, scope, known)
        if found is None and copies > 1:
            found = _first_open(item.block.parts, scope, known)
        return found

    def advance(self, at: Point, known: Known) -> tuple[Point, Cost]:
        """The point after the item at hand, whose decisions are all `known`, and what it costs.

        Where values are kept beside the main path, for as long as some way on may read them, the
        memory is an upper bound; all else is exact.

        Raises:
            InvalidDesign: the block does not fit its inputs, there is no value to be read, or the
                last block makes no scores.
        """
        if at.alpha is None:
            alpha = float(_closed(self._template.scale, self._template.top, known))
            return at._replace(alpha=alpha), self._binder.start
        assert at.agenda is not None
        item, scope, rest = at.agenda.item, at.agenda.scope, at.agenda.rest
        if at.agenda.done:
            return self._moved(at, rest, anchor=(scope, item)), NOTHING
        if isinstance(item, BlockItem):
            return self._block(at, item, scope, known)
        if isinstance(item, ChoiceItem):
            chosen = item.candidates[known[item.hole.name(scope)]]
            rest = self.agendas.push(chosen, scope, rest)
        else:
            count = None if item.repeat is None else int(_closed(item.repeat, scope, known))
            rest = self.agendas.push_group(item, scope, count, rest)
        if item.inputs:
            at = _at(at, self._find(at, item.inputs[0], scope))
        return self._moved(at, rest), NOTHING

    # -- parts

    def _block(self, at: Point, item: BlockItem, scope: Scope, known: Known) -> tuple[Point, Cost]:
        assert at.agenda is not None
        assert at.alpha is not None
        copies = -1 if item.repeat is None else int(_closed(item.repeat, scope, known))
        reads = tuple([self._find(at, name, scope) for name in item.inputs]) or (0,)
        rest = at.agenda.rest
        anchor = (scope, item) if item.anchor else None
        if copies == 0 or item.block.cls is Identity:
            return self._moved(_at(at, reads[0]), rest, anchor), NOTHING
        first = _all_closed(item.first, scope, known)
        values = _all_closed(item.block, scope, known) if copies > 1 else first
        placed = Placed(scope.nodes + item.name, copies, item, first, values)
        later = self._readable(rest)
        kept = {position for _, name, position in at.named if name in later}
        shapes = tuple([at.values[read] for read in reads])
        dies = tuple([read not in kept for read in reads])
        stage = self._binder.stage(placed, at.alpha, (), shapes, dies)
        spent = stage.cost
        beside = sum([prod(at.values[other]) for other in kept.difference(reads)])
        if beside:
            peak = spent.peak_activation_bytes + FLOAT_BYTES * beside
            spent = Cost(spent.params, spent.buffers, spent.macs, peak, spent.latency_ms)
        if stage.nodes:
            if not at.begun and len(reads) > 1:
                raise InvalidDesign(f"{self.space.name}: the first node reads the image once")
            kept_names = at.named if at.begun else ()
            at = at._replace(
                values=(stage.output, *at.values),
                named=tuple([(where, name, position + 1) for where, name, position in kept_names]),
                begun=True,
            )
        else:
            at = _at(at, reads[0])
        return self._moved(at, rest, anchor), spent

    def _moved(
        self,
        at: Point,
        rest: Agenda | None,
        anchor: tuple[Scope, Item] | None = None,
    ) -> Point:
        """The point with `rest` left to do; `anchor` names the current value. Values that nobody
        can read any more are forgotten.
        """
        named = at.named
        if anchor is not None:
            scope, item = anchor
            assert not isinstance(item, ChoiceItem)
            others = [entry for entry in named if entry[:2] != (scope, item.name)]
            named = (*others, (scope, item.name, 0))
        if rest is None:
            try:
                check_scores(at.values[0], self.space.classes, "the last node")
            except InvalidDesign as error:
                raise InvalidDesign(f"{self.space.name}: {error}") from None
        if not named:
            return Point(rest, at.alpha, at.values[:1], (), at.begun)
        readable = self._readable(rest)
        named = tuple([entry for entry in named if entry[1] in readable])
        used = sorted({0, *(position for _, _, position in named)})
        place = {position: new for new, position in enumerate(used)}
        return Point(
            rest,
            at.alpha,
            tuple([at.values[position] for position in used]),
            tuple([(scope, name, place[position]) for scope, name, position in named]),
            at.begun,
        )

    def _find(self, at: Point, name: str, scope: Scope) -> int:
        """The position of the value that a name stands for, in this scope or around it."""
        place: Scope | None = scope
        while place is not None:
            for where, other, position in at.named:
                if where is place and other == name:
                    return position
            place = place.parent
        raise InvalidDesign(f"{self.space.name}: there is no node {name!r} to be read")

    def _readable(self, agenda: Agenda | None) -> frozenset[str]:
        """Names that the agenda may read."""
        if agenda is None:
            return frozenset()
        names = self._read.get(agenda)
        if names is None:
            names = self._readable(agenda.rest)
            if not agenda.done:
                names |= _inputs(agenda.item)
            self._read[agenda] = names
        return names


def _at(at: Point, position: int) -> Point:
    """The point whose current value is the one at `position`."""
    if position == 0:
        return at
    return at._replace(
        values=(at.values[position], *at.values),
        named=tuple([(where, name, number + 1) for where, name, number in at.named]),
    )


def _inputs(item: Item) -> frozenset[str]:
    names = frozenset(item.inputs)
    if isinstance(item, ChoiceItem):
        inner = [part for candidate in item.candidates.values() for part in candidate]
    else:
        inner = list(item.items) if isinstance(item, GroupItem) else []
    return names.union(*map(_inputs, inner))


def _first_open(values: tuple[Value, ...], scope: Scope, known: Known) -> tuple[str, Hole] | None:
    for value in values:
        found = _open(value, scope, known)
        if found is not None:
            return found
    return None


def _open(value: Value, scope: Scope, known: Known) -> tuple[str, Hole] | None:
    """The first hole of a value that is not known."""
    match value:
        case Pick() | Table():
            name = value.hole.name(scope)
            if name not in known:
                return name, value.hole
            if isinstance(value, Table):
                return _open(value.values[known[name]], scope, known)
        case Listing():
            return _first_open(value.values, scope, known)
        case BlockTemplate():
            return _first_open(value.parts, scope, known)
    return None


def _closed(value: Value, scope: Scope, known: Known) -> Any:
    """A value with its holes closed, as a walk gives it."""
    match value:
        case Const():
            return value.value
        case Pick():
            return known[value.hole.name(scope)]
        case Table():
            return _closed(value.values[known[value.hole.name(scope)]], scope, known)
        case Listing():
            return tuple([_closed(part, scope, known) for part in value.values])
        case BlockTemplate():
            return value, _all_closed(value, scope, known)


def _all_closed(template: BlockTemplate, scope: Scope, known: Known) -> tuple[Any, ...]:
    return tuple([_closed(part, scope, known) for part in template.parts])
