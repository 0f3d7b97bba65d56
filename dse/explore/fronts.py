"""Runs beside the design: what their trials cost and how good they were."""

from __future__ import annotations

from typing import Any

from dse.errors import DseError, InvalidValue
from dse.network import Network
from dse.runs import Run, Trial, direction, open_run
from dse.space import Decisions, Space

MOST_POINTS = 1_500
"""Of a larger run the front, and trials evenly spread over the others."""
_COSTS = ("params", "macs", "peak_activation_bytes", "size_bytes")


def run_version(name: str) -> str:
    """What changes whenever a run's rows do; empty as long as there are none."""
    try:
        found = (open_run(name).folder / "trials.jsonl").stat()
    except FileNotFoundError:
        return ""
    return f"{found.st_size}-{found.st_mtime_ns}"


def run_points(name: str, space: Space) -> dict[str, Any]:
    """A run's finished trials as the page draws them, or in ``note`` why they cannot be.

    Raises:
        UnknownName: there is no such run.
    """
    run = open_run(name)
    settings = run.settings
    shown: dict[str, Any] = {"run": name, "trials": [], "note": "", "metric": run.objectives[0]}
    shown["better"] = direction(run.objectives[0])
    asked = f"{settings.get('input', space.input)} images and {settings.get('classes')} classes"
    here = f"{space.input} images and {space.classes} classes"
    if asked != here:
        return {**shown, "note": f"its designs are for {asked}, these for {here}"}
    trials = run.trials
    metric = run.objectives[0]
    kept = [t for t in trials if t.state == "finished" and t.objective(metric) is not None]
    front = {trial.trial for trial in run.front()}
    notes = []
    if run.damaged:
        notes.append(f"{_rows(len(run.damaged))} could not be read ({run.damaged[0]})")
    if not kept:
        notes.append("no trial has finished yet")
    if len(kept) > MOST_POINTS:
        step = len(kept) / MOST_POINTS
        some = {int(n * step) for n in range(MOST_POINTS)}
        notes.append(f"of {len(kept):,} trials the front and {MOST_POINTS:,} others are drawn")
        kept = [t for n, t in enumerate(kept) if n in some or t.trial in front]
    return {
        **shown,
        "trials": [_point(trial, metric, trial.trial in front) for trial in kept],
        "note": "; ".join(notes),
        "trained": settings.get("evaluate", "train") == "train",
        "synthetic": bool((settings.get("data") or {}).get("synthetic")),
        "dataset": (settings.get("data") or {}).get("name", ""),
    }


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def _point(trial: Trial, metric: str, on_front: bool) -> dict[str, Any]:
    return {
        "trial": trial.trial,
        "name": trial.name,
        "baseline": trial.baseline,
        "front": on_front,
        "misses": sorted(trial.misses),
        "quality": trial.objective(metric),
        "digest": trial.digest,
        **{cost: trial.cost.get(cost) for cost in _COSTS},
    }


def trial_decisions(name: str, number: int, space: Space) -> Decisions:
    """The decisions that lead to a run's trial, in a space that need not be the run's.

    Raises:
        InvalidValue: there is no such trial, or the space does not hold its design.
    """
    run: Run = open_run(name)
    found = next((trial for trial in run.trials if trial.trial == number), None)
    if found is None:
        raise InvalidValue(f"the run {name} has no trial {number}")
    return located(space, found.network, f"trial {number} of {name}", found.choices)


def located(
    space: Space, network: Network, what: str, choices: dict[str, Any] | None = None
) -> Decisions:
    """The decisions that lead to a network: `choices` if they do, else some that are looked for.

    Raises:
        InvalidValue: there are none.
    """
    if choices:
        try:
            if space.bind(choices) == network:
                return dict(choices)
        except DseError:
            pass  # made in another space: looked for in this one
    found = space.locate(network)
    if found is None:
        raise InvalidValue(
            f"{what} is no point of the space {space.name} for {space.input} images and "
            f"{space.classes} classes"
        )
    return found
