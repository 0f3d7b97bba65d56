"""From kernels under the profiler to whole networks without it.

A kernel takes what its family's model says, without the profiler's own time, plus that of a call;
networks that were timed as a whole say by how much that is wrong, and for which kernels. Their
errors are sums over their kernels, each in proportion to its share of the time: a Gaussian process
over kernels of which only such sums were observed (an additive one), together with the constants of
a run and of a call, which are unknowns of the same linear system.

Everything here adds up over kernels, so that a network is the sum of its blocks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log

import numpy as np

from dse.latency.features import Array, Family, by_family, positions
from dse.latency.kernel import Kernel
from dse.latency.layout import Layout
from dse.latency.model import Guess
from dse.latency.process import nearness
from dse.latency.profile import NetworkTime
from dse.latency.sums import Sums

COVERED = 0.9
"""How often the measured time of a network lies within the interval of its prediction."""

_LEAST_US = 0.2
"""Of a kernel, once the profiler's own time is taken off."""

_BASE_US, _BASE_SPREAD = 15.0, 5.0
_CALL_US, _CALL_SPREAD = 0.7, 0.5
"""What the constants usually are, and how far from it: of a run; of a call of a kernel."""

_ALL, _FAMILY = 0.05, 0.05
"""How far, in relative terms, all kernels are usually off together; those of a family."""

_LENGTH = 2.0
"""How far in position two kernels lie that are still off alike."""

_SIZES = (0.03, 0.06, 0.12, 0.2)
_NOISES = (0.01, 0.02, 0.04)
"""Between these the networks choose, by likelihood: how far off, beyond that, such kernels are; and
what else there is in a network's time."""

_LEAST_DOUBT = 0.02
_LEAST_FACTOR = 0.2


@dataclass(frozen=True, slots=True)
class Part:
    """What a kernel or block adds to a network.

    Attributes:
        ms: its time.
        doubt_ms: how much of that is unsure: one standard deviation.
        unseen: kinds of kernels that the profile never saw.
    """

    ms: float
    doubt_ms: float
    unseen: tuple[str, ...]

    @classmethod
    def of(cls, parts: Sequence[Part]) -> Part:
        """Several together, all wrong in the same direction at worst."""
        return cls(
            sum([part.ms for part in parts]),
            sum([part.doubt_ms for part in parts]),
            tuple(sorted({name for part in parts for name in part.unseen})),
        )


@dataclass(frozen=True)
class Errors:
    """By how much the kernels of a family are off, in relative terms.

    Attributes:
        common: all of them.
        points: positions of kernels in networks.
        weights: what each contributes to those near it.
    """

    common: float
    points: Array
    weights: Array

    def __call__(self, places: Array) -> Array:
        near: Array = nearness(places, self.points, _LENGTH) @ self.weights
        return self.common + near


@dataclass(frozen=True)
class Whole:
    """What whole networks say beyond kernels.

    Attributes:
        layout: of the machine.
        base_ms: of a run, whatever runs.
        profiler_us: what the profiler shows too much of each kernel.
        call_us: of each kernel, to be called at all.
        errors: of the kernels' usual times, by family.
        unseen: the error of a family that is in no network.
        stretch: how many times its doubt an interval reaches to either side.
    """

    layout: Layout
    base_ms: float
    profiler_us: float
    call_us: float
    errors: Mapping[Family, Errors]
    unseen: float
    stretch: float

    def parts(self, kernels: Sequence[Kernel], guesses: Sequence[Guess]) -> list[Part]:
        """What kernels add to a network, by what the profiler would show of them."""
        off = np.full(len(kernels), self.unseen)
        for own, numbers in by_family(kernels, self.layout).items():
            if own in self.errors:
                off[numbers] = self.errors[own](
                    positions([kernels[n] for n in numbers], self.layout)
                )
        found = []
        for kernel, guess, error in zip(kernels, guesses, off.tolist(), strict=True):
            us = _own_us(guess, self.profiler_us) * max(1 + error, _LEAST_FACTOR) + self.call_us
            ms = max(us, _LEAST_US) / 1000
            found.append(Part(ms, ms * guess.spread, () if guess.seen else (kernel.kind,)))
        return found

    def interval(self, ms: float, doubt_ms: float) -> tuple[float, float]:
        """Within which the measured time of a network lies as often as `COVERED` says."""
        reach = float(np.exp(self.stretch * _doubt(doubt_ms / ms)))
        return ms / reach, ms * reach


