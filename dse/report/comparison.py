"""What a report is about: one run or several, and what may be said of them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from dse.errors import InvalidValue
from dse.report import likeness, progress
from dse.report.dominance import Beaten, beaten, coverage
from dse.report.likeness import Group, grouped
from dse.report.progress import Curve
from dse.report.snapshot import COSTS, Snapshot, read_snapshot
from dse.runs import Run, Trial

Picked = tuple[Snapshot, Trial]
"""A design, and the run that tried it."""


@dataclass(frozen=True)
class Comparison:
    """Runs as they stood at one moment.

    Attributes:
        runs: in the order in which they were named.
    """

    runs: tuple[Snapshot, ...]

    @property
    def first(self) -> Snapshot:
        return self.runs[0]

    @property
    def name(self) -> str:
        return ", ".join(run.name for run in self.runs)

    @cached_property
    def groups(self) -> list[Group]:
        """The runs, those together that differ only in the seed."""
        return grouped(self.runs)

    @cached_property
    def cost_only(self) -> str:
        """Why scores are not compared, as a sentence; empty if they are."""
        return likeness.incomparable(self.runs)

    @property
    def cautions(self) -> list[str]:
        """What but the searches makes the runs score differently."""
        return [] if self.cost_only else likeness.cautions(self.groups)

    @property
    def differences(self) -> list[tuple[str, list[str]]]:
        """The conditions in which groups differ, with their values."""
        return likeness.differences(self.groups)

    @property
    def quality(self) -> str:
        """The score that designs are compared by."""
        return self.first.quality

    @cached_property
    def objectives(self) -> tuple[str, ...]:
        """What fronts are compared in: what all runs aim at, else a score against parameters."""
        aims = {run.objectives for run in self.runs}
        if len(aims) == 1:
            return next(iter(aims))
        return (self.quality, "params")

    @cached_property
    def curves(self) -> dict[str, list[Curve]]:
        """Hypervolume by ``trials`` and by ``seconds``; empty where it cannot be compared."""
        if self.cost_only or not self.scored:
            return {}
        return {
            "trials": progress.by_trials(self.groups, self.objectives),
            "seconds": progress.by_seconds(self.groups, self.objectives),
        }

    @property
    def timed(self) -> bool:
        """Whether seconds are by the clock on the wall, or those of the trials added up."""
        return progress.timed(self.runs)

    @cached_property
    def coverage(self) -> list[list[float | None]]:
        """Shares of fronts that others cover; empty with one group."""
        alone = len(self.groups) < 2 or self.cost_only or not self.scored
        return [] if alone else coverage(self.groups, self.objectives)

    @cached_property
    def beaten(self) -> dict[str, list[Beaten]]:
        """How the groups stand to each paper's network that was tried."""
        return {} if self.cost_only or not self.scored else beaten(self.groups, self.objectives)

    @cached_property
    def scored(self) -> list[Picked]:
        """Finished designs that have every objective."""
        return [
            (run, trial)
            for run in self.runs
            for trial in run.finished
            if all(trial.objective(name) is not None for name in self.objectives)
        ]

    @property
    def damaged(self) -> int:
        """How many rows could not be read."""
        return sum(len(run.damaged) for run in self.runs)

    @cached_property
    def y_axes(self) -> tuple[str, ...]:
        """Scores that designs can be drawn by: what all runs measured, the aim first."""
        if self.cost_only:
            return ()
        kinds = [set.union(set(), *(t.values for t in run.finished)) for run in self.runs]
        shared = set.intersection(*[kind for kind in kinds if kind] or [set()])
        # Scores of single classes are on the cards.
        rest = sorted(k for k in shared if "." not in k and k not in (self.quality, "train_loss"))
        return (*([self.quality] if self.quality in shared else []), *rest)

    @cached_property
    def cost_axes(self) -> tuple[str, ...]:
        """Costs that every finished design has."""
        rows = [trial for run in self.runs for trial in run.finished]
        return tuple(
            name
            for name in ("params", "macs", "peak_activation_bytes", "size_bytes", "latency_ms")
            if name in COSTS and rows and all((row.objective(name) or 0) > 0 for row in rows)
        )


def read_comparison(runs: Sequence[Run]) -> Comparison:
    """Read runs, each once.

    Raises:
        InvalidValue: a folder holds neither settings nor trials, or a run is named twice.
    """
    folders = [run.folder.resolve() for run in runs]
    for position, (run, folder) in enumerate(zip(runs, folders, strict=True)):
        if folder in folders[:position]:
            raise InvalidValue(f"a report shows a run once, got {run.name} twice")
    snapshots = []
    for run in runs:
        snapshot = read_snapshot(run)
        if not (snapshot.settings or snapshot.trials or snapshot.damaged):
            raise InvalidValue(
                f"a report needs a run's settings or trials, got neither in {run.folder}"
            )
        snapshots.append(snapshot)
    return Comparison(tuple(snapshots))
