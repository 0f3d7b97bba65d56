"""Two blocks of one kind, field by field: what differs, and how far apart they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import log2
from typing import Any

from dse.blocks.base import Block

_WIDE = 3
"""Octaves after which two widths count as unrelated."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that two blocks (or networks) do not share.

    Attributes:
        field: of the block, with a dot into a nested one, ``attention.reduction``; else ``kind``,
            ``input`` (shapes), ``classes`` or ``reads`` (names of nodes).
        old: what the first has, as JSON has it.
        new: what the second has.
    """

    field: str
    old: Any
    new: Any

    def document(self) -> dict[str, Any]:
        """The change as `dse diff --json` prints it."""
        return {"field": self.field, "old": self.old, "new": self.new}


def changed_fields(a: Block, b: Block, place: str = "") -> Iterator[Change]:
    """The fields in which two blocks of one kind differ, in the order the block has them."""
    for name in type(a).model_fields:
        old, new = getattr(a, name), getattr(b, name)
        if old == new:
            continue
        if isinstance(old, Block) and isinstance(new, Block) and old.kind == new.kind:
            yield from changed_fields(old, new, f"{place}{name}.")
        else:
            yield Change(place + name, _plain(old), _plain(new))


def _plain(value: Any) -> Any:
    """A field's value as JSON has it."""
    if isinstance(value, Block):
        return value.document()
    return list(value) if isinstance(value, tuple) else value


def dissimilarity(a: Block, b: Block) -> float:
    """How far apart two blocks of one kind are: 0 if equal, 1 and more for each unrelated field."""
    if a == b:
        return 0.0
    widths = type(a).widths()
    return sum(
        _apart(getattr(a, name), getattr(b, name), _WIDE if name in widths else 1)
        for name in type(a).model_fields
    )


def _apart(old: Any, new: Any, octaves: int) -> float:
    """Two values of a field, from 0 to 1; numbers by their ratio, up to 2 to the `octaves`."""
    if old == new:
        return 0.0
    if isinstance(old, Block) and isinstance(new, Block) and old.kind == new.kind:
        return min(1.0, dissimilarity(old, new))
    if _is_size(old) and _is_size(new):
        return min(1.0, abs(log2(old) - log2(new)) / octaves)
    return 1.0


def _is_size(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0
