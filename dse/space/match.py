"""Matching one block against its template: with which decisions would the template become this
block?
"""

from __future__ import annotations

from typing import Any

from dse.blocks import Block
from dse.blocks.base import scale_width
from dse.space.agenda import Decisions
from dse.space.choices import Integer, Scalar
from dse.space.template import BlockTemplate, Const, Listing, Pick, Scope, Table, Value

Made = dict[str, Scalar]
"""Decisions newly made by a match."""

_MOST = 64
"""Ways to match that are followed up per block; more come only from ranges so fine that rounding
hides them.
"""


def match_block(
    template: BlockTemplate, block: Block, scope: Scope, known: Decisions, alpha: float
) -> list[Made]:
    """All ways to close the template's holes that give `block`, under the decisions `known`."""
    if type(block) is not template.cls:
        return []
    widths = template.cls.widths()
    ways: list[Made] = [{}]
    for name, value in template.fields.items():
        target = getattr(block, name)
        by = alpha if name in widths or isinstance(target, Block) else 1.0
        ways = [
            {**way, **more}
            for way in ways
            for more in _match(value, target, scope, {**known, **way} if way else known, by)
        ][:_MOST]
        if not ways:
            break
    return ways


def _match(value: Value, target: Any, scope: Scope, known: Decisions, alpha: float) -> list[Made]:
    match value:
        case Const():
            return [{}] if _gives(value.plain, target, alpha) else []
        case Pick():
            return _match_pick(value, target, scope, known, alpha)
        case Table():
            name = value.hole.name(scope)
            if name in known:
                return _match(value.values[known[name]], target, scope, known, alpha)
            return [
                {name: label, **more}
                for label, candidate in value.values.items()
                for more in _match(candidate, target, scope, {**known, name: label}, alpha)
            ]
        case BlockTemplate():
            return (
                match_block(value, target, scope, known, alpha) if isinstance(target, Block) else []
            )
        case Listing():
            return _match_listing(value, target, scope, known)


def _match_pick(
    pick: Pick, target: Any, scope: Scope, known: Decisions, alpha: float
) -> list[Made]:
    name, choice = pick.hole.name(scope), pick.hole.choice
    if name in known:
        return [{}] if _gives(pick.plain.get(known[name], known[name]), target, alpha) else []
    if pick.plain:
        return [
            {name: option} for option, plain in pick.plain.items() if _gives(plain, target, alpha)
        ]
    if alpha != 1 and isinstance(choice, Integer) and isinstance(target, int):
        near = choice.scaled_to(target, alpha)
        return [{name: value} for value in near if scale_width(value, alpha) == target]
    value = choice.accept(target)
    return [] if value is None else [{name: value}]


def _match_listing(listing: Listing, target: Any, scope: Scope, known: Decisions) -> list[Made]:
    if not isinstance(target, tuple | list) or len(target) != len(listing.values):
        return []
    ways: list[Made] = [{}]
    for value, part in zip(listing.values, target, strict=True):
        ways = [
            {**way, **more}
            for way in ways
            for more in _match(value, part, scope, {**known, **way}, 1.0)
        ]
    return ways[:_MOST]


def _gives(plain: Any, target: Any, alpha: float) -> bool:
    if alpha != 1 and isinstance(plain, int) and not isinstance(plain, bool):
        plain = scale_width(plain, alpha)
    return bool(plain == target)
