"""Decisions that nobody has made yet: a repetition of a group begins like the one before it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Self

from dse.space import Choice, Scalar

_NUMBER = re.compile(r"\d+(?=\.)")


class Wishes(dict[str, Scalar]):
    """What each decision of a space becomes: what is wanted, else what was decided in the nearest
    earlier repetition of its group, else its first option.

    ``stage3.block`` follows ``stage2.block``, or ``stage1.block`` if there is none.
    """

    def __init__(self, choices: Mapping[str, Choice], wanted: Mapping[str, object]) -> None:
        """What is wanted but no decision of the space, or none of its options, is left out."""
        super().__init__()
        self._choices = choices
        for name, value in wanted.items():
            choice = choices.get(name)
            kept = None if choice is None else choice.accept(value)
            if kept is not None:
                self[name] = kept

    def but(self, name: str, value: Scalar) -> Self:
        """The same wishes with another one for a decision."""
        others = type(self)(self._choices, {})
        others.update(self)
        others[name] = value
        return others

    def __missing__(self, name: str) -> Scalar:
        value = self[name] = self._like_its_siblings(name)
        return value

    def _like_its_siblings(self, name: str) -> Scalar:
        choice = self._choices[name]
        for number in _NUMBER.finditer(name):
            for earlier in range(int(number[0]) - 1, 0, -1):
                sibling = f"{name[: number.start()]}{earlier}{name[number.end() :]}"
                value = choice.accept(self.get(sibling))
                if value is not None:
                    return value
        first: Scalar = choice.values()[0]
        return first
