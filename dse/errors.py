"""The errors a user meets. Each message is one sentence: the rule, the value, the place."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class DseError(Exception):
    """A mistake in what was asked for, not in dse: the command line prints it and exits with 2."""


class InvalidDesign(DseError):
    """A network, block or search space that cannot exist as written."""


class InvalidValue(DseError):
    """An argument or setting outside what it may be."""


class OverBudget(DseError):
    """No design of the space fits the budget."""


class DataError(DseError):
    """A data set that is absent, empty or damaged."""


class DivergedTraining(DseError):
    """A training whose loss became infinite or not a number."""


class UnknownName(DseError):
    """A name that is in no registry; carries the nearest known ones."""

    def __init__(self, what: str, name: object, known: Iterable[str]) -> None:
        choices = sorted(known)
        near = get_close_matches(str(name), choices, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(choices) or 'none'}"
        super().__init__(f"no {what} is called {name!r}; {hint}")


class MissingExtra(DseError):
    """An optional package that the requested work needs."""

    def __init__(self, package: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs the package {package!r}: pip install {package}")
