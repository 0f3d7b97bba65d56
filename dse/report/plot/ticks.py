"""Where an axis has its ticks, and what is written at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10

from dse.report.plot.model import Axis
from dse.report.wording import short, size


@dataclass(frozen=True)
class Ticks:
    """An axis with its ends: `low` and `high` are values, of a logarithmic axis their logarithms.

    Attributes:
        axis: the axis.
        low: its beginning.
        high: its end.
        at: the values that have a tick, each with its text.
    """

    axis: Axis
    low: float
    high: float
    at: tuple[tuple[float, str], ...]

    def share(self, value: float) -> float:
        """How far along the axis a value lies, from 0 to 1 if it is on it."""
        place = log10(value) if self.axis.log else value
        return (place - self.low) / (self.high - self.low)


def ticks(axis: Axis, values: Sequence[float], room: float = 0.06, above: float = 0.0) -> Ticks:
    """An axis on which all values lie, with some room around them.

    Args:
        axis: what the values are.
        values: of a logarithmic axis above zero.
        room: as a share of their range.
        above: more of it at the axis' end.
    """
    if axis.names:
        named = tuple((float(place), name) for place, name in enumerate(axis.names))
        return Ticks(axis, -0.6, len(axis.names) - 0.4, named)
    places = [log10(value) if axis.log else value for value in values] or [0.0, 1.0]
    low, high = min(places), max(places)
    span = (high - low) or abs(high) * 0.1 or 1.0
    low, high = low - room * span, high + (room + above) * span
    if low == high:  # one value, and no room asked for
        low, high = low - span / 2, high + span / 2
    found = _logarithmic(low, high) if axis.log else _linear(low, high)
    return Ticks(axis, low, high, tuple((value, _written(axis, value, found)) for value in found))


def _linear(low: float, high: float) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten, four to eight of them."""
    power = 10.0 ** floor(log10((high - low) / 4))
    step = next(k * power for k in (1, 2, 5, 10) if (high - low) / (k * power) <= 8)
    return [n * step for n in range(ceil(low / step), floor(high / step) + 1)]


def _logarithmic(low: float, high: float) -> list[float]:
    """Powers of ten; in between 1, 2, 5 or all digits where few powers are in sight."""
    span = high - low
    digits = range(1, 10) if span < 0.6 else (1, 2, 5) if span < 3 else (1,)
    powers = range(floor(low), ceil(high) + 1)
    every = [digit * 10.0**power for power in powers for digit in digits]
    return [value for value in every if low <= log10(value) <= high]


def _written(axis: Axis, value: float, every: Sequence[float]) -> str:
    if axis.form == "percent":
        step = min((b - a for a, b in pairwise(every)), default=1)
        return f"{100 * value:.{0 if step >= 0.0099 else 1}f}%"
    if axis.form == "bytes":
        return size(value)
    return short(value) if axis.log or abs(value) >= 1e3 else f"{value:.4g}"
