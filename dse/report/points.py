"""Every design as a point: the data from which the page draws fronts in the reader's axes."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from dse.cost import cost
from dse.errors import DseError
from dse.presets import load_preset, preset_names
from dse.report.cards import Cards
from dse.report.comparison import Comparison, Picked
from dse.report.learned import standings
from dse.report.snapshot import Snapshot, is_number
from dse.report.uncertainty import accuracy_interval
from dse.report.wording import label, measure, plain, scored
from dse.runs import COST_KEYS, Trial, direction, front

MOST = 2_000
"""How many points are drawn: more make a page slow on a phone."""
_BRIEF = 400
"""With more points than these the labels under the pointer leave the decisions out."""
_CHOICES = 10
"""How many decisions such a label has: it must fit on a phone."""

AXES = {
    "params": "parameters",
    "macs": "MACs for one image (FLOPs = 2 × MACs)",
    "peak_activation_bytes": "peak activation memory, bytes",
    "size_bytes": "size of the weights, bytes",
    "latency_ms": "latency, ms per image",
}


def points(comparison: Comparison, cards: Cards) -> dict[str, Any] | None:
    """``axes x y runs untrained drawn of``, or None if no design has two numbers to draw.

    Of each run its ``name limits`` and columns, one value for a design: ``trial name role card``,
    every axis, and ``low high``, the interval of the accuracy. ``role`` is 0 for a searched design,
    1 for a preset, 2 for the winner; ``card`` the place of its card or -1.
    """
    x = list(comparison.cost_axes)
    y = [*comparison.y_axes, *x]
    if not x or not y:
        return None
    picks = drawn(comparison)
    every = sum(len(run.finished) for run in comparison.runs)
    shown = sum(map(len, picks))
    return {
        "axes": {key: _axis(comparison, key) for key in dict.fromkeys([*y, *x])},
        "x": x,
        "y": y,
        "runs": [
            _columns(place, run, rows, y, cards, shown <= _BRIEF)
            for place, (run, rows) in enumerate(zip(comparison.runs, picks, strict=True))
        ],
        "untrained": _untrained(comparison),
        "drawn": shown,
        "of": every,
    }


def drawn(comparison: Comparison) -> list[list[Trial]]:
    """Of each run the finished trials that are drawn, in order: all, or where these are too many
    those on any front, the presets and leaders, and a random sample of the others.
    """
    every = [run.finished for run in comparison.runs]
    room = MOST
    if sum(map(len, every)) <= room:
        return every
    told = [_told(comparison, run) for run in comparison.runs]
    rest: list[Picked] = [
        (run, trial)
        for run, kept in zip(comparison.runs, told, strict=True)
        for trial in run.finished
        if trial.trial not in kept
    ]
    left = max(0, room - sum(map(len, told)))
    sample = {
        (id(run), trial.trial) for run, trial in random.Random(0).sample(rest, min(left, len(rest)))
    }
    return [
        [t for t in run.finished if t.trial in kept or (id(run), t.trial) in sample]
        for run, kept in zip(comparison.runs, told, strict=True)
    ]


def _told(comparison: Comparison, run: Snapshot) -> set[int]:
    """The trials that are drawn in any case."""
    kept = {trial.trial for trial in (*run.front(), *run.baselines)}
    kept |= {row.trial for row in standings(run)}
    kept |= {run.winner.trial} if run.winner is not None else set()
    for axis in comparison.cost_axes:
        kept |= {trial.trial for trial in front(run.finished, (run.quality, axis))}
    return kept


def _axis(comparison: Comparison, key: str) -> dict[str, Any]:
    """What an axis is called, how it is spaced, and which way is better."""
    spent = key in AXES
    title = AXES.get(key) or (
        scored(comparison.first)
        if key == comparison.quality
        else f"validation {label(key)}"
        if comparison.first.trained
        else label(key)
    )
    return {
        "label": label(key),
        "title": title,
        "log": spent,
        "percent": key.endswith("accuracy"),
        "unit": " ms" if key == "latency_ms" else "",
        "bytes": key.endswith("_bytes"),
        "better": -1 if direction(key) == "minimize" else 1,
    }


def _columns(
    place: int, run: Snapshot, rows: Sequence[Trial], axes: Sequence[str], cards: Cards, full: bool
) -> dict[str, Any]:
    winner = run.winner
    where = cards.places
    intervals = [accuracy_interval(run, trial) for trial in rows]

    def role(trial: Trial) -> int:
        return 2 if winner is not None and trial.trial == winner.trial else int(trial.baseline)

    found: dict[str, Any] = {
        "name": run.name,
        "limits": {
            key: [limit, measure(key, limit)]
            for key, limit in run.part("budget").items()
            if key in AXES and is_number(limit) and limit > 0
        },
        "trial": [trial.trial for trial in rows],
        "label": [str(trial.name)[:60] for trial in rows],
        "role": [role(trial) for trial in rows],
        "eligible": [int(trial.eligible) for trial in rows],
        "card": [where.get((place, trial.trial), -1) for trial in rows],
        **{key: [_number(trial.objective(key)) for trial in rows] for key in axes},
    }
    if any(intervals):
        found["low"] = [None if pair is None else round(pair[0], 4) for pair in intervals]
        found["high"] = [None if pair is None else round(pair[1], 4) for pair in intervals]
    if full:
        found["told"] = [_decisions(trial.choices) for trial in rows]
    return found


def _number(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")


def _decisions(choices: Mapping[str, Any]) -> list[str]:
    """Some decisions of a design, for the label under the pointer."""
    told = [f"{str(name)[:40]} = {plain(value)[:40]}" for name, value in choices.items()]
    more = len(told) - _CHOICES
    return [*told[:_CHOICES], *([f"and {more} more decisions"] if more > 0 else [])]


def _untrained(comparison: Comparison) -> dict[str, list[Any]]:
    """Costs of the papers' networks that no run tried, for the runs' images; empty without them."""
    found: dict[str, list[Any]] = {"label": [], **{key: [] for key in COST_KEYS}}
    settings = comparison.first.settings
    images, classes = settings.get("input"), settings.get("classes")
    names = comparison.first.part("data").get("classes")
    classes = classes or (len(names) if isinstance(names, list) else None)
    if not isinstance(images, str) or not is_number(classes):
        return found
    tried = {str(t.name).split(" ")[0] for run in comparison.runs for t in run.baselines}
    for name in preset_names():
        if name in tried:
            continue
        try:
            spent = cost(load_preset(name, input=images, classes=classes))
        except DseError:
            continue  # it cannot take images of this size
        found["label"].append(name)
        for key in COST_KEYS:
            found[key].append(getattr(spent, key))
    return found
