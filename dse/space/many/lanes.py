"""Many integers that go through the same code at once, until they part ways.

The rules of ops and blocks are written for one design. Given `Lanes` for its numbers, the same
code computes a whole batch: arithmetic is done for all lanes together, and where the code asks a
question that only one answer serves (`if`, `int`, `range`) and the lanes disagree, it stops, and
the lanes are sorted by their answers and run again, apart. So nothing is stated twice, and a
question costs as many runs as it has answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dse.errors import InvalidDesign

Array = NDArray[Any]
T = TypeVar("T")


class Parted(Exception):
    """The lanes answer a question differently; `answers` holds a number per lane."""

    def __init__(self, answers: Array) -> None:
        super().__init__("lanes disagree")
        self.answers = answers


class Lanes:
    """One number per lane; computes like a number."""

    __slots__ = ("values",)

    def __init__(self, values: Array) -> None:
        self.values = values

    def __add__(self, other: Any) -> Lanes:
        return Lanes(self.values + plain(other))

    def __radd__(self, other: int) -> Lanes:
        return Lanes(other + self.values)

    def __sub__(self, other: Any) -> Lanes:
        return Lanes(self.values - plain(other))

    def __rsub__(self, other: int) -> Lanes:
        return Lanes(other - self.values)

    def __mul__(self, other: Any) -> Lanes:
        return Lanes(self.values * plain(other))

    def __rmul__(self, other: int) -> Lanes:
        return Lanes(other * self.values)

    def __floordiv__(self, other: Any) -> Lanes:
        return Lanes(self.values // plain(other))

    def __rfloordiv__(self, other: int) -> Lanes:
        return Lanes(other // self.values)

    def __mod__(self, other: Any) -> Lanes:
        return Lanes(self.values % plain(other))

    def __rmod__(self, other: int) -> Lanes:
        return Lanes(other % self.values)

    def __truediv__(self, other: Any) -> Lanes:
        return Lanes(self.values / plain(other))

    def __rtruediv__(self, other: int) -> Lanes:
        return Lanes(other / self.values)

    def __pow__(self, other: Any) -> Lanes:
        return Lanes(self.values ** plain(other))

    def __neg__(self) -> Lanes:
        return Lanes(-self.values)

    def __eq__(self, other: object) -> bool:
        return agreed(self.values == plain(other))

    def __ne__(self, other: object) -> bool:
        return agreed(self.values != plain(other))

    def __lt__(self, other: Any) -> bool:
        return agreed(self.values < plain(other))

    def __le__(self, other: Any) -> bool:
        return agreed(self.values <= plain(other))

    def __gt__(self, other: Any) -> bool:
        return agreed(self.values > plain(other))

    def __ge__(self, other: Any) -> bool:
        return agreed(self.values >= plain(other))

    def __bool__(self) -> bool:
        return agreed(self.values != 0)

    def __int__(self) -> int:
        return int(self._same())

    def __index__(self) -> int:
        return int(self._same())

    def __float__(self) -> float:
        return float(self._same())

    def __hash__(self) -> int:
        return hash(self._same())

    def __format__(self, spec: str) -> str:
        return format(self._same(), spec)

    def _same(self) -> Any:
        first = self.values[0]
        if (self.values != first).any():
            raise Parted(self.values)
        return first.item()


def agreed(answers: Any) -> bool:
    """The one answer of all lanes.

    Raises:
        Parted: they have several.
    """
    first = bool(answers[0])
    if bool(answers.all()) if first else not answers.any():
        return first
    raise Parted(answers)


def plain(value: Any) -> Any:
    """What numpy computes with: the array of lanes, or the number as it is."""
    return value.values if isinstance(value, Lanes) else value


def lanes(values: Array) -> Any:
    """Numbers as rules take them: one for all where all are equal, lanes otherwise."""
    first = values[0]
    return first.item() if bool((values == first).all()) else Lanes(values)


def most(values: Iterable[Any]) -> Any:
    """The largest of some numbers, in each lane; `max` would ask which of them that is."""
    arrays = [plain(value) for value in values]
    largest = arrays[0]
    for array in arrays[1:]:
        largest = np.maximum(largest, array)
    return Lanes(largest) if isinstance(largest, np.ndarray) else int(largest)


def apart(rows: Array, run: Callable[[Array], T]) -> Iterator[tuple[Array, T | InvalidDesign]]:
    """Run rows together as far as they agree: for each group of them what `run` returned, or why
    it refused.
    """
    waiting = [rows] if len(rows) else []
    while waiting:
        group = waiting.pop()
        try:
            yield group, run(group)
        except InvalidDesign as refusal:
            yield group, refusal
        except Parted as parted:
            _, answers = np.unique(parted.answers, return_inverse=True)
            order = np.argsort(answers, kind="stable")
            edges = np.flatnonzero(np.diff(answers[order])) + 1
            waiting += np.split(group[order], edges)
