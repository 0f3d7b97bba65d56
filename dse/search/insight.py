"""What a run's trials say about the decisions: which mattered, and what each option did."""

from __future__ import annotations

import json
import warnings
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import log, sqrt
from typing import Any

import numpy as np
import optuna
from optuna.importance import PedAnovaImportanceEvaluator
from scipy import stats

from dse.atomic import write_atomically
from dse.runs import Run, Trial, direction
from dse.search.distributions import distribution_of
from dse.space import Choice, Scalar

LEAST_TRIALS = 12
"""Below as many trials, a quarter of them is fewer than three designs: nothing is said."""
_SHARE = 0.25
"""The share of the trials that counts as good. Optuna's 0.1 is one design or two in a short run."""
_ROUNDING = 1e-9
_MOST_OPTIONS = 6
"""A range with more values than this in its trials is split at their median."""


@dataclass(frozen=True)
class Effect:
    """What an option of a decision did to the metric.

    Attributes:
        decision: its name.
        option: its value, or ``<= 3`` and ``> 3`` for a range.
        trials: how many trials have it.
        mean: of the metric over them.
        effect: by how much the metric of these trials is above that of all trials that met the
            decision, at equal cost: what a straight line over the logarithms of parameters and
            multiply-adds explains is taken off first.
        interval: of the effect, 95 %, by Student's t; None with fewer than two trials.
    """

    decision: str
    option: str
    trials: int
    mean: float
    effect: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Change:
    """An option that did better than the one that a design has, decision by decision.

    `gain` is the difference of the two effects, `interval` its 95 % by Welch's t. One that contains
    zero cannot be told from chance.
    """

    decision: str
    present: str
    better: str
    gain: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Insight:
    """What was learned from a run.

    Attributes:
        metric: what all is about, the run's first objective.
        trials: how many it rests on.
        epochs: after how many the metric was taken; None where it is that of finished trials.
        importance: PED-ANOVA's for reaching the best quarter (Watanabe et al., IJCAI 2023;
            conditional decisions as in its extension of 2026), as shares that sum to 1, the
            largest first. Empty with fewer than `LEAST_TRIALS` trials.
        effects: of every option that was tried, by decision in the order of `importance`.
        changes: what to change next in the best design, the largest gain first.
    """

    metric: str
    trials: int
    epochs: int | None
    importance: dict[str, float]
    effects: tuple[Effect, ...]
    changes: tuple[Change, ...]

    def as_document(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)


FILE = "insight.json"


def write_insight(run: Run, choices: Mapping[str, Choice]) -> None:
    """Keep what a run's trials say with the run, for its report."""
    found = insight(run.trials, choices, run.objectives[0], run.best)
    text = json.dumps(found.as_document(), indent=2) + "\n"
    write_atomically(run.folder / FILE, text)


def insight(
    trials: Sequence[Trial], choices: Mapping[str, Choice], metric: str, best: Trial | None
) -> Insight:
    """What trials say about the decisions of their space.

    With rungs, a short search has few finished trials. Then all are compared that were trained for
    as many epochs, the most epochs that are enough trials.

    Args:
        trials: of one run.
        choices: every decision of its space.
        metric: what to explain.
        best: the design to be changed.
    """
    shown, measured, epochs = _comparable(trials, metric)
    if len(shown) < LEAST_TRIALS:
        return Insight(metric, len(shown), epochs, {}, (), ())
    sign = 1.0 if direction(metric) == "maximize" else -1.0
    values = np.array(measured)
    importance = _importance(shown, sign * values, choices)
    groups = _groups(shown, values, choices)
    effects = tuple(
        _effect(name, option, group)
        for name in importance
        for option, group in sorted(groups[name].items(), key=lambda item: -len(item[1][0]))
    )
    changes = () if best is None else _changes(best, groups, shown, sign)
    return Insight(metric, len(shown), epochs, importance, effects, changes)


def _comparable(
    trials: Sequence[Trial], metric: str
) -> tuple[list[Trial], list[float], int | None]:
    """Trials with their values of a metric, and after how many epochs; None for the last."""
    ended = [
        (trial, float(value))
        for trial in trials
        if trial.state == "finished" and (value := trial.objective(metric)) is not None
    ]
    if len(ended) < LEAST_TRIALS:
        after: dict[int, list[tuple[Trial, float]]] = defaultdict(list)
        for trial in trials:
            for row in trial.history if trial.state != "failed" else ():
                if metric in row:
                    after[int(row["step"])].append((trial, row[metric]))
        for epochs in sorted(after, reverse=True):
            if len(after[epochs]) >= LEAST_TRIALS:
                return [t for t, _ in after[epochs]], [v for _, v in after[epochs]], epochs
    return [trial for trial, _ in ended], [value for _, value in ended], None


