"""Columns of designs in the making."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from dse.space.many.codes import UNDECIDED
from dse.space.many.lanes import Array

COSTS = ("params", "buffers", "macs", "peak_activation_bytes")
SHAPE = ("channels", "height", "width")
"""Height and width of a vector are 0."""


@dataclass
class Rows:
    """Designs in the making, a row each.

    Attributes:
        state: columns by name: those of `SHAPE` and `COSTS`, the number of the width multiplier,
            whether nothing stands yet, and what else a course keeps.
        known: decisions by name, as numbers of their options; -1 where not made.
    """

    state: dict[str, Array]
    known: dict[str, Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.state["channels"])

    def take(self, rows: Array) -> Rows:
        """Some of the rows, by number or mask."""
        if rows.dtype == bool:
            rows = np.flatnonzero(rows)
        return Rows(
            {name: column[rows] for name, column in self.state.items()},
            {name: column[rows] for name, column in self.known.items()},
        )

    def having(self, **columns: Array) -> Rows:
        """The rows with other columns."""
        return replace(self, state={**self.state, **columns})


def join(parts: Sequence[Rows]) -> Rows:
    """The rows of all parts."""
    filled = [part for part in parts if len(part)] or list(parts[:1])
    if len(filled) == 1:
        return filled[0]
    names = dict.fromkeys(name for part in filled for name in part.known)

    def column(part: Rows, name: str) -> Array:
        known = part.known.get(name)
        return np.full(len(part), UNDECIDED, np.int32) if known is None else known

    return Rows(
        {name: np.concatenate([p.state[name] for p in filled]) for name in filled[0].state},
        {name: np.concatenate([column(p, name) for p in filled]) for name in names},
    )
