"""What a hole of a space may become: one of several options, an integer, or a real number."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil, exp, floor, log

Scalar = str | int | float | bool
"""A decision. JSON can hold it, and so can Optuna."""

_DIGITS = 10
"""Decimals to which the values of a stepped range are rounded, so that 0.1 + 2 * 0.1 is 0.3."""


@dataclass(frozen=True, slots=True)
class Categorical:
    """One of `options`; where the document labels its candidates, the options are the labels."""

    options: tuple[Scalar, ...]
    _known: dict[Scalar, Scalar] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_known", {option: option for option in self.options})

    def accept(self, value: object) -> Scalar | None:
        """The option equal to `value` as the document writes it, or None."""
        if not isinstance(value, str | int | float):
            return None
        option = self._known.get(value)
        # For Python 1 == True, for a reader of the document they are different options.
        return option if isinstance(option, bool) == isinstance(value, bool) else None

    def values(self) -> tuple[Scalar, ...]:
        return self.options

    def count(self) -> int | None:
        return len(self.options)

    def sample(self, rng: random.Random) -> Scalar:
        return rng.choice(self.options)

    def __str__(self) -> str:
        return f"one of {', '.join(map(str, self.options))}"


@dataclass(frozen=True, slots=True)
class Integer:
    """An integer from `low` to `high`, both included, in steps; `log` draws orders of magnitude
    evenly.
    """

    low: int
    high: int
    step: int = 1
    log: bool = False

    def accept(self, value: object) -> int | None:
        """`value` if it is an integer of the range, or None."""
        if isinstance(value, bool) or not isinstance(value, int):
            return None
        inside = self.low <= value <= self.high and (value - self.low) % self.step == 0
        return value if inside else None

    def values(self) -> range:
        return range(self.low, self.high + 1, self.step)

    def count(self) -> int | None:
        return len(self.values())

    def scaled_to(self, target: int, alpha: float) -> Iterator[int]:
        """The values that a width multiplier may round to `target`, and perhaps a neighbour."""
        low = max(self.low, floor((target - 0.5) / alpha) if target > 1 else self.low)
        high = min(self.high, ceil((target + 0.5) / alpha))
        low += (self.low - low) % self.step
        return iter(range(low, high + 1, self.step))

    def sample(self, rng: random.Random) -> int:
        if self.log:
            value = floor(exp(rng.uniform(log(self.low), log(self.high + 1))))
            return min(max(value, self.low), self.high)
        return rng.randrange(self.low, self.high + 1, self.step)

    def __str__(self) -> str:
        step = f" in steps of {self.step}" if self.step != 1 else ""
        return f"an integer from {self.low} to {self.high}{step}"


@dataclass(frozen=True, slots=True)
class Real:
    """A real number from `low` to `high`, both included, in steps unless `step` is None."""

    low: float
    high: float
    step: float | None = None
    log: bool = False

    def accept(self, value: object) -> float | None:
        """The value of the range that `value` is but for rounding errors, or None."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        if not self.low - 1e-9 <= value <= self.high + 1e-9:
            return None
        if self.step is None:
            return min(max(float(value), self.low), self.high)
        steps = round((value - self.low) / self.step)
        nearest = round(self.low + steps * self.step, _DIGITS)
        return nearest if abs(nearest - value) <= 1e-9 else None

    def values(self) -> tuple[float, ...]:
        """All values of a stepped range; of a continuous one its ends, and 1 if it lies between."""
        if self.step is None:
            middle = (1.0,) if self.low < 1 < self.high else ()
            return tuple(dict.fromkeys((self.low, *middle, self.high)))
        return tuple(round(self.low + n * self.step, _DIGITS) for n in range(self._steps() + 1))

    def count(self) -> int | None:
        return None if self.step is None and self.low < self.high else len(self.values())

    def sample(self, rng: random.Random) -> float:
        if self.step is not None:
            return round(self.low + rng.randint(0, self._steps()) * self.step, _DIGITS)
        if self.log:
            return min(max(exp(rng.uniform(log(self.low), log(self.high))), self.low), self.high)
        return rng.uniform(self.low, self.high)

    def _steps(self) -> int:
        return round((self.high - self.low) / self.step) if self.step else 0

    def __str__(self) -> str:
        step = f" in steps of {self.step:g}" if self.step is not None else ""
        return f"a number from {self.low:g} to {self.high:g}{step}"


Choice = Categorical | Integer | Real


def is_ordered(choice: Choice) -> bool:
    """Whether its values are numbers, so that one may lie between two others."""
    return not isinstance(choice, Categorical) or not any(
        isinstance(option, str | bool) for option in choice.options
    )


def same_choice(a: Choice, b: Choice) -> bool:
    """Equal, and of equal types: ``[0, 1]`` and ``[false, true]`` are not the same options."""
    return repr(a) == repr(b)
