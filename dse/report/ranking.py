"""The front beside the presets: who beats whom, in one table."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dse.report.comparison import Comparison
from dse.report.snapshot import Snapshot, read_snapshot
from dse.runs import Run, Trial, direction, front


@dataclass(frozen=True)
class FrontRow:
    """A design of the front, or a preset to compare it with.

    Attributes:
        rank: its place on the front from 1; None for a preset that is not on it.
        name: of the design.
        trial: its number in the run.
        baseline: whether it is a paper's network.
        winner: whether the run chose it.
        quality: the value, on the validation part, of the metric that the run aims at (`metric`).
        metric: that metric's name: accuracy, unless the run says otherwise.
        params: trainable parameters.
        macs: multiply-adds for one image.
        latency_ms: milliseconds per image on the run's device, if it has one.
        peak_activation_bytes: the most memory that activations take at one time, float32.
    """

    rank: int | None
    name: str
    trial: int
    baseline: bool
    winner: bool
    quality: float | None
    metric: str
    params: int
    macs: int
    latency_ms: float | None
    peak_activation_bytes: int


def front_table(run: Run) -> list[FrontRow]:
    """The front, best in the first objective first, then the other presets, best first.

    A run without finished trials has no rows.
    """
    return ranking(read_snapshot(run))


def ranking(snapshot: Snapshot) -> list[FrontRow]:
    """The rows of `front_table`."""
    on_front = snapshot.front()
    numbers = {trial.trial for trial in on_front}
    beside = [trial for trial in snapshot.baselines if trial.trial not in numbers]
    beside.sort(key=lambda trial: _loss(trial, snapshot.quality))
    winner = snapshot.winner

    def row(trial: Trial, rank: int | None) -> FrontRow:
        return FrontRow(
            rank=rank,
            name=str(trial.name),
            trial=trial.trial,
            baseline=trial.baseline,
            winner=winner is not None and trial.trial == winner.trial,
            quality=trial.objective(snapshot.quality),
            metric=snapshot.quality,
            params=trial.cost["params"],
            macs=trial.cost["macs"],
            latency_ms=trial.latency_ms,
            peak_activation_bytes=trial.cost["peak_activation_bytes"],
        )

    ranked = [row(trial, rank) for rank, trial in enumerate(on_front, start=1)]
    return ranked + [row(trial, None) for trial in beside]


def ranked(comparison: Comparison) -> list[tuple[int | None, Snapshot, Trial]]:
    """The front and the other presets with their ranks, of one run or of several together."""
    if len(comparison.runs) > 1:
        return pooled(comparison)
    run = comparison.first
    by_number = {trial.trial: trial for trial in run.finished}
    return [(row.rank, run, by_number[row.trial]) for row in ranking(run)]


def pooled(comparison: Comparison) -> list[tuple[int | None, Snapshot, Trial]]:
    """The common front of all runs with its ranks, then the other presets, best first; none where
    scores cannot be compared. Of a preset that several runs tried the one of middling score is
    taken, the better one of two.
    """
    if comparison.cost_only:
        return []
    # Numbers are of one run only; for a while each trial has one of its own.
    rows = {n: replace(trial, trial=n) for n, (_, trial) in enumerate(comparison.scored)}
    on_front = [trial.trial for trial in front(list(rows.values()), comparison.objectives)]
    tried: dict[str, list[int]] = {}
    for number in sorted(rows, key=lambda number: _loss(rows[number], comparison.quality)):
        if rows[number].baseline:
            tried.setdefault(str(rows[number].name), []).append(number)
    middling = [numbers[(len(numbers) - 1) // 2] for numbers in tried.values()]
    beside = [number for number in middling if number not in set(on_front)]
    beside.sort(key=lambda number: _loss(rows[number], comparison.quality))
    ranked = [(rank, *comparison.scored[n]) for rank, n in enumerate(on_front, start=1)]
    return [*ranked, *((None, *comparison.scored[n]) for n in beside)]


def _loss(trial: Trial, metric: str) -> float:
    value = trial.objective(metric)
    if value is None:
        return float("inf")
    return -value if direction(metric) == "maximize" else value
