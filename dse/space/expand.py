"""The walk: from the compiled document to decisions and placed blocks, asking at each hole it
meets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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

IMAGE = 0
"""The number of the image among the values that blocks read; those that they make count from 1."""


class Placed(NamedTuple):
    """A block in its place, or a stage of `copies` blocks (-1: no stage), not built yet.

    `first` and `values` close the templates of the first copy and of the others.
    """

    name: str
    copies: int
    item: BlockItem
    first: tuple[Any, ...]
    values: tuple[Any, ...]


class Walk:
    """One pass over a template.

    Attributes:
        decisions: every decision met, in order.
        placed: the blocks in order.
        reads: for each of them the numbers of the values that it reads.
        chain: whether every block reads just the one before it.
    """

    __slots__ = (
        "_ask",
        "_current",
        "_firm",
        "_given",
        "_named",
        "_title",
        "chain",
        "decisions",
        "placed",
        "reads",
    )

    def __init__(
        self,
        title: str,
        ask: Decide,
        given: Mapping[str, Scalar] | None = None,
        *,
        firm: bool = True,
    ) -> None:
        """`given` are looked into before asking; unless they are `firm`, those that are none of the
        choice's values are passed over.
        """
        self._title = title
        self._ask = ask
        self._given: Mapping[str, Scalar] = {} if given is None else given
        self._firm = firm
        self._named: dict[tuple[Scope, str], int] = {}
        self._current = IMAGE
        self.decisions: dict[str, Scalar] = {}
        self.placed: list[Placed] = []
        self.reads: list[tuple[int, ...]] = []
        self.chain = True

    def run(self, template: Template) -> float:
        """Walk the whole template; returns the width multiplier.

        Raises:
            InvalidDesign: an answer is none of its choice's values, or `inputs` name a node that
                these decisions left out.
        """
        alpha = float(self.value(template.scale, template.top))
        self._items(template.items, template.top)
        return alpha

    def decide(self, hole: Hole, scope: Scope) -> Scalar:
        """The decision at a hole: the one made before under its name, or a new one."""
        name = scope.holes + hole.text if hole.local else hole.text
        known = self.decisions.get(name)
        if known is not None:
            return known
        answer: object = self._given.get(name)
        value = None if answer is None else _accepted(hole, answer)
        if value is None:
            if answer is None or not self._firm:
                answer = self._ask(name, hole.choice)
                value = _accepted(hole, answer)
            if value is None:
                raise InvalidDesign(f"{self._title}: {name} is {hole.choice}; got {answer!r}")
        self.decisions[name] = value
        return value

    def value(self, value: Value, scope: Scope) -> Any:
        """A value with its holes closed; a nested block is the pair of its template and values."""
        while isinstance(value, Table):
            value = value.values[self.decide(value.hole, scope)]
        if isinstance(value, Pick):
            return self.decide(value.hole, scope)
        if isinstance(value, Const):
            return value.value
        if isinstance(value, BlockTemplate):
            return value, self._closed(value, scope)
        return tuple([self.value(item, scope) for item in value.values])

    def _closed(self, template: BlockTemplate, scope: Scope) -> tuple[Any, ...]:
        parts = template.parts
        return tuple([self.value(part, scope) for part in parts]) if parts else ()

    def _items(self, items: tuple[Item, ...], scope: Scope) -> None:
        for item in items:
            if isinstance(item, BlockItem):
                self._block(item, scope)
            elif isinstance(item, ChoiceItem):
                if item.inputs:
                    self._current = self._find(item.inputs[0], scope)
                self._items(item.candidates[self.decide(item.hole, scope)], scope)
            else:
                self._group(item, scope)

    def _group(self, item: GroupItem, scope: Scope) -> None:
        if item.inputs:
            self._current = self._find(item.inputs[0], scope)
        if item.repeat is None:
            self._items(item.items, scope.within(item, 0))
        else:
            for number in range(1, self.value(item.repeat, scope) + 1):
                self._items(item.items, scope.within(item, number))
        if item.anchor:
            self._named[scope, item.name] = self._current

    def _block(self, item: BlockItem, scope: Scope) -> None:
        copies = -1 if item.repeat is None else self.value(item.repeat, scope)
        if item.inputs:
            reads = tuple([self._find(name, scope) for name in item.inputs])
        else:
            reads = (self._current,)
        if copies == 0 or item.block.cls is Identity:
            self._current = reads[0]  # nothing is placed: the name stands for what comes in
        else:
            first = self._closed(item.first, scope)
            values = self._closed(item.block, scope) if copies > 1 else first
            if len(reads) > 1 or reads[0] != len(self.placed):
                self.chain = False
            self.placed.append(Placed(scope.nodes + item.name, copies, item, first, values))
            self.reads.append(reads)
            self._current = len(self.placed)
        if item.anchor:
            self._named[scope, item.name] = self._current

    def _find(self, name: str, scope: Scope) -> int:
        """The value a name stands for: in this scope, or the nearest around it that has one."""
        place: Scope | None = scope
        while place is not None:
            position = self._named.get((place, name))
            if position is not None:
                return position
            place = place.parent
        raise InvalidDesign(
            f"{self._title}: with these decisions there is no node {name!r} to be read"
        )


def _accepted(hole: Hole, answer: object) -> Scalar | None:
    # Answers are mostly the very objects that the choice offers; others are looked at closely.
    value = hole.offered.get(id(answer))
    return value if value is answer else hole.choice.accept(answer)
