"""From kernels under the profiler to whole networks without it: constants, and how far they miss.

Everything here adds up over kernels, so that a network is the sum of its blocks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log

import numpy as np

from dse.latency.features import Array
from dse.latency.kernel import CONVOLUTIONS, Kernel
from dse.latency.model import Guess
from dse.latency.profile import NetworkTime

COVERED = 0.9
"""How often the measured time of a network lies within the interval of its prediction."""

_LEAST_US = 0.2
"""Of a kernel, once the profiler's own time is taken off."""

_GROUPS = ("conv", "pointwise", "depthwise", "rows", "weights", "others")
"""Kernels that whole networks scale alike: convolutions in blocks of channels by their kind, those
in rows, those of small maps and matrix products, which mostly read weights, and what only moves
maps."""

_MOSTLY = 4
"""Times the bytes of maps that a kernel's weights take which mostly reads weights."""

_BASE_US, _BASE_SPREAD = 15.0, 5.0
_CALL_US, _CALL_SPREAD = 0.7, 0.3
_FACTOR_SPREAD = 0.1
"""What the constants usually are, and how far from it: of a run; of a call; the factors, near 1."""

_ERROR = 0.05
"""Of a network's time by kernels: what lies further off counts less."""

_FOLDS = 8
_LEAST_DOUBT = 0.02


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
class Whole:
    """The constants of whole networks.

    Attributes:
        base_ms: of a run, whatever runs.
        profiler_us: what the profiler shows too much of each kernel.
        call_us: of each kernel, to be called at all.
        factors: by which each group of kernels takes longer without the profiler.
        stretch: how many times its doubt an interval reaches to either side.
    """

    base_ms: float
    profiler_us: float
    call_us: float
    factors: Array
    stretch: float

    def part(self, kernel: Kernel, guess: Guess) -> Part:
        """What a kernel adds to a network."""
        own = max(guess.us - self.profiler_us, _LEAST_US)
        us = max(float(self.factors[_group(kernel)]) * own + self.call_us, _LEAST_US)
        return Part(us / 1000, us / 1000 * guess.spread, () if guess.seen else (kernel.kind,))

    def interval(self, ms: float, doubt_ms: float) -> tuple[float, float]:
        """Within which the measured time of a network lies as often as `COVERED` says."""
        reach = float(np.exp(self.stretch * _doubt(doubt_ms / ms)))
        return ms / reach, ms * reach


def fit_whole(
    networks: Sequence[NetworkTime], guesses: Mapping[Kernel, Guess], profiler_us: float
) -> Whole:
    """The constants by which measured networks come out best, in relative terms; those that the
    networks say little about stay near what is usual.

    The interval is conformal: a quantile of the errors of networks that the constants were not
    fitted to.

    Args:
        networks: measured as a whole.
        guesses: of their kernels.
        profiler_us: what the profiler seems to add to each kernel.
    """
    rows = np.array([_row(network, guesses, profiler_us) for network in networks])
    measured = np.array([1000 * network.ms for network in networks])
    errors = []
    for fold in range(min(_FOLDS, len(networks))):
        own = np.arange(len(networks)) % _FOLDS == fold
        rest = ~own if len(networks) > _FOLDS else np.ones(len(networks), dtype=bool)
        whole = _constants(rows[rest], measured[rest], profiler_us)
        for network in networks[fold::_FOLDS]:
            parts = [(times, whole.part(k, guesses[k])) for k, times in network.kernels]
            ms = whole.base_ms + sum(times * part.ms for times, part in parts)
            doubt = sum(times * part.doubt_ms for times, part in parts)
            errors.append(abs(log(network.ms / ms)) / _doubt(doubt / ms))
    place = min(ceil(COVERED * (len(errors) + 1)), len(errors)) - 1
    return _constants(rows, measured, profiler_us, sorted(errors)[place])


def _constants(rows: Array, measured: Array, profiler_us: float, stretch: float = 0.0) -> Whole:
    usual = np.array([_BASE_US, _CALL_US, *np.ones(len(_GROUPS))])
    spreads = [_BASE_SPREAD, _CALL_SPREAD, *(_FACTOR_SPREAD for _ in _GROUPS)]
    parts = rows / measured[:, None]
    found = usual
    for _ in range(3):  # what lies far off counts less from the second time on
        trust = 1 / (_ERROR * np.maximum(1, np.abs(1 - parts @ found) / (2 * _ERROR)))
        wide = np.vstack([parts * trust[:, None], np.diag(1 / np.array(spreads))])
        wanted = np.concatenate([(1 - parts @ usual) * trust, np.zeros(len(usual))])
        found = usual + np.linalg.lstsq(wide, wanted, rcond=None)[0]
    return Whole(float(found[0]) / 1000, profiler_us, float(found[1]), found[2:], stretch)


def _row(network: NetworkTime, guesses: Mapping[Kernel, Guess], profiler_us: float) -> list[float]:
    """What each constant multiplies."""
    row = [1.0, 0.0, *(0.0 for _ in _GROUPS)]
    for kernel, times in network.kernels:
        row[1] += times
        row[2 + _group(kernel)] += times * max(guesses[kernel].us - profiler_us, _LEAST_US)
    return row


def _group(kernel: Kernel) -> int:
    if kernel.weight_bytes > _MOSTLY * (kernel.input_bytes + kernel.output_bytes):
        name = "weights"
    elif kernel.kind in CONVOLUTIONS:
        name = kernel.kind if kernel.blocked and kernel.kind in _GROUPS else "rows"
    else:
        name = "others"
    return _GROUPS.index(name)


def _doubt(share: float) -> float:
    """The part of a network's time that is unsure, but 2 % at least."""
    return float((share**2 + _LEAST_DOUBT**2) ** 0.5)
