"""The cheapest way to turn one network into another by editing, adding and removing blocks.

A minimum-cost alignment in the manner of Needleman and Wunsch (1970): O(nodes x nodes). Costs are
integers, so that sums compare exactly and an alignment is the same in both directions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log2

from dse.diff.fields import dissimilarity
from dse.diff.part import Part

_WITH_WEIGHTS, _WITHOUT_WEIGHTS, _NOTHING = 1000, 500, 100
"""What it costs to add or remove a block: one with weights, one without (a pool), one that computes
nothing (an identity).
"""

_OTHER_KIND = 0.7
"""The least share of removing and adding that it costs to put another kind in a block's place."""

_TIE = 1_000_000
"""Costs are multiples of this; the rest is left to what breaks ties."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """Which blocks of two networks stand for each other.

    Attributes:
        pairs: positions in the first and in the second network, both rising.
        cost: of all edits.
        most: what it would cost to remove the one network and add the other.
    """

    pairs: tuple[tuple[int, int], ...]
    cost: int
    most: int

    @property
    def distance(self) -> float:
        """From 0, equal block by block, to 1, nothing in common."""
        return self.cost / self.most


def align(a: Sequence[Part], b: Sequence[Part]) -> Alignment:
    """Align two networks at the least cost; names, stages and shapes decide between equals."""
    gaps_a, gaps_b = [gap(part) * _TIE for part in a], [gap(part) * _TIE for part in b]
    table = _Costs(a, b)
    best = [0]
    for cost in gaps_b:
        best.append(best[-1] + cost)
    # For each cell the last edit on the cheapest way to it: 0 pairs, 1 removes, 2 adds.
    moves = [bytearray([2]) * (len(b) + 1)]
    for i, remove in enumerate(gaps_a):
        row = table.row(i)
        now = [best[0] + remove]
        move = bytearray([1]) * (len(b) + 1)
        for j, add in enumerate(gaps_b):
            pair, least = row[j], best[j + 1] + remove
            if now[j] + add < least:
                least, move[j + 1] = now[j] + add, 2
            if pair is not None and best[j] + pair <= least:
                least, move[j + 1] = best[j] + pair, 0
            now.append(least)
        best = now
        moves.append(move)
    pairs = []
    i, j = len(a), len(b)
    while i or j:
        match moves[i][j]:
            case 0:
                i, j = i - 1, j - 1
                pairs.append((i, j))
            case 1:
                i -= 1
            case _:
                j -= 1
    most = (sum(gaps_a) + sum(gaps_b)) // _TIE
    return Alignment(tuple(reversed(pairs)), best[-1] // _TIE, most)


def least_distance(a: Sequence[Part], b: Sequence[Part]) -> float:
    """What the distance of two networks cannot fall below: from how many blocks of each kind they
    have, without aligning them.
    """
    surplus: Counter[str] = Counter()
    for part in a:
        surplus[part.block.kind] += gap(part)
    most = sum(surplus.values())
    for part in b:
        surplus[part.block.kind] -= gap(part)
        most += gap(part)
    return int(_OTHER_KIND * sum(map(abs, surplus.values()))) / most


def gap(part: Part) -> int:
    """What it costs to add or remove a block."""
    steps = list(part.scope.steps())
    if any(step.op.counts for step in steps):
        return _WITH_WEIGHTS
    return _WITHOUT_WEIGHTS if steps else _NOTHING


class _Costs:
    """What it costs to put a block of `b` in the place of one of `a`: a table, a row at a time.

    Networks repeat their blocks, so each two blocks are weighed once.
    """

    def __init__(self, a: Sequence[Part], b: Sequence[Part]) -> None:
        self._a, self._b = a, b
        self._known: dict[tuple[int, int], int | None] = {}
        numbers: dict[object, int] = {}
        self._numbers_a, self._numbers_b = (
            [
                numbers.setdefault((part.block, part.inputs, part.output), len(numbers))
                for part in side
            ]
            for side in (a, b)
        )

    def row(self, i: int) -> list[int | None]:
        """The costs of a block of `a` against all of `b`; None where it cannot take the place."""
        number, name, stage = self._numbers_a[i], self._a[i].name, self._a[i].stage
        row: list[int | None] = []
        for other, part in zip(self._numbers_b, self._b, strict=True):
            try:
                cost = self._known[number, other]
            except KeyError:
                cost = self._known[number, other] = _replacement(self._a[i], part)
            if cost is not None and name != part.name:
                cost += 2 if stage == part.stage else 3
            row.append(cost)
        return row


def _replacement(a: Part, b: Part) -> int | None:
    """What it costs to put one block in the place of another, names aside."""
    if a.block.kind == b.block.kind:
        apart = _same_kind(a, b)
    elif _role(a) == _role(b) and (_is_weighted(a) == _is_weighted(b) or _keep_channels(a, b)):
        apart = _other_kind(a, b)
    else:
        return None
    one, other = gap(a), gap(b)
    edit = abs(one - other) + round(2 * min(one, other) * apart)
    return edit * _TIE + (4 if a.output != b.output else 0)


def _same_kind(a: Part, b: Part) -> float:
    """As a share of removing and adding: 0 if they compute the same at the same place, at most 1.

    Fields make up to 0.6 of it; 0.2 is for shrinking maps where the other does not, as the first
    block of a stage does, and 0.04 for each power of 2 between their resolutions.
    """
    moved = 0.04 * min(5, abs(a.reduction - b.reduction))
    if a.shrinks != b.shrinks:
        moved += 0.2
    apart = dissimilarity(a.block, b.block)
    if not apart or (a.inputs == b.inputs and a.program == b.program):
        return moved
    return moved + 0.05 + 0.55 * apart / (1 + apart)


def _other_kind(a: Part, b: Part) -> float:
    """As a share of removing and adding: more where another number of channels comes out."""
    return _OTHER_KIND + 0.2 * min(1.0, abs(log2(a.output[0]) - log2(b.output[0])) / 3)


def _role(part: Part) -> tuple[int, ...]:
    """What a block is for: how many maps or vectors it reads and gives, and at which resolution.

    Only for the same role can blocks of two kinds stand for each other.
    """
    ranks = len(part.inputs), len(part.inputs[0]), len(part.output)
    return (*ranks, part.reduction, part.shrinks)


def _is_weighted(part: Part) -> bool:
    return gap(part) == _WITH_WEIGHTS


def _keep_channels(*parts: Part) -> bool:
    """Whether all give as many channels as they take: as a pool may become a strided convolution,
    but not a classifier.
    """
    return all(part.inputs[0][0] == part.output[0] for part in parts)
