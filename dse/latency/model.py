"""A device's speed, learned from its profile: microseconds of any kernel, and how sure they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dse.latency.features import Array, by_family, positions, works
from dse.latency.kernel import Kernel
from dse.latency.layout import Layout
from dse.latency.process import Process, fit, rates_of
from dse.latency.profile import KernelTime

_LEAST_MEASURED = 5
"""Kernels of a family that must have been measured for it to be known."""

_LEAST_FITTED = 40
"""Kernels of a family that its rates are fitted to; in smaller ones work takes what it does in all
kernels together, times a constant."""

_UNSEEN = 0.7
"""Standard deviation of the logarithm of times that are guessed for families never seen: a factor
of two."""


@dataclass(frozen=True, slots=True)
class Guess:
    """Microseconds of a kernel as the profiler would show them.

    Attributes:
        us: the time.
        spread: the standard deviation of its logarithm.
        seen: whether kernels of the family were measured.
    """

    us: float
    spread: float
    seen: bool


class KernelModel:
    """Times of kernels, family by family; what no family is known for goes by all together."""

    def __init__(self, times: Sequence[KernelTime], layout: Layout) -> None:
        self._times = times
        self._layout = layout
        kernels = [time.kernel for time in times]
        self._rates = rates_of(works(kernels, layout), _us(times))
        self._known = {
            own: self._fitted(
                [times[number] for number in numbers], common=len(numbers) < _LEAST_FITTED
            )
            for own, numbers in by_family(kernels, layout).items()
            if len(numbers) >= _LEAST_MEASURED
        }

    @cached_property
    def _others(self) -> Process:
        """Of all kernels together: made when a family that was never measured first comes up."""
        return self._fitted(self._times, common=True)

    def __call__(self, kernels: Sequence[Kernel]) -> list[Guess]:
        """The time of each kernel."""
        found: dict[int, Guess] = {}
        for own, numbers in by_family(kernels, self._layout).items():
            seen = own in self._known
            process = self._known[own] if seen else self._others
            us, spread = process(*self._arrays([kernels[number] for number in numbers]))
            for number, time, sure in zip(numbers, us, spread, strict=True):
                found[number] = Guess(float(time), float(sure) if seen else _UNSEEN, seen)
        return [found[number] for number in range(len(kernels))]

    def _arrays(self, kernels: Sequence[Kernel]) -> tuple[Array, Array]:
        return works(kernels, self._layout), positions(kernels, self._layout)

    def _fitted(self, times: Sequence[KernelTime], *, common: bool) -> Process:
        spread = np.array([time.spread / time.count**0.5 for time in times])
        work, position = self._arrays([time.kernel for time in times])
        us = _us(times)
        return fit(self._rates if common else rates_of(work, us), work, position, us, spread)


def _us(times: Sequence[KernelTime]) -> Array:
    return np.array([time.us for time in times])
