"""The page's plots as plotly's JSON.

The page's script adds the colours, which follow the reader's light or dark scheme.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape as escape_all
from typing import Any

from dse.report.snapshot import Snapshot, is_number
from dse.report.wording import label, measure, plain, scored
from dse.runs import Trial

Plot = dict[str, Any]

X_AXES = ("params", "macs", "peak_activation_bytes", "latency_ms")

AXIS_TITLES = {
    "params": "parameters",
    "macs": "MACs for one image (FLOPs = 2 × MACs)",
    "peak_activation_bytes": "peak activation memory, bytes",
    "latency_ms": "latency, ms per image",
}

HOVER_CHOICES = 12
"""How many of a design's decisions its hover label shows: it has to fit on a phone."""

FULL_HOVER_TRIALS = 1_000
"""In a larger run the hover labels leave the decisions out, or the page would grow too large."""


def escape(text: str) -> str:
    """Text that plotly shows as it is: it reads tags and entities, but not that of a quote."""
    return escape_all(text, quote=False)


def pareto(snapshot: Snapshot) -> Plot | None:
    """Quality against cost: traces once, and for each x axis its values, front, shading and range.

    ``traces[i]`` with ``views[axis].x[i]`` as its x, and ``views[axis].front``, are what plotly
    draws in ``views[axis].layout``. None if no trial has a value to show.
    """
    quality = snapshot.quality
    shown = [trial for trial in snapshot.finished if trial.objective(quality) is not None]
    if not shown:
        return None
    winner = snapshot.winner
    groups: dict[str, list[Trial]] = {"searched": [], "preset": [], "winner": []}
    for trial in shown:
        won = winner is not None and trial.trial == winner.trial
        groups["winner" if won else "preset" if trial.baseline else "searched"].append(trial)
    budget = snapshot.part("budget")
    brief = len(shown) > FULL_HOVER_TRIALS
    return {
        "traces": [_points(role, trials, quality, brief) for role, trials in groups.items()],
        "views": {
            axis: {
                "x": [[trial.objective(axis) for trial in trials] for trials in groups.values()],
                "front": _front(snapshot, axis, shown),
                "layout": _layout(axis, snapshot, shown, budget.get(axis)),
            }
            for axis in X_AXES
            if all((trial.objective(axis) or 0) > 0 for trial in shown)
        },
    }


def _points(role: str, trials: Sequence[Trial], quality: str, brief: bool) -> Plot:
    names = {"searched": "searched design", "preset": "preset of a paper", "winner": "winner"}
    symbols = {"searched": "circle", "preset": "diamond", "winner": "star"}
    sizes = {"searched": 9, "preset": 11, "winner": 16}
    trace: Plot = {
        "type": "scatter",
        "mode": "markers",
        "name": names[role],
        "meta": role,
        "y": [trial.objective(quality) for trial in trials],
        "customdata": [trial.trial for trial in trials],
        "hovertext": [_hover(trial, quality, brief) for trial in trials],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {"symbol": symbols[role], "size": sizes[role]},
        "visible": bool(trials),
    }
    if role == "preset":
        trace["mode"] = "markers+text"
        trace["text"] = [escape(str(trial.name)[:28]) for trial in trials]
        trace["textposition"] = "bottom center"
    return trace


def _hover(trial: Trial, quality: str, brief: bool) -> str:
    lines = [f"<b>{escape(str(trial.name)[:60])}</b>, trial {trial.trial}"]
    for key in (quality, *X_AXES):
        value = trial.objective(key)
        if value is not None:
            lines.append(f"{escape(label(key))} {measure(key, value)}")
    choices = list(trial.choices.items())
    for name, value in [] if brief else choices[:HOVER_CHOICES]:
        lines.append(escape(f"{str(name)[:40]} = {plain(value)[:40]}"))
    if not brief and len(choices) > HOVER_CHOICES:
        lines.append(f"and {len(choices) - HOVER_CHOICES} more decisions")
    return "<br>".join(lines)


