"""Choosing among the best: trained again with other seeds, so that luck is not what is chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any, Protocol

import numpy as np
from scipy import stats

from dse.errors import DseError
from dse.network import Network
from dse.processes import Pool, pool_state
from dse.runs import Run, Trial, direction

SEEDS = 2
"""How often each leader is trained again. Three would tell smaller differences apart, at half as
much time again.
"""
_LEADERS = 3


class Repeatable(Protocol):
    """An evaluator that can train a design with another seed, on the same images."""

    @property
    def seed(self) -> int: ...

    def repeat(self, network: Network, seed: int) -> dict[str, float]:
        """Validation metrics of a training with `seed`."""
        ...


@dataclass(frozen=True)
class Standing:
    """How a leader did when it was trained again.

    Attributes:
        trial: its number.
        name: its name.
        baseline: whether it is a paper's network.
        params: its parameters.
        found: the metric by which the search took it for a leader; as a maximum over noisy
            numbers it flatters.
        again: the metric of each training with another seed, which the search has not seen.
        mean: of `again`; None if each of them failed.
        tied: whether that mean cannot be told from the best one: the 95 % interval of the
            difference, by Student's t with the leaders' pooled variance, contains zero.
    """

    trial: int
    name: str
    baseline: bool
    params: int
    found: float
    again: tuple[float, ...]
    mean: float | None
    tied: bool


def leaders(trials: Sequence[Trial], metric: str) -> list[Trial]:
    """The designs worth another look: the best few in `metric`, and the best preset and the best
    searched design if they are not among them.
    """
    ranked = ranked_by(trials, metric)
    chosen = ranked[:_LEADERS]
    for baseline in (True, False):
        best = next((trial for trial in ranked if trial.baseline == baseline), None)
        if best is not None and best not in chosen:
            chosen.append(best)
    return chosen


def ranked_by(trials: Sequence[Trial], metric: str) -> list[Trial]:
    """The eligible trials by a metric, the best first, and of equals the smallest first."""
    sign = -1.0 if direction(metric) == "maximize" else 1.0
    values = [(trial, trial.objective(metric)) for trial in trials if trial.eligible]
    known = [(trial, sign * value) for trial, value in values if value is not None]
    return [trial for trial, _ in sorted(known, key=lambda pair: (pair[1], pair[0].cost["params"]))]


def standings(
    run: Run,
    trials: Sequence[Trial],
    evaluate: Repeatable,
    metric: str,
    workers: int,
    note: Callable[[str], None] = lambda text: None,
) -> list[Standing]:
    """Train each of `trials` again with other seeds and order them by the mean, the best first.

    What was trained before, for the same run, is not trained again. `note` is told of each
    training that ended.
    """
    jobs = [(trial, evaluate.seed + number) for number in range(1, SEEDS + 1) for trial in trials]
    kept: dict[str, float | None] = dict(run.settings.get("again", {}))
    waiting = [job for job in jobs if _key(*job) not in kept]

    def keep(trial: Trial, seed: int, value: float | None) -> None:
        kept[_key(trial, seed)] = value
        run.save_settings({**run.settings, "again": kept})
        result = "failed" if value is None else f"{metric} {value:.3f}"
        note(f"{len(kept)}/{len(jobs)} {trial.name}, seed {seed}: {result}")

    _train_all(waiting, evaluate, metric, workers, keep)
    again: dict[int, list[float]] = {trial.trial: [] for trial in trials}
    for trial, seed in jobs:
        value = kept[_key(trial, seed)]
        if value is not None:
            again[trial.trial].append(value)
    return _ordered(trials, again, metric)


def _train_all(
    jobs: Sequence[tuple[Trial, int]],
    evaluate: Repeatable,
    metric: str,
    workers: int,
    keep: Callable[[Trial, int, float | None], None],
) -> None:
    if workers == 1 or len(jobs) < 2:
        for trial, seed in jobs:
            keep(trial, seed, _repeated(evaluate, trial.network, seed, metric))
        return
    pool = Pool(min(workers, len(jobs)), evaluate)
    try:
        running: dict[Future[float | None], tuple[Trial, int]] = {
            pool.submit(_repeated_here, trial.network, seed, metric): (trial, seed)
            for trial, seed in jobs
        }
        while running:
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                keep(*running.pop(future), future.result())
    finally:
        pool.close()


def _repeated(evaluate: Repeatable, network: Network, seed: int, metric: str) -> float | None:
    """The metric of one more training; None if it failed, as one in a few seeds may diverge."""
    try:
        return evaluate.repeat(network, seed).get(metric)
    except DseError:
        return None


def _repeated_here(network: Network, seed: int, metric: str) -> float | None:
    return _repeated(pool_state(), network, seed, metric)


def _ordered(trials: Sequence[Trial], again: dict[int, list[float]], metric: str) -> list[Standing]:
    sign = 1.0 if direction(metric) == "maximize" else -1.0
    means = {number: float(np.mean(values)) for number, values in again.items() if values}
    order = sorted(
        trials,
        key=lambda t: (-sign * means.get(t.trial, -sign * np.inf), t.cost["params"]),
    )
    spread, degrees = _pooled(list(again.values()))
    first = order[0].trial if order else None
    return [
        Standing(
            trial=trial.trial,
            name=trial.name,
            baseline=trial.baseline,
            params=trial.cost["params"],
            found=float(trial.objective(metric) or 0.0),
            again=tuple(again[trial.trial]),
            mean=means.get(trial.trial),
            tied=trial.trial != first
            and _tied(again[order[0].trial], again[trial.trial], spread, degrees),
        )
        for trial in order
    ]


def _pooled(groups: Sequence[Sequence[float]]) -> tuple[float, int]:
    """The standard deviation within groups, and its degrees of freedom."""
    degrees = sum(len(group) - 1 for group in groups if group)
    squares = sum(
        float(np.sum((np.array(group) - np.mean(group)) ** 2)) for group in groups if group
    )
    return (sqrt(squares / degrees), degrees) if degrees else (0.0, 0)


def _tied(best: Sequence[float], other: Sequence[float], spread: float, degrees: int) -> bool:
    """Whether the difference of two means may be noise; with no spread known, it may."""
    if not best or not other:
        return False
    if degrees == 0:
        return True
    half = stats.t.ppf(0.975, degrees) * spread * sqrt(1 / len(best) + 1 / len(other))
    return bool(abs(np.mean(best) - np.mean(other)) <= half)


def _key(trial: Trial, seed: int) -> str:
    return f"{trial.trial}/{seed}"


def as_documents(found: Sequence[Standing]) -> list[dict[str, Any]]:
    """As a run's settings hold them."""
    return [asdict(standing) for standing in found]
