"""A made-up space of cells: operations on the edges between four nodes, and how many and wide."""

from __future__ import annotations

import random
from collections.abc import Mapping
from math import log
from typing import cast

import numpy as np

from benchmarks.tables_made import Accuracy, standardized
from dse.search.domain import Decisions, Domain
from dse.space import Categorical, Choice, Integer, Scalar

_EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
_WORK = {"none": 0.0, "skip": 0.0, "pool": 0.02, "conv1": 0.2, "conv3": 1.0}
_PASSES = {"none": 0.0, "skip": 0.35, "pool": 0.3, "conv1": 0.7, "conv3": 1.0}


class CellsDomain:
    """Cells under a limit of MACs: five operations on each of six edges, width and depth.

    What does not fit is repaired by drawing one decision after the other anew.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._choices: dict[str, Choice] = {
            f"edge{index}": Categorical(tuple(_WORK)) for index in range(len(_EDGES))
        }
        self._choices |= {"width": Categorical((8, 16, 24, 32, 48)), "depth": Integer(1, 5)}

    def choices(self) -> Mapping[str, Choice]:
        return self._choices

    def random(self, rng: random.Random) -> Decisions:
        """Each point that fits is equally likely."""
        while True:
            point = {name: choice.sample(rng) for name, choice in self._choices.items()}
            if self.costs(point)["macs"] <= self._limit:
                return point

    def repair(self, wishes: Mapping[str, Scalar], rng: random.Random) -> Decisions:
        point = {
            name: wishes[name] if name in wishes else choice.sample(rng)
            for name, choice in self._choices.items()
        }
        while self.costs(point)["macs"] > self._limit:
            name = rng.choice([*point])
            point[name] = self._choices[name].sample(rng)
        return point

    def costs(self, decisions: Mapping[str, Scalar]) -> Mapping[str, float]:
        work = sum(_WORK[operation] for operation in _operations(decisions))
        size = cast(int, decisions["width"]) ** 2 * cast(int, decisions["depth"])
        return {"macs": 1e4 * size * (work + 0.1), "params": 30 * size * (work + 0.3)}


def cells_landscape(domain: Domain, seed: int) -> Accuracy:
    """An accuracy for every cell, of mean 0 and deviation 1 among those that fit.

    What flows from the first node to the last counts, over how many convolutions, size, and a
    little of what single edges and equal operations do. A cell that nothing flows through is far
    below all others.
    """
    draws = np.random.default_rng(seed)
    single = [dict(zip(_WORK, draws.normal(0, 0.15, len(_WORK)), strict=True)) for _ in _EDGES]
    equal = draws.normal(0, 0.1, (len(_EDGES), len(_EDGES)))

    def raw(point: Mapping[str, Scalar]) -> float:
        operations = _operations(point)
        flow, longest = [1.0, 0.0, 0.0, 0.0], [0.0] * 4
        for (start, end), operation in zip(_EDGES, operations, strict=True):
            if operation != "none" and flow[start]:
                flow[end] += 0.6 * flow[start] * _PASSES[operation]
                step = 1.0 if operation.startswith("conv") else 0.2
                longest[end] = max(longest[end], longest[start] + step)
        if not flow[-1]:
            return -4.0
        own = sum(single[index][operation] for index, operation in enumerate(operations))
        own += sum(
            equal[a, b]
            for a in range(len(_EDGES))
            for b in range(a)
            if operations[a] == operations[b]
        )
        width, depth = cast(int, point["width"]), cast(int, point["depth"])
        uneven = (log(width / 24) - 0.3 * (depth - 3)) ** 2
        size = 0.5 * log(width) + 0.3 * log(depth) - 0.15 * uneven
        return float(1.2 * log(1 + 3 * flow[-1]) + 0.4 * longest[-1] + own + size)

    return standardized(raw, domain, seed, 300)


def _operations(point: Mapping[str, Scalar]) -> list[str]:
    return [str(point[f"edge{index}"]) for index in range(len(_EDGES))]
