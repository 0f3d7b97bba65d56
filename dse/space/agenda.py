"""What is left to visit of a template, as linked lists: shared by `locate` and `size`.

Both explore many ways through a template and need to know when two ways have come to the same
point. Agendas are interned, so that being at the same point is being the same object.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dse.space.choices import Scalar
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

Decisions = Mapping[str, Scalar]


class Agenda:
    """An item to visit in a scope, and the agenda after it. `names` are the decisions it may still
    meet.

    With `done`, the item is a group that has just been left.
    """

    __slots__ = ("done", "item", "names", "rest", "scope")

    def __init__(
        self, item: Item, scope: Scope, rest: Agenda | None, names: frozenset[str], done: bool
    ) -> None:
        self.item = item
        self.scope = scope
        self.rest = rest
        self.names = names
        self.done = done


class Agendas:
    """Makes agendas; equal ones are the same object."""

    def __init__(self) -> None:
        self._made: dict[tuple[Item, Scope, int, bool], Agenda] = {}
        self._names: dict[tuple[Item, Scope], frozenset[str]] = {}

    def push(self, items: tuple[Item, ...], scope: Scope, rest: Agenda | None) -> Agenda | None:
        """The agenda of `items` and then `rest`."""
        for item in reversed(items):
            rest = self._make(item, scope, rest, False)
        return rest

    def push_group(
        self, group: GroupItem, scope: Scope, count: int | None, rest: Agenda | None
    ) -> Agenda | None:
        """The agenda of a group's repetitions (None: not repeated), a note that it is done, then
        `rest`.
        """
        if group.anchor:
            rest = self._make(group, scope, rest, True)
        numbers = [0] if count is None else range(count, 0, -1)
        for number in numbers:
            rest = self.push(group.items, scope.within(group, number), rest)
        return rest

    def _make(self, item: Item, scope: Scope, rest: Agenda | None, done: bool) -> Agenda:
        key = (item, scope, id(rest), done)
        agenda = self._made.get(key)
        if agenda is None:
            names = frozenset() if done else self._names_of(item, scope)
            if rest is not None:
                names |= rest.names
            agenda = self._made[key] = Agenda(item, scope, rest, names, done)
        return agenda

    def _names_of(self, item: Item, scope: Scope) -> frozenset[str]:
        names = self._names.get((item, scope))
        if names is None:
            names = frozenset(hole.name(inner) for hole, inner in item_holes(item, scope))
            self._names[item, scope] = names
        return names


# -- every hole there is ---------------------------------------------------------------------------


def value_holes(value: Value, scope: Scope) -> Iterator[tuple[Hole, Scope]]:
    """The holes of a value, in the order in which a walk meets them, all candidates included."""
    match value:
        case Pick():
            yield value.hole, scope
        case Table():
            yield value.hole, scope
            for candidate in value.values.values():
                yield from value_holes(candidate, scope)
        case Listing():
            for part in value.values:
                yield from value_holes(part, scope)
        case BlockTemplate():
            for part in value.parts:
                yield from value_holes(part, scope)


def item_holes(item: Item, scope: Scope) -> Iterator[tuple[Hole, Scope]]:
    """The holes of a node in a scope; of a group, those of all repetitions that it may have."""
    match item:
        case BlockItem():
            if item.repeat is not None:
                yield from value_holes(item.repeat, scope)
            yield from value_holes(item.first, scope)
            if item.first is not item.block:
                yield from value_holes(item.block, scope)
        case ChoiceItem():
            yield item.hole, scope
            for candidate in item.candidates.values():
                for inner in candidate:
                    yield from item_holes(inner, scope)
        case GroupItem():
            numbers = range(1)
            if item.repeat is not None:
                yield from value_holes(item.repeat, scope)
                numbers = range(1, most(item.repeat) + 1)
            for number in numbers:
                for inner in item.items:
                    yield from item_holes(inner, scope.within(item, number))


def most(repeat: Value) -> int:
    """The largest number a repeat can be."""
    match repeat:
        case Const():
            return int(repeat.value)
        case Pick():
            return int(max(repeat.hole.choice.values()))
        case Table():
            return max(most(value) for value in repeat.values.values())
    raise TypeError(f"no repeat: {repeat}")


# -- the ways to close a value ---------------------------------------------------------------------


def outcomes(
    value: Value, scope: Scope, known: Decisions
) -> Iterator[tuple[dict[str, Scalar], Any]]:
    """Every way to close a value's holes, given the decisions `known`: the new decisions, and the
    value as a walk gives it.
    """
    match value:
        case Const():
            yield {}, value.value
        case Pick() | Table():
            name = value.hole.name(scope)
            options = (known[name],) if name in known else value.hole.choice.values()
            for option in options:
                made: dict[str, Scalar] = {} if name in known else {name: option}
                if isinstance(value, Pick):
                    yield made, option
                else:
                    inner = {**known, name: option}
                    for more, result in outcomes(value.values[option], scope, inner):
                        yield {**made, **more}, result
        case Listing():
            yield from _joint_outcomes(value.values, scope, known)
        case BlockTemplate():
            for made, values in _joint_outcomes(value.parts, scope, known):
                yield made, (value, values)


def _joint_outcomes(
    values: tuple[Value, ...], scope: Scope, known: Decisions
) -> Iterator[tuple[dict[str, Scalar], tuple[Any, ...]]]:
    """Every way to close several values one after the other."""
    if not values:
        yield {}, ()
        return
    for made, value in outcomes(values[0], scope, known):
        for more, others in _joint_outcomes(values[1:], scope, {**known, **made}):
            yield {**made, **more}, (value, *others)
