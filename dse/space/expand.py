"""The walk: from the compiled document to decisions and placed blocks, asking at each hole it meets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from dse.blocks import Identity
from dse.errors import InvalidDesign
from dse.space.choices import Choice, Scalar
from dse.space.template import (
    BlockItem,
    BlockTemplate,
    ChoiceItem,
    Const,
    GroupItem,
    Hole,
    Item,
    Pick,
    Scope,
    Table,
    Template,
    Value,
)

Decide = Callable[[str, Choice], object]
"""Answers a decision: takes its name and what it may become, returns one of that."""

IMAGE = -1
"""The position of the image among the values that blocks read."""


class Placed(NamedTuple):
    """A block in its place, not built yet: `copy` is its number in a stage, or -1; `reads` are positions."""

    name: str
    copy: int
    template: BlockTemplate
    values: tuple[Any, ...]
    reads: tuple[int, ...]


class Walk:
    """One pass over a template.

    Attributes:
        decisions: every decision met, in order.
        placed: the blocks in order.
    """

    __slots__ = ("_ask", "_current", "_named", "_title", "decisions", "placed")

    def __init__(self, title: str, ask: Decide) -> None:
        self._title = title
        self._ask = ask
        self.decisions: dict[str, Scalar] = {}
        self.placed: list[Placed] = []
        self._named: dict[tuple[Scope, str], int] = {}
        self._current = IMAGE

    def run(self, template: Template) -> float:
        """Walk the whole template; returns the width multiplier.

        Raises:
            InvalidDesign: an answer is none of its choice's values, or `inputs` name a node that these
                decisions left out.
        """
        alpha = float(self.value(template.scale, template.top))
        self._items(template.items, template.top)
        return alpha

    def decide(self, hole: Hole, scope: Scope) -> Scalar:
        """The decision at a hole: the one made before under its name, or a new one."""
        name = hole.name(scope)
        known = self.decisions.get(name)
        if known is not None:
            return known
        answer = self._ask(name, hole.choice)
        value = hole.choice.accept(answer)
        if value is None:
            raise InvalidDesign(f"{self._title}: {name} is {hole.choice}; got {answer!r}")
        self.decisions[name] = value
        return value

    def value(self, value: Value, scope: Scope) -> Any:
        """A value with its holes closed; a nested block is the pair of its template and its values."""
        kind = type(value)
        if kind is Const:
            return value.value  # type: ignore[union-attr]
        if kind is Pick:
            return self.decide(value.hole, scope)  # type: ignore[union-attr]
        if kind is Table:
            label = self.decide(value.hole, scope)  # type: ignore[union-attr]
            return self.value(value.values[label], scope)  # type: ignore[union-attr, index]
        if kind is BlockTemplate:
            return value, self._closed(value, scope)  # type: ignore[arg-type]
        return tuple([self.value(item, scope) for item in value.values])  # type: ignore[union-attr]

    def _closed(self, template: BlockTemplate, scope: Scope) -> tuple[Any, ...]:
        value = self.value
        return tuple([value(part, scope) for _, part in template.open])

    def _items(self, items: tuple[Item, ...], scope: Scope) -> None:
        for item in items:
            kind = type(item)
            if kind is BlockItem:
                self._block(item, scope)  # type: ignore[arg-type]
            elif kind is ChoiceItem:
                self._enter(item.inputs, scope)
                label = self.decide(item.hole, scope)  # type: ignore[union-attr]
                self._items(item.candidates[label], scope)  # type: ignore[union-attr]
            else:
                self._group(item, scope)  # type: ignore[arg-type]

    def _group(self, item: GroupItem, scope: Scope) -> None:
        self._enter(item.inputs, scope)
        if item.repeat is None:
            self._items(item.items, scope.within(item, 0))
        else:
            for number in range(1, self.value(item.repeat, scope) + 1):
                self._items(item.items, scope.within(item, number))
        if item.anchor:
            self._named[scope, item.name] = self._current

    def _block(self, item: BlockItem, scope: Scope) -> None:
        copies = -1 if item.repeat is None else self.value(item.repeat, scope)
        reads = tuple([self._find(name, scope) for name in item.inputs]) or (self._current,)
        name = scope.nodes + item.name
        placed = self.placed
        if copies == 0 or item.block.cls is Identity:
            self._current = reads[0]  # nothing is placed: the name stands for the value that comes in
        elif copies < 0:
            placed.append(Placed(name, -1, item.block, self._closed(item.block, scope), reads))
            self._current = len(placed) - 1
        else:
            placed.append(Placed(name, 0, item.first, self._closed(item.first, scope), reads))
            if copies > 1:
                values = self._closed(item.block, scope)
                for copy in range(1, copies):
                    before = (len(placed) - 1,)
                    placed.append(Placed(name, copy, item.block, values, before))
            self._current = len(placed) - 1
        if item.anchor:
            self._named[scope, item.name] = self._current

    def _enter(self, inputs: tuple[str, ...], scope: Scope) -> None:
        if inputs:
            self._current = self._find(inputs[0], scope)

    def _find(self, name: str, scope: Scope) -> int:
        """The value that a name stands for: in this scope, or the nearest around it that has one."""
        place: Scope | None = scope
        while place is not None:
            position = self._named.get((place, name))
            if position is not None:
                return position
            place = place.parent
        raise InvalidDesign(
            f"{self._title}: with these decisions there is no node {name!r} to be read"
        )
