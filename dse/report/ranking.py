"""The front beside the presets: who beats whom, in one table."""

from __future__ import annotations

from dataclasses import dataclass

from dse.report.snapshot import Snapshot, read_snapshot
from dse.runs import Run, Trial, direction


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


def _loss(trial: Trial, metric: str) -> float:
    value = trial.objective(metric)
    if value is None:
        return float("inf")
    return -value if direction(metric) == "maximize" else value
