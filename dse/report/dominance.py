"""Which runs' designs beat which: fronts against fronts, and against the papers' networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dse.report.likeness import Group
from dse.report.progress import Scale, scale
from dse.report.snapshot import Snapshot
from dse.runs import Trial, front


@dataclass(frozen=True)
class Beaten:
    """How the searched designs of a group stand to a paper's network.

    Attributes:
        tried: in how many of the group's runs the network was trained.
        runs: in how many of these a searched design is no worse in every objective, and better in
            one.
        example: of those designs the best in the first objective; None if there is none.
        preset: the network's row in the example's run.
        run: the example's.
    """

    tried: int
    runs: int
    example: Trial | None
    preset: Trial | None
    run: Snapshot | None


def coverage(groups: Sequence[Group], objectives: Sequence[str]) -> list[list[float | None]]:
    """For each two groups the share of the second's front that the first's covers.

    A design is covered by one that is no worse in any objective. Fronts are of searched designs;
    over seeds the share is the mean over all pairs of runs. None where a front is empty, and of a
    group with itself.

    Source: Zitzler and Thiele, Multiobjective Evolutionary Algorithms: A Comparative Case Study and
    the Strength Pareto Approach, IEEE Transactions on Evolutionary Computation 3(4), 1999: the
    measure C.
    """
    scaled = _scale(groups, objectives)
    fronts = [[_front(run, objectives) for run in group.runs] for group in groups]
    return [
        [
            None if a is b else _mean([_covered(one, other, scaled) for one in a for other in b])
            for b in fronts
        ]
        for a in fronts
    ]


def beaten(groups: Sequence[Group], objectives: Sequence[str]) -> dict[str, list[Beaten]]:
    """By the name of each paper's network how every group stands to it."""
    names = dict.fromkeys(
        str(trial.name) for group in groups for run in group.runs for trial in run.baselines
    )
    scaled = _scale(groups, objectives)
    return {name: [_beaten(group, name, scaled) for group in groups] for name in names}


def _beaten(group: Group, name: str, scaled: Scale) -> Beaten:
    tried, found = 0, []
    for run in group.runs:
        preset = next((trial for trial in run.baselines if trial.name == name), None)
        own = scaled(preset) if preset is not None else None
        if preset is None or own is None:
            continue
        tried += 1
        better = [
            (losses, trial)
            for trial in run.finished
            if not trial.baseline and (losses := scaled(trial)) is not None
            if losses != own and all(x <= y for x, y in zip(losses, own, strict=True))
        ]
        if better:
            best = min(better, key=lambda pair: (pair[0], pair[1].trial))
            found.append((best[0], best[1], preset, run))
    if not found:
        return Beaten(tried, 0, None, None, None)
    _, example, preset, run = min(found, key=lambda row: row[0])
    return Beaten(tried, len(found), example, preset, run)


def _front(run: Snapshot, objectives: Sequence[str]) -> list[Trial]:
    return front([trial for trial in run.finished if not trial.baseline], objectives)


def _covered(a: Sequence[Trial], b: Sequence[Trial], scaled: Scale) -> float | None:
    ones = [losses for trial in a if (losses := scaled(trial)) is not None]
    others = [losses for trial in b if (losses := scaled(trial)) is not None]
    if not ones or not others:
        return None
    hits = sum(
        any(all(x <= y for x, y in zip(one, other, strict=True)) for one in ones)
        for other in others
    )
    return hits / len(others)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _scale(groups: Sequence[Group], objectives: Sequence[str]) -> Scale:
    return scale([t for group in groups for run in group.runs for t in run.trials], objectives)
