"""The ways to close a value, numbered: what many rows have decided is one array of integers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dse.errors import DseError
from dse.space.choices import Choice, Scalar
from dse.space.many.lanes import Array
from dse.space.template import BlockTemplate, Const, Hole, Listing, Pick, Table, Value

UNDECIDED = -1
_MOST = 2**62

Column = Callable[[Hole], Array]
"""For each row the number of the option that it has at a hole."""


class Intractable(DseError):
    """Too much to be followed at once: a continuous range, or too many ways to close a value."""


class Options:
    """The options of every decision, numbered in the order of the document."""

    def __init__(self) -> None:
        self._values: dict[int, tuple[Choice, tuple[Scalar, ...]]] = {}

    def of(self, choice: Choice) -> tuple[Scalar, ...]:
        """The options.

        Raises:
            Intractable: there is no end of them.
        """
        known = self._values.get(id(choice))
        if known is None:
            if choice.count() is None:
                raise Intractable(f"a continuous range cannot be counted, got {choice}")
            # The choice is kept beside its options: as long as it lives, its id is its own.
            known = self._values[id(choice)] = (choice, tuple(choice.values()))
        return known[1]


class Codes:
    """Numbers from 0 for all ways to close a value."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._sizes: dict[Value, int] = {}

    def size(self, value: Value) -> int:
        """How many numbers there are."""
        size = self._sizes.get(value)
        if size is None:
            size = self._sizes[value] = self._count(value)
            if size > _MOST:
                raise Intractable(
                    f"a value has at most {_MOST:.0e} ways to be closed, got {size:.0e}"
                )
        return size

    def _count(self, value: Value) -> int:
        match value:
            case Const():
                return 1
            case Pick():
                return len(self._options.of(value.hole.choice))
            case Table():
                return sum(map(self.size, value.values.values()))
        size = 1
        for part in _parts(value):
            size *= self.size(part)
        return size

    def of(self, value: Value, column: Column, rows: int) -> Array:
        """The number of each row's way."""
        match value:
            case Const():
                return np.zeros(rows, np.int64)
            case Pick():
                return column(value.hole).astype(np.int64)
            case Table():
                option = column(value.hole)
                code = np.zeros(rows, np.int64)
                before = 0
                for number, label in enumerate(self._options.of(value.hole.choice)):
                    inner = value.values[label]
                    here = option == number
                    if here.any():
                        code[here] = before + self.of(inner, column, rows)[here]
                    before += self.size(inner)
                return code
        code = np.zeros(rows, np.int64)
        for part in _parts(value):
            if self.size(part) > 1:
                code = code * self.size(part) + self.of(part, column, rows)
        return code

    def closed(self, value: Value, code: int) -> Any:
        """The value closed in the way of this number, as a walk gives it."""
        match value:
            case Const():
                return value.value
            case Pick():
                return self._options.of(value.hole.choice)[code]
            case Table():
                for label in self._options.of(value.hole.choice):
                    inner = value.values[label]
                    if code < self.size(inner):
                        return self.closed(inner, code)
                    code -= self.size(inner)
                raise IndexError(code)
        closed = []
        for part in reversed(_parts(value)):
            code, own = divmod(code, self.size(part))
            closed.append(self.closed(part, own))
        result = tuple(reversed(closed))
        return (value, result) if isinstance(value, BlockTemplate) else result


def _parts(value: Listing | BlockTemplate) -> tuple[Value, ...]:
    return value.values if isinstance(value, Listing) else value.parts
