"""Which design to take: for each budget the best that fits, beside the best of the papers'."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10

from dse.report.comparison import Comparison, Picked
from dse.report.learned import StandingRow, standings
from dse.report.results import Result, results
from dse.report.snapshot import COSTS, Snapshot, is_number
from dse.report.uncertainty import Interval, accuracy_interval
from dse.runs import Trial, direction

_MOST = 6


@dataclass(frozen=True)
class Advice:
    """A design for who can spend at most `limit`.

    Attributes:
        limit: of the cost that the advice is about.
        run: whose design it is.
        trial: the design.
        interval: of its validation accuracy, for want of images; None where that is not known.
        standing: how it did when it was trained again, if it was.
        test: its score on the test part, if that was read for it.
        preset: the best of the papers' networks within the limit, and its run.
    """

    limit: float
    run: Snapshot
    trial: Trial
    interval: Interval | None
    standing: StandingRow | None
    test: Result | None
    preset: Picked | None


def spending(comparison: Comparison) -> str:
    """The cost that advice is by: the first that is limited or aimed at, else parameters."""
    limited = [key for run in comparison.runs for key in run.part("budget")]
    aims = [name for run in comparison.runs for name in run.objectives if name in COSTS]
    known = comparison.cost_axes
    return next((key for key in (*limited, *aims) if key in known), "params")


def advice(comparison: Comparison) -> list[Advice]:
    """The best design for each of some budgets, the largest first; none without comparable scores.

    Budgets are those of the runs and below them 1, 3, 10 ...; one that changes nothing is left out.
    Where the best fitting design was trained again and the run preferred another one that fits,
    that one is taken: the best of many scores is partly luck.
    """
    if comparison.cost_only:
        return []
    key, quality = spending(comparison), comparison.quality
    designs = [
        (run, trial)
        for run in comparison.runs
        for trial in run.finished
        if trial.eligible and trial.objective(quality) is not None
    ]
    found: list[Advice] = []
    for limit in _limits(comparison, key, designs):
        within = [pick for pick in designs if (pick[1].objective(key) or 0) <= limit]
        if not within:
            break
        run, trial = _best(within, quality)
        one = _advice(limit, run, trial, within, quality)
        if not found or found[-1].trial is not trial:  # else a smaller budget buys the same
            found.append(one)
    return found[:_MOST]


def _limits(comparison: Comparison, key: str, designs: Sequence[Picked]) -> list[float]:
    """Budgets from the largest of the runs, or what the largest design needs, down to the least."""
    costs = [float(trial.objective(key) or 0) for _, trial in designs]
    if not costs:
        return []
    given = [run.part("budget").get(key) for run in comparison.runs]
    budgets = sorted(float(limit) for limit in given if is_number(limit) and limit > 0)
    most = budgets[-1] if budgets else max(costs)
    power = floor(log10(min(costs)))
    series = [k * 10.0**p for p in range(power, floor(log10(most)) + 1) for k in (1, 3)]
    below = [limit for limit in series if min(costs) <= limit < most]
    return sorted({*below, *budgets, most}, reverse=True)


def _best(within: Sequence[Picked], quality: str) -> Picked:
    """The best by the validation score, or the winner it was passed over for."""
    sign = 1 if direction(quality) == "maximize" else -1
    run, trial = max(
        within, key=lambda pick: (sign * (pick[1].objective(quality) or 0), -pick[1].cost["params"])
    )
    again = {row.trial for row in standings(run)}
    winner = run.winner
    fits = winner is not None and any(one is run and t is winner for one, t in within)
    if winner is not None and fits and {trial.trial, winner.trial} <= again:
        return run, winner
    return run, trial


def _advice(
    limit: float, run: Snapshot, trial: Trial, within: Sequence[Picked], quality: str
) -> Advice:
    presets = [(one, row) for one, row in within if row.baseline and row is not trial]
    by_number = {row.trial: row for row in standings(run)}
    tests = {row.trial: row for row in results(run)}
    return Advice(
        limit=limit,
        run=run,
        trial=trial,
        interval=accuracy_interval(run, trial) if quality == "accuracy" else None,
        standing=by_number.get(trial.trial),
        test=tests.get(trial.trial),
        preset=_best(presets, quality) if presets else None,
    )
