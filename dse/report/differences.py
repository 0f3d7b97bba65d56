"""What makes a design differ from the paper's network that it is nearest to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from dse.blocks.base import Block
from dse.diff import Diff, Row, diff, nearest_preset
from dse.errors import DseError
from dse.network import Network
from dse.report.wording import plain


@dataclass(frozen=True)
class Line:
    """A block that differs, or several that are the same: `status` as in `dse.diff.Row`."""

    status: str
    blocks: str
    what: str
    params: int
    macs: int


@dataclass(frozen=True)
class Differences:
    """From a preset to a design.

    Attributes:
        preset: its label.
        distance: cost of the edits, from 0 (the same network) to 1 (nothing in common).
        params: what the design has more.
        macs: what the design has more.
        lines: block by block; none if they are the same network.
    """

    preset: str
    distance: float
    params: int
    macs: int
    lines: tuple[Line, ...]


def differences(network: Network) -> Differences | None:
    """What separates a design from the nearest preset; None if no preset takes its images."""
    try:
        nearest = nearest_preset(network)
    except DseError:
        return None
    found = diff(nearest.network, network)
    return Differences(
        nearest.label, nearest.distance, found.params, found.macs, tuple(_lines(found))
    )


def _lines(found: Diff) -> Iterator[Line]:
    """Differences one a line, blocks that are the same folded; none if nothing differs."""
    if not found:
        return
    for status, group in groupby(found.rows, key=lambda row: row.status):
        rows = list(group)
        if status == "same":
            blocks = _name(rows[0]) if len(rows) == 1 else f"{_name(rows[0])} to {_name(rows[-1])}"
            yield Line("same", blocks, "as in the preset", 0, 0)
        else:
            yield from (
                Line(row.status, _name(row), _what(row), row.params, row.macs) for row in rows
            )


def _name(row: Row) -> str:
    names = [node.name for node in (row.a, row.b) if node is not None]
    return names[0] if len(set(names)) == 1 else " → ".join(names)


def _what(row: Row) -> str:
    if row.a is None and row.b is not None:
        return _told(row.b.block)
    if row.b is None and row.a is not None:
        return _told(row.a.block)
    return ", ".join(
        f"{change.field.replace('_', ' ')} {_value(change.old)} → {_value(change.new)}"
        for change in row.changes
    )


def _told(block: Block) -> str:
    """A block in words: its kind, and the fields it sets."""
    (facts,) = block.document().values()
    fields = ", ".join(f"{key.replace('_', ' ')} {_value(value)}" for key, value in facts.items())
    return f"{block.kind.replace('_', ' ')}{': ' if fields else ''}{fields}"


def _value(value: Any) -> str:
    return "none" if value is None else plain(value)
