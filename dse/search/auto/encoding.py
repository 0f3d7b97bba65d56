"""Points as numbers."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import inf, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.space import Categorical, Choice, Scalar, is_ordered

Floats = NDArray[np.float64]
Key = tuple[bytes, tuple[Scalar | None, ...]]

_LEVELS = 16
"""Levels told apart in a range that has more values, or infinitely many."""


class Encoding:
    """Codes whose squared distance, within the columns of one decision, says from 0 to 1 how far
    apart two points are in it.

    Labels differ or do not. Numbers are levels, coded as a thermometer: as far apart as there are
    levels between them. A decision that a point does not have lies in the middle of its values.

    Attributes:
        owner: the index of each column's decision.
    """

    def __init__(self, choices: Mapping[str, Choice]) -> None:
        codes = [_code(choice) for choice in choices.values()]
        self._levels = dict(zip(choices, enumerate(codes), strict=True))
        self.owner = np.repeat(np.arange(len(codes)), [code.rows.shape[1] for code in codes])
        # Every entry of every code in one line; a column knows where its own begin, level by level.
        columns = [np.hstack([column, 0.0]) for code in codes for column in code.rows.T]
        self._entries = np.concatenate(columns) if columns else np.zeros(1)
        self._starts = np.cumsum([0, *map(len, columns)])[: len(columns)]
        self._absent = [len(code.rows) for code in codes]
        self._finer = [name for name, choice in choices.items() if _is_finer(choice)]

    def levels(self, point: Mapping[str, Scalar]) -> list[int]:
        """Which level each decision is at; one past the last where a point has no such decision."""
        row = self._absent.copy()
        for name, value in point.items():
            known = self._levels.get(name)
            if known is not None:  # else it is none of the domain's
                number, code = known
                row[number] = code[value]
        return row

    def key(self, point: Mapping[str, Scalar], levels: Sequence[int]) -> Key:
        """What two points share only if they are the same; `levels` are the point's."""
        # Bytes remember their hash: keys are looked up by the thousand.
        return array("H", levels).tobytes(), tuple([point.get(name) for name in self._finer])

    def codes(self, levels: Sequence[Sequence[int]]) -> Floats:
        """One row per point, from its levels."""
        return np.asarray(self._entries[self._starts + np.array(levels, np.intp)[:, self.owner]])


class _Code(dict[Scalar, int]):
    """The columns of one decision: which of its rows are the values' seen so far.

    Attributes:
        rows: the code of each level.
    """

    rows: Floats

    def __missing__(self, value: Scalar) -> int:
        found = self[value] = self._find(value)
        return found

    def _find(self, value: Any) -> int:
        raise NotImplementedError


class _Labels(_Code):
    """A column for each label."""

    def __init__(self, labels: Sequence[Scalar]) -> None:
        super().__init__()
        self.rows = np.eye(len(labels)) * 0.5**0.5
        self._labels = list(labels)

    def _find(self, value: Scalar) -> int:
        return self._labels.index(value)


class _Levels(_Code):
    """A column for each step between two levels: whether the value lies above it."""

    def __init__(self, values: Sequence[float], *, logarithmic: bool) -> None:
        super().__init__()
        marks = [log(value) for value in values] if logarithmic else list(values)
        self._steps = [(a + b) / 2 for a, b in pairwise(marks)] or [inf]
        count = len(self._steps)
        above = np.arange(count) < np.arange(count + 1)[:, None]
        self.rows = np.where(above, 0.5, -0.5) / count**0.5
        self._log = logarithmic

    def _find(self, value: float) -> int:
        return bisect_left(self._steps, log(value) if self._log else value)


def _code(choice: Choice) -> _Code:
    if isinstance(choice, Categorical):
        if not is_ordered(choice):
            return _Labels(choice.options)
        return _Levels(sorted(map(float, choice.options)), logarithmic=False)
    if not _is_finer(choice):
        return _Levels([float(value) for value in choice.values()], logarithmic=choice.log)
    if choice.log:
        levels = np.geomspace(choice.low, choice.high, _LEVELS)
    else:
        levels = np.linspace(choice.low, choice.high, _LEVELS)
    return _Levels(levels.tolist(), logarithmic=choice.log)


def _is_finer(choice: Choice) -> bool:
    """Whether values are told apart that have the same level."""
    return not isinstance(choice, Categorical) and (choice.count() or _LEVELS + 1) > _LEVELS
