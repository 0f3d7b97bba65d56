"""A made-up space of networks with made-up accuracies: several kinds of landscape, many of each."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from math import log
from typing import cast

import numpy as np

from dse.search.domain import Decisions, Domain, Exhausted
from dse.space import Categorical, Choice, Integer, Scalar

_STAGES = 6
_HIDDEN = 12
_PLAIN = {"plain": 1.0, "bottleneck": 0.45}
Accuracy = Callable[[Mapping[str, Scalar]], float]
"""What a point is worth."""
LANDSCAPES = ("additive", "interactions", "pairs", "peak", "deceptive", "mixed", "neural")


class StagesDomain:
    """Networks of six stages under a limit of MACs; a stage has an expansion if it is depthwise.

    What does not fit is repaired by lowering numbers at random, one level at a time.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._choices: dict[str, Choice] = {}
        for s in range(_STAGES):
            self._choices |= {
                f"width{s}": Integer(8, 64, step=8),
                f"depth{s}": Integer(1, 4),
                f"kernel{s}": Categorical((3, 5, 7)),
                f"kind{s}": Categorical((*_PLAIN, "depthwise")),
                f"expansion{s}": Integer(1, 6),
                f"attention{s}": Categorical((False, True)),
            }

    def choices(self) -> Mapping[str, Choice]:
        return self._choices

    def random(self, rng: random.Random) -> Decisions:
        return self.repair({}, rng)

    def repair(self, wishes: Mapping[str, Scalar], rng: random.Random) -> Decisions:
        point: Decisions = {}
        for name, choice in self._choices.items():
            if name.startswith("expansion") and point[f"kind{name[-1]}"] != "depthwise":
                continue
            point[name] = wishes[name] if name in wishes else choice.sample(rng)
        while self.costs(point)["macs"] > self._limit:
            lower = {name: self._lower(name, value) for name, value in point.items()}
            smaller = [name for name, value in lower.items() if value is not None]
            if not smaller:
                raise Exhausted
            name = rng.choice(smaller)
            point[name] = cast(Scalar, lower[name])
        return point

    def costs(self, decisions: Mapping[str, Scalar]) -> Mapping[str, float]:
        sizes = list(self._sizes(cast("Mapping[str, int]", decisions)))
        macs = sum(size * 4.0 ** (-0.7 * s) for s, size in enumerate(sizes)) * 1e4
        return {"macs": macs, "params": sum(sizes)}

    def _sizes(self, point: Mapping[str, int]) -> Iterator[float]:
        """Parameters, stage by stage."""
        before = 16
        for s in range(_STAGES):
            width, deeper = point[f"width{s}"] * 2 ** (s // 2), point[f"depth{s}"] - 1
            window = point[f"kernel{s}"] ** 2
            kind = str(point[f"kind{s}"])
            if kind == "depthwise":
                first = before * (before + window + width)
                size = point[f"expansion{s}"] * (first + deeper * width * (2 * width + window))
                yield size + width * width / 4 * point[f"attention{s}"]
            else:
                size = _PLAIN[kind] * window * (before * width + deeper * width * width)
                yield size + width * width / 4 * point[f"attention{s}"]
            before = width

    def _lower(self, name: str, value: Scalar) -> Scalar | None:
        """The level below a number, if there is one."""
        levels = self._choices[name].values()
        place = list(levels).index(value)
        return levels[place - 1] if place and not isinstance(value, str | bool) else None


def landscape(kind: str, domain: Domain, seed: int) -> Accuracy:
    """An accuracy for every point, of mean about 0 and deviation about 1 among those that fit.

    Args:
        kind: ``additive``: every decision by itself, and size; ``interactions``: also pairs of
            decisions and a penalty on widths that do not grow evenly; ``pairs``: pairs alone, size
            says nothing; ``peak``: best at some middle levels, flat far from them; ``deceptive``:
            smaller is better, but for a rare combination; ``mixed``: decisions by themselves and in
            pairs, and size; ``neural``: a random network of one hidden layer that reads all
            decisions, and size. `interactions` is for stages alone.
        domain: the space.
        seed: of its coefficients.
    """
    raw = _raw(kind, domain, np.random.default_rng([seed, LANDSCAPES.index(kind)]))
    return standardized(raw, domain, seed, 200)


def standardized(raw: Accuracy, domain: Domain, seed: int, count: int) -> Accuracy:
    """The same of mean 0 and deviation 1 among so many random points that fit."""
    rng = random.Random(seed)
    sample = [raw(domain.random(rng)) for _ in range(count)]
    mean, deviation = float(np.mean(sample)), float(np.std(sample))
    return lambda point: (raw(point) - mean) / deviation


def _raw(kind: str, domain: Domain, rng: np.random.Generator) -> Accuracy:
    choices = domain.choices()
    levels = {name: list(choice.values()) for name, choice in choices.items()}
    weight = {name: rng.gamma(0.6) for name in choices}
    label = {name: rng.normal(size=len(values)) for name, values in levels.items()}
    bend = {name: rng.uniform(0.3, 2.0) for name in choices}
    names = list(choices)
    pairs = []
    for _ in range(40):
        a, b = (names[i] for i in rng.choice(len(names), 2, replace=False))
        effect = rng.normal(size=(len(levels[a]), len(levels[b]))) * rng.gamma(0.8)
        pairs.append((a, b, effect))
    target = {name: int(rng.integers(len(values))) for name, values in levels.items()}
    reads = {
        name: rng.gamma(0.5) * rng.normal(size=(len(values), _HIDDEN))
        if isinstance(choices[name], Categorical)
        else rng.gamma(0.5) * np.outer(np.linspace(-1, 1, len(values)), rng.normal(size=_HIDDEN))
        for name, values in levels.items()
    }
    out = rng.normal(size=_HIDDEN)

    def accuracy(point: Mapping[str, Scalar]) -> float:
        place = {name: levels[name].index(value) for name, value in point.items()}
        part = {name: i / max(len(levels[name]) - 1, 1) for name, i in place.items()}
        single = sum(
            weight[name]
            * (
                label[name][place[name]] / 2
                if isinstance(choices[name], Categorical)
                else part[name] ** bend[name]
            )
            for name in point
        )
        paired = sum(e[place[a], place[b]] for a, b, e in pairs if a in place and b in place)
        size = log(domain.costs(point)["params"])
        if kind == "additive":
            return float(4 * single + 3 * size)
        if kind == "interactions":
            widths = [cast(int, point[f"width{s}"]) for s in range(_STAGES)]
            uneven = sum((log(b / a) - 0.3) ** 2 for a, b in pairwise(widths))
            return float(2 * single + 2 * paired + 3 * size - 2 * uneven)
        if kind == "mixed":
            return float(2 * single + 2 * paired + 3 * size)
        if kind == "pairs":
            return float(paired)
        if kind == "neural":
            hidden = sum(reads[name][place[name]] for name in point) / len(point) ** 0.5
            return float(np.tanh(1.5 * hidden) @ out + 1.5 * size)
        if kind == "peak":
            off = sum(
                weight[name] * (part[name] - target[name] / (len(levels[name]) - 1)) ** 2
                for name in point
            )
            return float(90 * np.exp(-off / 3) + 0.3 * size)
        hits = sum(place[name] == target[name] for name in list(point)[:12]) / 12
        return float(2 * single - 3 * size + 25 * max(0.0, hits - 0.5) + paired)

    return accuracy
