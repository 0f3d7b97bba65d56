"""Points as numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from math import inf, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.space import Categorical, Choice, Scalar, is_ordered

Floats = NDArray[np.float64]

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
        codes = {name: _code(choice) for name, choice in choices.items()}
        widths = [code.width for code in codes.values()]
        edges = [0, *accumulate(widths)]
        self._columns = {
            name: (code, slice(*edge))
            for (name, code), edge in zip(codes.items(), pairwise(edges), strict=True)
        }
        self.owner = np.repeat(np.arange(len(widths)), widths)

    def encode(self, points: Sequence[Mapping[str, Scalar]]) -> Floats:
        """One row per point."""
        # A point has few of the decisions of a large space; the others' columns stay zero.
        rows = np.zeros((len(points), len(self.owner)))
        for row, point in zip(rows, points, strict=True):
            for name, value in point.items():
                if name in self._columns:
                    code, columns = self._columns[name]
                    row[columns] = code.of(value)
        return rows


class _Code:
    """The columns of one decision.

    Attributes:
        width: how many they are.
    """

    width: int

    def __init__(self) -> None:
        self._known: dict[Scalar, list[float]] = {}

    def of(self, value: Scalar) -> list[float]:
        """The code of a value."""
        found = self._known.get(value)
        if found is None:
            found = self._known[value] = self._row(value)
        return found

    def _row(self, value: Any) -> list[float]:
        raise NotImplementedError


class _Labels(_Code):
    """A column for each label."""

    def __init__(self, labels: Sequence[Scalar]) -> None:
        super().__init__()
        self.width = len(labels)
        self._labels = labels

    def _row(self, value: Scalar) -> list[float]:
        return [0.5**0.5 if label == value else 0.0 for label in self._labels]


class _Levels(_Code):
    """A column for each step between two levels: whether the value lies above it."""

    def __init__(self, values: Sequence[float], *, logarithmic: bool) -> None:
        super().__init__()
        self.width = max(len(values) - 1, 1)
        marks = [log(value) for value in values] if logarithmic else list(values)
        self._steps = [(a + b) / 2 for a, b in pairwise(marks)] or [inf]
        self._log = logarithmic

    def _row(self, value: float) -> list[float]:
        mark = log(value) if self._log else value
        height = 0.5 / self.width**0.5
        return [height if mark > step else -height for step in self._steps]


def _code(choice: Choice) -> _Code:
    if isinstance(choice, Categorical):
        if not is_ordered(choice):
            return _Labels(choice.options)
        return _Levels(sorted(map(float, choice.options)), logarithmic=False)
    count = choice.count()
    if count is not None and count <= _LEVELS:
        return _Levels([float(value) for value in choice.values()], logarithmic=choice.log)
    if choice.log:
        levels = np.geomspace(choice.low, choice.high, _LEVELS)
    else:
        levels = np.linspace(choice.low, choice.high, _LEVELS)
    return _Levels(levels.tolist(), logarithmic=choice.log)
