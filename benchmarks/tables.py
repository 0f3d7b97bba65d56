"""Tables of measured designs as domains: every proposal is a row."""

from __future__ import annotations

import csv
import os
import random
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from dse.search.domain import Decisions, Exhausted
from dse.space import Categorical, Choice, Integer, Scalar

MNASNET = "accel-nasbench_mnasnet_imagenet.csv"


class TableDomain:
    """The rows of a table that fit.

    Wishes are repaired to the row that is nearest among those that fit: numbers differ by the
    levels between them, labels differ or do not.
    """

    def __init__(
        self,
        choices: Mapping[str, Choice],
        rows: Sequence[Decisions],
        costs: Mapping[str, np.ndarray],
        fits: np.ndarray,
    ) -> None:
        self._choices = dict(choices)
        self._rows = rows
        self._costs = {name: np.asarray(column, dtype=float) for name, column in costs.items()}
        self._number = {self._key(row): number for number, row in reversed([*enumerate(rows)])}
        self._fitting = np.flatnonzero(fits)
        if not len(self._fitting):
            raise Exhausted
        self._levels = {
            name: {v: i for i, v in enumerate(c.values())} for name, c in choices.items()
        }
        self._codes = {
            name: np.array([self._levels[name][rows[i][name]] for i in self._fitting])
            for name in choices
        }

    def choices(self) -> Mapping[str, Choice]:
        return self._choices

    def random(self, rng: random.Random) -> Decisions:
        return dict(self._rows[rng.choice(self._fitting)])

    def repair(self, wishes: Mapping[str, Scalar], rng: random.Random) -> Decisions:
        apart = np.zeros(len(self._fitting))
        for name, value in wishes.items():
            levels = self._levels[name]
            off = np.abs(self._codes[name] - levels[value])
            ordered = not isinstance(value, str | bool)
            apart += off / max(len(levels) - 1, 1) if ordered else off > 0
        nearest = np.flatnonzero(apart <= apart.min() + 1e-9)
        return dict(self._rows[self._fitting[rng.choice(nearest)]])

    def costs(self, decisions: Mapping[str, Scalar]) -> Mapping[str, float]:
        number = self.number(decisions)
        return {name: float(column[number]) for name, column in self._costs.items()}

    def number(self, decisions: Mapping[str, Scalar]) -> int:
        """Which row these decisions are."""
        return self._number[self._key(decisions)]

    def rows(self) -> np.ndarray:
        """The numbers of the rows that fit."""
        return self._fitting

    def _key(self, decisions: Mapping[str, Scalar]) -> tuple[Scalar, ...]:
        return tuple(decisions[name] for name in self._choices)


class Mnasnet:
    """The MnasNet designs that Accel-NASBench measured on ImageNet."""

    def __init__(self) -> None:
        with open(_path(), newline="", encoding="utf-8") as file:
            self._table = list(csv.DictReader(file))
        names = [name for name in self._table[0] if name.startswith("block")]
        self.rows: list[Decisions] = [
            {name: int(row[name]) for name in names} for row in self._table
        ]
        self.choices: dict[str, Choice] = {}
        for name in names:
            values = sorted({int(row[name]) for row in self._table})
            steps = values == list(range(values[0], values[-1] + 1))
            self.choices[name] = (
                Integer(values[0], values[-1]) if steps else Categorical(tuple(values))
            )
        self.costs = {"macs": self.column("mmacs") * 1e6, "params": self.column("mparams") * 1e6}

    def column(self, name: str) -> np.ndarray:
        """A column as numbers; a blank is not a number."""
        return np.array([float(row[name] or "nan") for row in self._table])

    def under(self, fits: np.ndarray) -> TableDomain:
        """The rows that fit."""
        return TableDomain(self.choices, self.rows, self.costs, fits)


def _path() -> Path:
    folder = os.environ.get("DSE_BENCH")
    if folder is None and "DSE_DATA" in os.environ:
        folder = os.path.join(os.environ["DSE_DATA"], "..", "bench")
    if folder is None or not (Path(folder) / MNASNET).exists():
        sys.exit(f"error: no {MNASNET}; set DSE_BENCH to the folder that holds it")
    return Path(folder) / MNASNET
