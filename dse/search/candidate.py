"""What a search hands to an evaluator, and what it expects back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from dse.cost import Cost
from dse.network import Network
from dse.runs import Trial

Report = Callable[[int, Mapping[str, float]], None]
"""``report(step, metrics)``: tell how far a candidate has come; may raise to stop it."""

Evaluate = Callable[["Candidate", Report], Mapping[str, float]]
"""An evaluator: any function from a candidate to its metrics."""


@dataclass(frozen=True)
class Candidate:
    """A design that fits the budget and has not been evaluated yet.

    Attributes:
        trial: its number.
        name: a preset's name if it is a baseline, else the network's.
        network: the design.
        choices: the space's decisions, flat.
        cost: what it costs.
        baseline: whether it is a paper's network.
    """

    trial: int
    name: str
    network: Network
    choices: dict[str, Any]
    cost: Cost
    baseline: bool = False

    @property
    def latency_ms(self) -> float | None:
        """Predicted milliseconds per image on the search's device, if it has one."""
        return self.cost.latency_ms


@runtime_checkable
class Documented(Protocol):
    """An evaluator that says under what conditions its numbers arise."""

    def provenance(self) -> dict[str, Any]:
        """Seed, device, data set and its hash, recipe: goes into every row."""
        ...


class Reached(Protocol):
    """How far the evaluation of a candidate has come."""

    @property
    def metrics(self) -> Mapping[str, float]:
        """As of now: the candidate's own once it is over."""
        ...

    @property
    def history(self) -> Sequence[Mapping[str, float]]:
        """Metrics of each epoch from the first on, with its number as `step`."""
        ...

    @property
    def over(self) -> bool:
        """Whether there is no further epoch."""
        ...

    @property
    def seconds(self) -> float:
        """Spent on it, in all its parts."""
        ...


@runtime_checkable
class Resumable(Protocol):
    """An evaluator that can pause: it leaves off after an epoch and goes on from there."""

    @property
    def span(self) -> tuple[int, int]:
        """The first epoch by which designs can be told apart, and the last."""
        ...

    def advance(
        self, candidate: Candidate, report: Report, until: int | None, folder: Path
    ) -> Reached:
        """Evaluate to the end of epoch `until`, or to the very end.

        `folder` is kept for this candidate between calls. What is in it is gone on from, and the
        outcome is to the last digit that of an evaluation never interrupted.
        """
        ...


class Listener:
    """Hears of a search's progress. This one is deaf; the command line's draws."""

    def began(self, done: int, total: int) -> None:
        """`done` trials are finished already, `total` are wanted."""

    def started(self, candidate: Candidate) -> None:
        """A candidate's evaluation begins."""

    def reported(self, candidate: Candidate, step: int, metrics: Mapping[str, float]) -> None:
        """An evaluation of this process or its workers reported a step."""

    def paused(self, candidate: Candidate, epochs: int) -> None:
        """A candidate waits after so many epochs; it goes on if it is among the best."""

    def ended(self, row: Trial, front: list[Trial]) -> None:
        """A trial ended; `front` is the front with it."""

    def note(self, text: str) -> None:
        """Something worth a line."""