_Group = tuple[list[float], list[float]]
"""The metric of some trials, as it is and at equal cost."""


def _importance(
    trials: Sequence[Trial], gains: np.ndarray[Any, Any], choices: Mapping[str, Choice]
) -> dict[str, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        study = optuna.create_study(direction="maximize")
        distributions = {name: distribution_of(choice) for name, choice in choices.items()}
        for trial, gain in zip(trials, gains, strict=True):
            known = {name: value for name, value in trial.choices.items() if name in choices}
            study.add_trial(
                optuna.trial.create_trial(
                    params=known,
                    distributions={name: distributions[name] for name in known},
                    value=float(gain),
                )
            )
        found = PedAnovaImportanceEvaluator(target_quantile=_SHARE).evaluate(
            study, target=lambda trial: -(trial.value or 0.0)
        )
    whole = sum(found.values())
    if not whole:
        return dict.fromkeys(found, 0.0)
    return {name: value / whole for name, value in found.items()}


def _groups(
    trials: Sequence[Trial], values: np.ndarray[Any, Any], choices: Mapping[str, Choice]
) -> dict[str, dict[str, _Group]]:
    """For each decision and option the metric of its trials, measured from those of all trials
    that met the decision.
    """
    equal = _at_equal_cost(trials, values)
    groups: dict[str, dict[str, _Group]] = {}
    for name in choices:
        met = [i for i, trial in enumerate(trials) if name in trial.choices]
        if not met:
            continue
        label = _labels([trials[i].choices[name] for i in met])
        middle = float(np.mean(equal[met]))
        own: dict[str, _Group] = defaultdict(lambda: ([], []))
        for i in met:
            raw, adjusted = own[label(trials[i].choices[name])]
            raw.append(float(values[i]))
            adjusted.append(float(equal[i]) - middle)
        groups[name] = dict(own)
    return groups


def _at_equal_cost(trials: Sequence[Trial], values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """What of the metric a straight line over the logarithms of the costs leaves."""
    costs = [[1.0, log(1 + t.cost["params"]), log(1 + t.cost["macs"])] for t in trials]
    design = np.array(costs)
    line, *_ = np.linalg.lstsq(design, values, rcond=None)
    left: np.ndarray[Any, Any] = values - design @ line
    return left


def _labels(values: Sequence[Scalar]) -> Any:
    """How a decision's values are named: as they are, or a long range in two halves."""
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) < len(values) or len(set(numbers)) <= _MOST_OPTIONS:
        return lambda value: f"{value}"
    middle = float(np.median(numbers))
    return lambda value: f"<= {middle:g}" if value <= middle else f"> {middle:g}"


def _effect(name: str, option: str, group: _Group) -> Effect:
    raw, adjusted = group
    mean = float(np.mean(adjusted))
    interval = None
    if len(adjusted) > 1:
        half = float(
            stats.t.ppf(0.975, len(adjusted) - 1) * np.std(adjusted, ddof=1) / sqrt(len(adjusted))
        )
        interval = (mean - half, mean + half)
    return Effect(name, option, len(raw), float(np.mean(raw)), mean, interval)


def _changes(
    best: Trial,
    groups: Mapping[str, Mapping[str, _Group]],
    trials: Sequence[Trial],
    sign: float,
) -> tuple[Change, ...]:
    """For each decision of a design the option that did best, where that is not the one it has."""
    changes = []
    for name, value in best.choices.items():
        options = groups.get(name, {})
        label = _labels([t.choices[name] for t in trials if name in t.choices])
        present = label(value)
        mine = options.get(present, ([], []))[1]
        for option, (_, others) in options.items():
            if option == present or len(others) < 2 or len(mine) < 2:
                continue
            change = _change(name, present, option, mine, others)
            if change is not None and sign * change.gain > _ROUNDING:
                changes.append(change)
    changes.sort(key=lambda change: -sign * change.gain)
    first: dict[str, Change] = {}
    for change in changes:
        first.setdefault(change.decision, change)
    return tuple(first.values())


def _change(
    name: str, present: str, option: str, mine: Sequence[float], others: Sequence[float]
) -> Change | None:
    found = stats.ttest_ind(others, mine, equal_var=False)
    if not np.isfinite(found.statistic):
        return None  # no spread on either side
    low, high = found.confidence_interval(0.95)
    gain = float(np.mean(others) - np.mean(mine))
    return Change(name, present, option, gain, (float(low), float(high)))
