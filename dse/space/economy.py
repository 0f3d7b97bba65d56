"""Which options a cheapest design may take, found at the places that random walks come to.

In a space of 40 decisions a design, most options can be left aside when the cheapest way on is
looked for: at every place tried they cost no less than another and leave no smaller map. Of options
that cost the same everywhere, as activations do, one stands for all.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import gcd, prod
from typing import TYPE_CHECKING

from dse.cost import Cost
from dse.errors import InvalidDesign
from dse.ir import Shape
from dse.space.agenda import item_holes, value_holes
from dse.space.choices import Categorical, Choice, Scalar
from dse.space.steps import Known, Point, Steps
from dse.space.template import BlockItem, ChoiceItem, GroupItem, Hole, Item, Scope, Template

if TYPE_CHECKING:
    from dse.space.space import Space

_WALKS = 24
"""Random walks; their blocks are the places where options are compared."""
_PLACES = 3
"""As many places for each block of the document are enough."""
_MANY = 16
"""Options of a range of numbers, above which its ends stand for it."""
_FULL = 20_000
"""Decision vectors of a space in which no option need be left aside."""
_BLOCK = 8
"""Channels that processors take at once, or 16: multiples of 8 do well by either."""

_Key = tuple[str, bool, str]
"""A hole wherever it stands: its text, whether its name is local, its options."""
_Spent = tuple[Shape, Cost]


@dataclass(frozen=True)
class Economy:
    """The options worth trying where the cheapest way on is looked for.

    Attributes:
        exact: whether every option is among them.
        options: those worth trying, by the name of the decision.
        neutral: decisions that change no cost.
        repeats: the most that groups can be repeated, by the name of the decision.
    """

    exact: bool
    options: Mapping[str, tuple[Scalar, ...]]
    neutral: frozenset[str]
    repeats: Mapping[str, Scalar]


def ends(choice: Choice) -> tuple[Scalar, ...]:
    """All options of a choice, or of a long range of numbers its ends."""
    if isinstance(choice, Categorical):
        return choice.options
    count = choice.count()
    if count is None or count > _MANY:
        return (choice.low, choice.high)
    return tuple(choice.values())


def find_economy(steps: Steps) -> Economy:
    """Compare the options of a space; small spaces keep all of theirs."""
    template, choices = steps.space.template, steps.space.choices()
    options = {name: ends(choice) for name, choice in choices.items()}
    listed = all(len(options[name]) == choice.count() for name, choice in choices.items())
    if listed and prod(map(len, options.values())) <= _FULL:
        return Economy(True, options, frozenset(), {})
    structural = dict(_structural(template))
    no_worse = {**_compared(steps, set(structural)), **_scales_compared(steps.space)}
    neutral, repeats = set(), dict[str, Scalar]()
    for hole, scope in _holes(template):
        name, key = hole.name(scope), _key(hole)
        if structural.get(key):
            options[name] = structural[key]
            repeats[name] = max(hole.choice.values())
        elif key in no_worse and key not in structural:
            worse = no_worse[key]
            options[name] = _kept(worse)
            if all(len(others) == len(worse) for others in worse.values()):
                neutral.add(name)
    return Economy(False, options, frozenset(neutral), repeats)


def _holes(template: Template) -> Iterator[tuple[Hole, Scope]]:
    yield from value_holes(template.scale, template.top)
    for item in template.items:
        yield from item_holes(item, template.top)


_NoWorse = dict[Scalar, set[Scalar]]
"""For each option those that at every place tried were no worse, itself among them."""


def _kept(no_worse: _NoWorse) -> tuple[Scalar, ...]:
    """Options without those that another is better than; of equal ones the first."""
    kept: list[Scalar] = []
    for option, others in no_worse.items():
        better = [other for other in others if option not in no_worse[other]]
        if not better and not any(other in others for other in kept):
            kept.append(option)
    return tuple(kept)


def _structural(template: Template) -> Iterator[tuple[_Key, tuple[Scalar, ...]]]:
    """Holes that decide what stands there: their options cannot be compared in one place.

    Of the numbers of a group's repetitions the two lowest stand for all.
    """
    pending: list[Item] = list(template.items)
    while pending:
        item = pending.pop()
        if isinstance(item, ChoiceItem):
            if not _is_leaf(item):
                yield _key(item.hole), ()
            pending += [part for candidate in item.candidates.values() for part in candidate]
        elif isinstance(item, GroupItem):
            pending += item.items
            if item.repeat is not None:
                for hole, _ in value_holes(item.repeat, Scope()):
                    few = hole.choice.count() and sorted(hole.choice.values())[:2]
                    yield _key(hole), tuple(few or ())


def _is_leaf(item: ChoiceItem) -> bool:
    """Whether each candidate is a block or nothing, so that it can be compared."""
    return not item.inputs and all(
        len(candidate) <= 1 and all(_is_plain(part) for part in candidate)
        for candidate in item.candidates.values()
    )


def _is_plain(item: Item) -> bool:
    return isinstance(item, BlockItem) and not item.inputs and not item.anchor


def _compared(steps: Steps, structural: set[_Key]) -> dict[_Key, _NoWorse]:
    """Try every option at some places of random walks."""
    found: dict[_Key, _NoWorse] = {}
    seen: dict[Item, int] = {}
    rng = random.Random(0)
    for _ in range(_WALKS):
        for at, known, holes in _walk(steps, rng):
            assert at.agenda is not None
            item = at.agenda.item
            seen[item] = seen.get(item, 0) + 1
            if seen[item] > _PLACES:
                continue
            for name, hole in holes:
                if _key(hole) not in structural:
                    _compare(steps, at, known, name, hole, found)
    return found


def _scales_compared(space: Space) -> dict[_Key, _NoWorse]:
    """Compare width multipliers by whole designs: no block shows alone what they change."""
    found: dict[_Key, _NoWorse] = {}
    rng = random.Random(0)
    for hole, scope in value_holes(space.template.scale, space.template.top):
        name, options = hole.name(scope), ends(hole.choice)
        no_worse = found[_key(hole)] = {option: set(options) for option in options}
        for _ in range(_WALKS):
            decisions = space.complete({}, rng)
            results: dict[Scalar, _Spent | None] = {}
            for option in options:
                try:
                    results[option] = space.input, space.cost({**decisions, name: option})
                except InvalidDesign:
                    results[option] = None
            _note(results, no_worse)
    return found


def _walk(
    steps: Steps, rng: random.Random
) -> Iterator[tuple[Point, dict[str, Scalar], list[tuple[str, Hole]]]]:
    """The blocks and choices of one random walk, each with what is known after it and its holes."""
    at, known = steps.start, dict[str, Scalar]()
    while at.alpha is None or at.agenda is not None:
        asked = steps.open(at, known)
        while asked is not None:
            known[asked[0]] = asked[1].choice.sample(rng)
            asked = steps.open(at, known)
        if at.alpha is not None and at.agenda is not None and not at.agenda.done:
            item = at.agenda.item
            if isinstance(item, BlockItem) or (isinstance(item, ChoiceItem) and _is_leaf(item)):
                holes = {hole.name(scope): hole for hole, scope in _own_holes(item, at)}
                yield at, known, [(n, hole) for n, hole in holes.items() if n in known]
        try:
            at, _ = steps.advance(at, known)
        except InvalidDesign:
            return


def _own_holes(item: Item, at: Point) -> Iterator[tuple[Hole, Scope]]:
    assert at.agenda is not None
    if isinstance(item, ChoiceItem):
        yield item.hole, at.agenda.scope
    else:
        yield from item_holes(item, at.agenda.scope)


def _compare(
    steps: Steps, at: Point, known: Known, name: str, hole: Hole, found: dict[_Key, _NoWorse]
) -> None:
    """Note which options are no worse than which at this place."""
    options = ends(hole.choice)
    results: dict[Scalar, _Spent | None] = {}
    for option in options:
        results[option] = _outcome(steps, at, {**known, name: option})
    if not any(results.values()):
        return
    _note(results, found.setdefault(_key(hole), {option: set(options) for option in options}))


def _note(results: dict[Scalar, _Spent | None], no_worse: _NoWorse) -> None:
    """Note which options are no worse than which by these results."""
    for option, others in no_worse.items():
        others &= {other for other in results if _is_no_worse(results[other], results[option])}


def _outcome(steps: Steps, at: Point, known: Known) -> _Spent | None:
    """What comes out of the item at hand and what it costs, holes that open anew closed by their
    first options.
    """
    known = dict(known)
    try:
        asked = steps.open(at, known)
        while asked is not None:
            known[asked[0]] = ends(asked[1].choice)[0]
            asked = steps.open(at, known)
        assert at.agenda is not None
        leaf = isinstance(at.agenda.item, ChoiceItem)
        rest = at.agenda.rest
        after, spent = steps.advance(at, known)
        if leaf and after.agenda is not rest:
            return _outcome(steps, after, known)
        return after.values[0], spent
    except InvalidDesign:
        return None


def _is_no_worse(a: _Spent | None, b: _Spent | None) -> bool:
    if a is None or b is None:
        return b is None
    (shape, one), (other_shape, other) = a, b
    return (
        is_no_larger(shape, other_shape, timed=one.latency_ms is not None)
        and one.params <= other.params
        and one.buffers <= other.buffers
        and one.macs <= other.macs
        and one.peak_activation_bytes <= other.peak_activation_bytes
        and (one.latency_ms or 0) <= (other.latency_ms or 0)
    )


def is_no_larger(a: Shape, b: Shape, *, timed: bool) -> bool:
    """Whether what reads `a` costs no more than if it read `b`, in all likelihood.

    Where time counts, fewer channels have to fill blocks as well: processors take several at once,
    and what leaves some of a block idle may take longer than more that fills it.
    """
    return (
        len(a) == len(b)
        and all(mine <= its for mine, its in zip(a, b, strict=True))
        and not (timed and gcd(a[0], _BLOCK) < gcd(b[0], _BLOCK))
    )


def _key(hole: Hole) -> _Key:
    return hole.text, hole.local, repr(hole.choice)