def _front(snapshot: Snapshot, axis: str, shown: Sequence[Trial]) -> Plot:
    """The steps of the best quality that each cost buys, drawn on to the dearest design."""
    steps = sorted(
        (trial.objective(axis), trial.objective(snapshot.quality))
        for trial in snapshot.front(snapshot.quality, axis)
    )
    end = max(trial.objective(axis) or 0 for trial in shown)
    x = [step[0] for step in steps]
    y = [step[1] for step in steps]
    if x and x[-1] is not None and end > x[-1]:
        x, y = [*x, end], [*y, y[-1]]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "Pareto front",
        "meta": "front",
        "x": x,
        "y": y,
        "line": {"shape": "hv", "width": 2},
        "hoverinfo": "skip",
    }


def _layout(axis: str, snapshot: Snapshot, shown: Sequence[Trial], limit: Any) -> Plot:
    values = [value for trial in shown if (value := trial.objective(axis))]
    bounded = is_number(limit) and limit > 0
    if bounded:
        values.append(limit)
    low, high = math.log10(min(values)), math.log10(max(values))
    room = 0.08 * (high - low) + 0.06
    layout: Plot = {
        "xaxis": {
            "type": "log",
            "title": {"text": AXIS_TITLES[axis]},
            "range": [low - room, high + room * (2 if bounded else 1)],
            "dtick": "D1" if high - low < 1.4 else "D2" if high - low < 2.4 else 1,
            "exponentformat": "SI",
        },
        "yaxis": {"title": {"text": escape(scored(snapshot))}},
    }
    if snapshot.quality.endswith("accuracy"):
        layout["yaxis"]["tickformat"] = ".0%"
    if bounded:
        layout["shapes"] = [
            {
                "type": "rect",
                "xref": "x",
                "yref": "paper",
                "x0": limit,
                "x1": 10 ** (high + 2),
                "y0": 0,
                "y1": 1,
                "layer": "below",
                "line": {"width": 0},
            }
        ]
        layout["annotations"] = [
            {
                "x": math.log10(limit),
                "xref": "x",
                "y": 1,
                "yref": "paper",
                "xanchor": "right",
                "yanchor": "top",
                "text": f"budget {measure(axis, limit)} ▸",
                "showarrow": False,
            }
        ]
    return layout


# -- learning curves ------------------------------------------------------------------------------

MOST_CURVES = 4


def learning(snapshot: Snapshot) -> Plot | None:
    """Quality by epoch of the winner, the best preset and some of the front, or None."""
    winner = snapshot.winner
    if winner is None:
        return None
    best = sorted(
        snapshot.baselines, key=lambda t: -(t.objective(snapshot.quality) or float("-inf"))
    )
    chosen = {trial.trial: trial for trial in [winner, *best[:1], *snapshot.front()]}
    traces = []
    for trial in list(chosen.values())[:MOST_CURVES]:
        steps = _steps(trial, snapshot.quality)
        if steps:
            won = trial.trial == winner.trial
            role = "winner" if won else "preset" if trial.baseline else "searched"
            traces.append(_curve(f"{trial.name}, trial {trial.trial}", role, steps))
    return _epochs(traces, snapshot.quality, scored(snapshot))


def losses(snapshot: Snapshot) -> Plot | None:
    """The winner's training and validation loss by epoch; None without history."""
    winner = snapshot.winner
    traces = []
    for key, name, role in (
        ("train_loss", "training", "searched"),
        ("loss", "validation", "winner"),
    ):
        steps = _steps(winner, key) if winner else []
        if steps:
            traces.append(_curve(name, role, steps))
    return _epochs(traces, "loss", "loss of the winner")


def _steps(trial: Trial, key: str) -> list[tuple[float, float]]:
    """A metric by epoch; where the history counts no epochs, its rows are counted."""
    return [
        (row["epoch"] if is_number(row.get("epoch")) else position, row[key])
        for position, row in enumerate(trial.history, start=1)
        if is_number(row.get(key))
    ]


def _curve(name: str, role: str, steps: list[tuple[float, float]]) -> Plot:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": escape(name),
        "meta": role,
        "x": [step[0] for step in steps],
        "y": [step[1] for step in steps],
        "line": {"width": 3 if role == "winner" else 1.6},
        "marker": {"size": 5},
    }


def _epochs(traces: list[Plot], metric: str, title: str) -> Plot | None:
    if not traces:
        return None
    layout: Plot = {
        "xaxis": {"title": {"text": "epoch"}, "tickformat": "d"},
        "yaxis": {"title": {"text": escape(title)}},
    }
    if metric.endswith("accuracy"):
        layout["yaxis"]["tickformat"] = ".0%"
    return {"traces": traces, "layout": layout}
