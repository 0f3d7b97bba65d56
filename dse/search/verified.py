"""Predicted latencies held against measured ones, at the end of a search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from dse.devices.measure import measure
from dse.runs import Run, Trial

_SECONDS_EACH = 3.0
"""Of calling, for each design; loading comes on top."""


def measure_front(
    run: Run,
    *,
    device: str,
    threads: int,
    progress: Callable[[float], None] = lambda share: None,
) -> list[Trial]:
    """Measure the designs of a run's front and its winner on this machine, in turn, and note what
    they take in the run's rows.

    Args:
        run: a search that is over.
        device: what runs them, see `dse.devices.device_names`.
        threads: that compute.
        progress: told the share that is done.

    Returns:
        the rows with what was measured.

    Raises:
        DseError: a design cannot be run here, or the process that measured died of it.
        InvalidValue: another process is at the run.
    """
    with run.held():
        trials = _worth_it(run)
        found = measure(
            [(trial.name, trial.network) for trial in trials],
            devices=(device,),
            threads=threads,
            seconds=_SECONDS_EACH * len(trials),
            progress=progress,
        )
        rows = [
            replace(
                trial,
                measured_ms=taken.latency.median_ms,
                measured_interval=[taken.latency.low_ms, taken.latency.high_ms],
            )
            for trial, taken in zip(trials, found, strict=True)
        ]
        run.amend(rows)
    return rows


def too_slow(trials: Sequence[Trial], limit: float | None) -> list[str]:
    """A sentence for each design that turned out slower than the limit its prediction held."""
    return [
        f"trial {trial.trial} {trial.name} was predicted to take {trial.latency_ms:.3g} ms and "
        f"takes {taken(trial)} ms: {over} the budget of {limit:g} ms"
        for trial in trials
        if (over := verdict(trial, limit))
    ]


def verdict(trial: Trial, limit: float | None) -> str:
    """``over`` where what was measured of a design is above a limit, ``perhaps over`` where the
    limit lies within its interval, else nothing.
    """
    if limit is None or trial.measured_ms is None or trial.measured_ms <= limit:
        return ""
    low = (trial.measured_interval or [trial.measured_ms])[0]
    return "over" if low > limit else "perhaps over"


def taken(trial: Trial) -> str:
    """What was measured of a design, if it was: ``4.41 (4.32 to 4.5)``."""
    if trial.measured_ms is None or trial.measured_interval is None:
        return ""
    low, high = trial.measured_interval
    return f"{trial.measured_ms:.3g} ({low:.3g} to {high:.3g})"


def _worth_it(run: Run) -> list[Trial]:
    winner = run.settings.get("winner")
    front = {trial.trial: trial for trial in run.front()}
    others = [trial for trial in run.trials if trial.trial == winner and trial.trial not in front]
    return [*front.values(), *others]