def fit_whole(
    networks: Sequence[NetworkTime],
    guesses: Mapping[Kernel, Guess],
    profiler_us: float,
    layout: Layout,
) -> Whole:
    """What measured networks say, in relative terms; where they say little, kernels stay as they
    are.

    The interval is conformal: a quantile of the errors that each network has by all the others.

    Args:
        networks: measured as a whole.
        guesses: of their kernels.
        profiler_us: what the profiler seems to add to each kernel.
        layout: of the machine.
    """
    us = {kernel: _own_us(guess, profiler_us) for kernel, guess in guesses.items()}
    calls = np.array([sum(n for _, n in net.kernels) for net in networks])
    usual = _BASE_US + _CALL_US * calls
    usual += np.array([sum(n * us[k] for k, n in net.kernels) for net in networks])
    measured = np.array([1000 * net.ms for net in networks])
    families = _families(networks, us, usual, layout)
    told, size = _likeliest(measured / usual - 1, calls / usual, 1 / usual, families, guesses)
    weights = told.weights
    every = _ALL**2 * float(weights @ _all(families))
    return Whole(
        layout=layout,
        base_ms=(_BASE_US + _BASE_SPREAD**2 * float(weights @ (1 / usual))) / 1000,
        profiler_us=profiler_us,
        call_us=_CALL_US + _CALL_SPREAD**2 * float(weights @ (calls / usual)),
        errors={
            own: Errors(
                common=every + _FAMILY**2 * float(weights @ family.shares.sum(1)),
                points=family.positions,
                weights=size**2 * (weights @ family.shares),
            )
            for own, family in families.items()
        },
        unseen=every,
        stretch=_stretch(networks, usual * (1 + told.left_out), us, guesses),
    )


@dataclass(frozen=True)
class _Family:
    """The kernels of a family that are in networks.

    Attributes:
        kernels: each once.
        positions: of the kernels.
        shares: of the networks' usual times that are theirs: a row a network.
    """

    kernels: Sequence[Kernel]
    positions: Array
    shares: Array


def _families(
    networks: Sequence[NetworkTime], us: Mapping[Kernel, float], usual: Array, layout: Layout
) -> dict[Family, _Family]:
    kernels = list(us)
    found: dict[Family, _Family] = {}
    place: dict[Kernel, tuple[Family, int]] = {}
    for own, numbers in by_family(kernels, layout).items():
        members = [kernels[number] for number in numbers]
        shares = np.zeros((len(networks), len(members)))
        found[own] = _Family(members, positions(members, layout), shares)
        place |= {kernel: (own, column) for column, kernel in enumerate(members)}
    for row, network in enumerate(networks):
        for kernel, times in network.kernels:
            own, column = place[kernel]
            found[own].shares[row, column] += times * us[kernel] / usual[row]
    return found


def _likeliest(
    off: Array,
    calls: Array,
    runs: Array,
    families: Mapping[Family, _Family],
    guesses: Mapping[Kernel, Guess],
) -> tuple[Sums, float]:
    """The networks' errors as sums, with the size of errors of kernels near each other under which
    they are most likely.
    """
    every = _all(families)
    fixed = _outer(_BASE_SPREAD * runs) + _outer(_CALL_SPREAD * calls) + _outer(_ALL * every)
    alone, near = np.zeros(len(off)), np.zeros_like(fixed)
    for family in families.values():
        spread = np.array([guesses[kernel].spread for kernel in family.kernels])
        fixed += _outer(_FAMILY * family.shares.sum(1))
        alone += family.shares**2 @ spread**2
        # In single precision, which halves the seconds that a profile takes to be read.
        points, shares = family.positions.astype(np.float32), family.shares.astype(np.float32)
        near += shares @ nearness(points, points, _LENGTH) @ shares.T
    tried = [
        (Sums(off, fixed + size**2 * near, noise**2 + alone), size)
        for size in _SIZES
        for noise in _NOISES
    ]
    sums, size = max(tried, key=lambda one: one[0].likelihood)
    return sums.without_strays(), size


def _stretch(
    networks: Sequence[NetworkTime],
    expected_us: Array,
    us: Mapping[Kernel, float],
    guesses: Mapping[Kernel, Guess],
) -> float:
    """How many times their doubt networks are off of which `COVERED` says how many are."""
    misses = []
    for network, expected in zip(networks, expected_us.tolist(), strict=True):
        doubt = sum(n * us[k] * guesses[k].spread for k, n in network.kernels)
        expected = max(expected, _LEAST_US)
        misses.append(abs(log(1000 * network.ms / expected)) / _doubt(doubt / expected))
    place = min(ceil(COVERED * (len(misses) + 1)), len(misses)) - 1
    return sorted(misses)[place]


def _own_us(guess: Guess, profiler_us: float) -> float:
    return max(guess.us - profiler_us, _LEAST_US)


def _all(families: Mapping[Family, _Family]) -> Array:
    """The part of each network's usual time that is its kernels'."""
    shares: Array = np.sum([family.shares.sum(1) for family in families.values()], axis=0)
    return shares


def _outer(column: Array) -> Array:
    return np.outer(column, column)


def _doubt(share: float) -> float:
    """The part of a network's time that is unsure, but 2 % at least."""
    return float((share**2 + _LEAST_DOUBT**2) ** 0.5)
