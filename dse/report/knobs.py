"""The decisions that the papers are about: width, spatial reduction, pooling, attention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dse.report.learned import DecisionRow

_WORDS = {
    "α, the width": ("alpha",),
    "δ, the depth": ("delta",),
    "pooling": ("pool", "downsample", "map", "pyramid"),
    "attention": ("attention", "se", "eca", "cbam", "reduction"),
}
"""By what words in their names decisions are known."""
_MOST = 24
"""How many knobs there are at most."""
_SHOWN = 6
"""How many decisions of one kind are drawn together, the most important first."""


@dataclass(frozen=True)
class Knob:
    """Decisions that are looked at by themselves."""

    name: str
    decisions: tuple[DecisionRow, ...]


def knobs(decisions: Sequence[DecisionRow]) -> list[Knob]:
    """The papers' own knobs as far as the space has them, then other decisions, each alone; the
    most important first.
    """
    found, met = [], set()
    for name, words in _WORDS.items():
        chosen = [row for row in decisions if row.name not in met and _is_about(row.name, words)]
        met |= {row.name for row in chosen}
        if chosen:
            found.append(Knob(name, tuple(chosen[:_SHOWN])))
    rest = [row for row in decisions if row.name not in met]
    return (found + [Knob(row.name, (row,)) for row in rest])[:_MOST]


def _is_about(name: str, words: Sequence[str]) -> bool:
    return not set(words).isdisjoint(name.replace("_", ".").split("."))
