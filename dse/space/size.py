"""How many decision vectors a space has, counted without listing them.

The count walks all ways through the document at once: two ways that have come to the same place,
with the same earlier decisions still mattering, have the same number of continuations. That makes
it exact also where named decisions are shared between places and where decisions hang on others.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from dse.space.agenda import Agenda, Agendas, item_holes, outcomes, value_holes
from dse.space.choices import Choice, Scalar
from dse.space.template import (
    BlockItem,
    BlockTemplate,
    ChoiceItem,
    GroupItem,
    Listing,
    Pick,
    Scope,
    Table,
    Template,
    Value,
)

_MAX_STATES = 60_000


@dataclass(frozen=True, slots=True)
class Size:
    """The number of decision vectors; infinite with a continuous range.

    Attributes:
        count: the number, or an upper bound.
        exact: False if named decisions are shared so widely that only the bound could be found.
    """

    count: float | int
    exact: bool = True

    def __str__(self) -> str:
        if self.count == inf:
            return "infinite"
        text = f"{self.count:,}" if self.count < 10**9 else f"{self.count:.2e}"
        return text if self.exact else f"at most {text}"


class _TooMany(Exception):
    pass


def size(template: Template) -> Size:
    """Count the decision vectors of a template."""
    counter = _Counter(template)
    try:
        return Size(counter.count())
    except (_TooMany, RecursionError):
        return Size(counter.bound(), exact=False)


Known = dict[str, Scalar]
_Options = tuple[tuple[Scalar, float | int], ...]
"""Options of a decision, each with the number of options that it stands for."""


def _classes(choice: Choice, branching: frozenset[Scalar]) -> _Options:
    """The options that lead to different holes, and one for all those that lead to none."""
    count = choice.count()
    weight = inf if count is None else count - len(branching)
    alike = next((value for value in choice.values() if value not in branching), None)
    others = () if alike is None else ((alike, weight),)
    return (*[(value, 1) for value in choice.values() if value in branching], *others)


class _Counter:
    def __init__(self, template: Template) -> None:
        self._template = template
        self._agendas = Agendas()
        self._memo: dict[tuple[object, ...], float | int] = {}
        holes = [pair for item in template.items for pair in item_holes(item, template.top)]
        holes += value_holes(template.scale, template.top)
        self._choices = {hole.name(scope): hole.choice for hole, scope in holes}
        branching: dict[str, frozenset[Scalar]] = {}
        for hole, scope in holes:
            name = hole.name(scope)
            branching[name] = branching.get(name, frozenset()) | hole.branches
        self._classes = {name: _classes(self._choices[name], branching[name]) for name in branching}

    def count(self) -> float | int:
        start = self._agendas.push(self._template.items, self._template.top, None)
        return self._values([self._template.scale], self._template.top, {}, start)

    def _values(
        self, values: list[Value], scope: Scope, known: Known, agenda: Agenda | None
    ) -> float | int:
        """Ways to close `values` one after the other and then to follow the agenda."""
        if not values:
            return self._follow(agenda, known)
        first, *rest = values
        match first:
            case Pick() | Table():
                name = first.hole.name(scope)
                total: float | int = 0
                for option, weight in self._options(name, known):
                    then = [first.values[option], *rest] if isinstance(first, Table) else rest
                    total += weight * self._values(then, scope, {**known, name: option}, agenda)
                return total
            case Listing():
                return self._values([*first.values, *rest], scope, known, agenda)
            case BlockTemplate():
                return self._values([*first.parts, *rest], scope, known, agenda)
        return self._values(rest, scope, known, agenda)

    def _options(self, name: str, known: Known) -> _Options:
        return ((known[name], 1),) if name in known else self._classes[name]

    def _follow(self, agenda: Agenda | None, known: Known) -> float | int:
        if agenda is None:
            return 1
        relevant = {name: value for name, value in known.items() if name in agenda.names}
        key = (id(agenda), frozenset(relevant.items()))
        count = self._memo.get(key)
        if count is None:
            if len(self._memo) >= _MAX_STATES:
                raise _TooMany
            count = self._memo[key] = self._visit(agenda, relevant)
        return count

    def _visit(self, agenda: Agenda, known: Known) -> float | int:
        item, scope, rest = agenda.item, agenda.scope, agenda.rest
        if agenda.done:
            return self._follow(rest, known)
        if isinstance(item, ChoiceItem):
            name = item.hole.name(scope)
            return sum(
                weight
                * self._follow(
                    self._agendas.push(item.candidates[label], scope, rest), {**known, name: label}
                )
                for label, weight in self._options(name, known)
            )
        if item.repeat is None:
            if isinstance(item, GroupItem):
                return self._follow(self._agendas.push_group(item, scope, None, rest), known)
            return self._values([item.block], scope, known, rest)
        total: float | int = 0
        for made, count in outcomes(item.repeat, scope, known):
            then = {**known, **made}
            if isinstance(item, GroupItem):
                inner = self._agendas.push_group(item, scope, int(count), rest)
                total += self._follow(inner, then)
            else:
                total += self._values(_copies(item, int(count)), scope, then, rest)
        return total

    def bound(self) -> float | int:
        """The product over all names: what the count cannot exceed, conditions and repeats left
        aside.
        """
        total: float | int = 1
        for choice in self._choices.values():
            count = choice.count()
            if count is None:
                return inf
            total *= count
        return total


def _copies(item: BlockItem, count: int) -> list[Value]:
    """The templates whose holes are met when a block is repeated."""
    if count == 0:
        return []
    return [item.first] if count == 1 or item.first is item.block else [item.first, item.block]
