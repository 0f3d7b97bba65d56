"""How searches went on: the hypervolume of what they had found, by trials and by time.

Objectives are scaled to the box between the worst and the best value of any compared design, costs
by their logarithms. 0 is a search that found nothing better than the worst in everything, 1 one
that found the best of everything in a single design.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import log10

from dse.fronts import Losses, hypervolume
from dse.report.likeness import Group
from dse.report.snapshot import COSTS, Snapshot
from dse.report.uncertainty import Interval, student
from dse.runs import Trial, direction

_POINTS = 200
"""At most so many points of a curve are drawn."""
_PAUSE = 60.0
"""Seconds between two rows, beyond what a trial took, after which the search stood still."""


@dataclass(frozen=True)
class Curve:
    """Hypervolume against trials or seconds: the mean over seeds and between what it lies.

    Attributes:
        name: of the group.
        seeds: how many runs it is the mean of.
        x: trials, or seconds.
        mean: from 0 to 1.
        band: with three seeds and more the 95 % interval of the mean by Student's t, with two
            their range; empty for one.
    """

    name: str
    seeds: int
    x: tuple[float, ...]
    mean: tuple[float, ...]
    band: tuple[Interval, ...]

    @property
    def last(self) -> str:
        """Where it ends, for a table: ``0.81``, ``0.81 (0.77 to 0.85)``."""
        if not self.mean:
            return "–"
        text = f"{self.mean[-1]:.3f}"
        return text + (f" ({self.band[-1][0]:.3f} to {self.band[-1][1]:.3f})" if self.band else "")


Scale = Callable[[Trial], Losses | None]
"""A trial's objectives as shares of the box, 0 the best; None if it lacks one."""


def scale(trials: Sequence[Trial], objectives: Sequence[str]) -> Scale:
    """The box of some trials."""

    def losses(trial: Trial) -> Losses | None:
        found = []
        for name in objectives:
            value = trial.objective(name)
            if value is None or (name in COSTS and value <= 0):
                return None
            value = log10(value) if name in COSTS else value
            found.append(-value if direction(name) == "maximize" else value)
        return tuple(found)

    known = [one for trial in trials if trial.eligible and (one := losses(trial)) is not None]
    lows = [min(axis) for axis in zip(*known, strict=True)]
    spans = [(max(axis) - min(axis)) or 1.0 for axis in zip(*known, strict=True)]

    def scaled(trial: Trial) -> Losses | None:
        own = losses(trial) if trial.eligible else None
        if own is None:
            return None
        return tuple((x - low) / span for x, low, span in zip(own, lows, spans, strict=True))

    return scaled


def by_trials(groups: Sequence[Group], objectives: Sequence[str]) -> list[Curve]:
    """Hypervolume after each trial, for every group."""
    return _curves(groups, objectives, lambda run: [float(n + 1) for n in range(len(run.trials))])


def by_seconds(groups: Sequence[Group], objectives: Sequence[str]) -> list[Curve]:
    """Hypervolume by seconds of searching, for every group."""
    return _curves(groups, objectives, elapsed)


def timed(snapshots: Sequence[Snapshot]) -> bool:
    """Whether every row says when it was written; otherwise seconds are those of the trials, added
    up, which is the wall time of one worker.
    """
    return all(trial.ended for run in snapshots for trial in run.trials)


def elapsed(snapshot: Snapshot) -> list[float]:
    """Seconds of searching until each row was written, without what passed while it stood still."""
    seconds, found = 0.0, []
    before = _moment(snapshot.settings.get("started"))
    for trial in snapshot.trials:
        now = _moment(trial.ended)
        if before is None or now is None:
            seconds += trial.seconds
        else:
            gap = max(0.0, (now - before).total_seconds())
            seconds += gap if gap <= trial.seconds + _PAUSE else trial.seconds
        before = now
        found.append(seconds)
    return found


def _moment(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else None


def _curves(
    groups: Sequence[Group],
    objectives: Sequence[str],
    measured: Callable[[Snapshot], list[float]],
) -> list[Curve]:
    every = [trial for group in groups for run in group.runs for trial in run.trials]
    scaled = scale(every, objectives)
    return [
        _curve(group, [_steps(run, measured(run), scaled) for run in group.runs])
        for group in groups
    ]


Steps = tuple[list[float], list[float]]
"""Where a run stood and its hypervolume from there on; last where it ended."""


def _steps(run: Snapshot, measured: Sequence[float], scaled: Scale) -> Steps:
    """The hypervolume wherever it grew, and at the end."""
    front: list[Losses] = []
    xs, volumes = [0.0], [0.0]
    for x, trial in zip(measured, run.trials, strict=True):
        own = scaled(trial)
        if own is None or any(_no_worse(other, own) for other in front):
            continue
        front = [other for other in front if not _no_worse(own, other)] + [own]
        xs.append(x)
        volumes.append(hypervolume(front, (1.0,) * len(own)))
    if measured:
        xs.append(measured[-1])
        volumes.append(volumes[-1])
    return xs, volumes


def _no_worse(a: Losses, b: Losses) -> bool:
    return all(x <= y for x, y in zip(a, b, strict=True))


def _curve(group: Group, runs: Sequence[Steps]) -> Curve:
    """The mean, as far as the shortest run goes."""
    end = min(xs[-1] for xs, _ in runs)
    stops = sorted({x for xs, _ in runs for x in xs if x <= end} | {end})
    if len(stops) > _POINTS:
        stops = [stops[round(i * (len(stops) - 1) / (_POINTS - 1))] for i in range(_POINTS)]
    values = [[volumes[bisect_right(xs, stop) - 1] for xs, volumes in runs] for stop in stops]
    return Curve(
        group.title,
        len(runs),
        tuple(stops),
        tuple(sum(row) / len(row) for row in values),
        tuple(_band(row) for row in values) if len(runs) > 1 else (),
    )


def _band(values: Sequence[float]) -> Interval:
    if len(values) == 2:
        return min(values), max(values)
    low, high = student(values)
    return max(0.0, low), min(1.0, high)
