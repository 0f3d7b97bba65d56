"""Learning curves: scores and losses of trainings by epoch."""

from __future__ import annotations

from dse.report.plot import Axis, Plot, Series
from dse.report.snapshot import Snapshot, is_number
from dse.report.wording import label, scored
from dse.runs import Trial

_MOST = 4
"""How many trials' curves are drawn together."""


def score_axis(metric: str, title: str) -> Axis:
    """The axis of a metric."""
    return Axis(title, form="percent" if metric.endswith("accuracy") else "number")


def learning(snapshot: Snapshot) -> Plot | None:
    """The score by epoch of the winner, the best preset and some of the front, or None."""
    winner = snapshot.winner
    if winner is None:
        return None
    quality = snapshot.quality
    best = sorted(snapshot.baselines, key=lambda t: -(t.objective(quality) or float("-inf")))
    chosen = {trial.trial: trial for trial in [winner, *best[:1], *snapshot.front()]}
    series = []
    for position, trial in enumerate(list(chosen.values())[:_MOST]):
        won = trial.trial == winner.trial
        role = "winner" if won else "preset" if trial.baseline else "searched"
        series += _curve(trial, quality, f"{trial.name}, trial {trial.trial}", role, position)
    title = scored(snapshot)
    return _plot(series, f"{title} by epoch", score_axis(quality, title))


def losses(trial: Trial) -> Plot | None:
    """A trial's training and validation loss by epoch; None without a history."""
    series = [
        *_curve(trial, "train_loss", "training", "searched", 1),
        *_curve(trial, "loss", "validation", "winner", 0),
    ]
    return _plot(series, "loss by epoch", Axis("loss"))


def training(snapshot: Snapshot, trial: Trial) -> Plot | None:
    """A trial's own score by epoch; None without a history."""
    role = "preset" if trial.baseline else "searched"
    title = scored(snapshot)
    series = _curve(trial, snapshot.quality, label(snapshot.quality), role, 0)
    return _plot(series, f"{title} by epoch", score_axis(snapshot.quality, title))


def _curve(trial: Trial, key: str, name: str, role: str, dash: int) -> list[Series]:
    """A metric by epoch, if the history has it; rows that count no epochs are counted."""
    steps = [
        (row.get("step", row.get("epoch", position)), row[key])
        for position, row in enumerate(trial.history, start=1)
        if is_number(row.get(key))
    ]
    points = [(float(x), float(y)) for x, y in steps if is_number(x)]
    if not points:
        return []
    x, y = zip(*points, strict=True)
    return [Series(name, role, x, y, dash=dash)]


def _plot(series: list[Series], about: str, y: Axis) -> Plot | None:
    return Plot(about, Axis("epoch"), y, tuple(series)) if series else None
