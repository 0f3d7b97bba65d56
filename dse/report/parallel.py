"""Parallel coordinates: every design as a line through its decisions, coloured by its score."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from dse.report.learned import Learned
from dse.report.plot import Axis
from dse.report.plot.ticks import ticks
from dse.report.snapshot import Snapshot, is_number
from dse.report.wording import begun, label, measure, plain, short
from dse.runs import Trial, direction

_DECISIONS = 6
_LINES = 300
"""At most so many lines are drawn in a page, the best among them."""
_OPTIONS = 8
"""A decision with more values is drawn as a scale."""
_SHADES = 5
_WIDTH, _HEIGHT, _TOP, _BOTTOM, _SIDE = 980, 360, 40, 14, 60


@dataclass(frozen=True)
class _Line:
    """An axis: its name, the places of its values from 0 (bottom) to 1, and its ticks."""

    name: str
    places: Sequence[float]
    ticks: Sequence[tuple[float, str]]


@dataclass(frozen=True)
class Parallel:
    """The picture, and of how many designs it shows how many."""

    svg: str
    drawn: int
    of: int


def parallel(snapshot: Snapshot, learned: Learned | None, runs: int = 1) -> Parallel | None:
    """Lines over the most important decisions, the parameters and the score; None with fewer than
    three designs, or without decisions.

    Args:
        snapshot: the run.
        learned: what it learned, which says what is important.
        runs: how many runs are drawn in the same page.
    """
    room = max(_LINES // runs, 30)
    quality = snapshot.quality
    every = [t for t in snapshot.finished if t.choices and t.objective(quality) is not None]
    names = _names(every, learned)
    if len(every) < 3 or not names:
        return None
    sign = 1 if direction(quality) == "maximize" else -1
    rows = sorted(every, key=lambda t: sign * (t.objective(quality) or 0))
    if len(rows) > room:
        best = rows[-(room // 3) :]
        others = random.Random(0).sample(rows[: -(room // 3)], room - len(best))
        chosen = {t.trial for t in (*best, *others)}
        rows = [t for t in rows if t.trial in chosen]
    axes = [_decision(name, [t.choices.get(name) for t in rows]) for name in names]
    axes.append(_scale("params", [t.cost["params"] for t in rows], log=True))
    axes.append(_scale(quality, [t.objective(quality) or 0.0 for t in rows], log=False))
    return Parallel(_drawn(axes, rows, snapshot), len(rows), len(every))


def _names(rows: Sequence[Trial], learned: Learned | None) -> list[str]:
    """The decisions that vary, the most important first, then those that most designs have."""
    known = [row.name for row in learned.decisions] if learned else []
    counts: dict[str, int] = {}
    values: dict[str, set[str]] = {}
    for trial in rows:
        for name, value in trial.choices.items():
            counts[name] = counts.get(name, 0) + 1
            values.setdefault(name, set()).add(str(value))
    others = sorted((n for n in counts if n not in known), key=lambda name: -counts[name])
    return [name for name in (*known, *others) if len(values.get(name, ())) > 1][:_DECISIONS]


def _decision(name: str, values: Sequence[Any]) -> _Line:
    """The axis of a decision; designs that do not meet it run along its bottom."""
    met = [value for value in values if value is not None]
    if all(map(is_number, met)) and len(set(met)) > _OPTIONS:
        scale = _scale(name, [float(value) for value in met], log=False)
        places = iter(scale.places)
        return _Line(
            name, [-0.04 if value is None else next(places) for value in values], scale.ticks
        )
    options = sorted(
        set(met),
        key=lambda value: (not is_number(value), value if is_number(value) else 0, str(value)),
    )
    step = 1 / max(1, len(options) - 1)
    at = {plain(option): 0.06 + 0.94 * place * step for place, option in enumerate(options)}
    missing = [(-0.04, "not met")] if len(met) < len(values) else []
    return _Line(
        name,
        [-0.04 if value is None else at[plain(value)] for value in values],
        [*missing, *((place, option) for option, place in at.items())],
    )


def _scale(name: str, values: Sequence[float], log: bool) -> _Line:
    axis = ticks(Axis(name, log=log), values, room=0.0)
    span = axis.high - axis.low
    ends = [min(values), max(values)] if span else [values[0]]
    inner = [v for v, _ in axis.at if all(abs(axis.share(v) - axis.share(e)) > 0.08 for e in ends)]
    return _Line(
        name,
        [axis.share(value) if span else 0.5 for value in values],
        [(axis.share(v) if span else 0.5, _told(name, v)) for v in (*ends, *inner)],
    )


def _told(name: str, value: float) -> str:
    return measure(name, value) if name.endswith("accuracy") else short(value)


def _drawn(axes: Sequence[_Line], rows: Sequence[Trial], snapshot: Snapshot) -> str:
    gap = (_WIDTH - 2 * _SIDE) / (len(axes) - 1)
    high = _HEIGHT - _TOP - _BOTTOM - 14

    def y(place: float) -> float:
        return _TOP + high * (1 - place)

    parts = [
        f'<svg class="figure parallel" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="group" '
        f'aria-label="Designs as lines through their decisions, coloured by '
        f'{escape(label(snapshot.quality))}">'
    ]
    for number, trial in enumerate(rows):
        shade = min(_SHADES - 1, number * _SHADES // len(rows))
        places = [axis.places[number] for axis in axes]
        path = " ".join(f"{_SIDE + gap * n:.0f},{y(place):.1f}" for n, place in enumerate(places))
        keys = " ".join(f"{place:.3f}" for place in places)
        score = measure(snapshot.quality, trial.objective(snapshot.quality))
        told = f"{trial.name}, trial {trial.trial}: {score}"
        parts.append(
            f'<polyline class="shade{shade}" data-at="{keys}" points="{path}">'
            f"<title>{escape(told)}</title></polyline>"
        )
    for n, axis in enumerate(axes):
        x = _SIDE + gap * n
        parts.append(
            f'<line class="axis" x1="{x:.0f}" y1="{y(1)}" x2="{x:.0f}" y2="{y(-0.04):.1f}"/>'
        )
        name = begun(label(axis.name))
        # Names of neighbours stand at two heights, or long ones would run into each other.
        parts.append(
            f'<text class="name" x="{x:.0f}" y="{14 if n % 2 else 28}" text-anchor="middle">'
            f"{escape(name if len(name) <= 34 else name[:33] + '…')}</text>"
        )
        for place, text in axis.ticks:
            short_text = text if len(text) <= 16 else text[:15] + "…"
            parts.append(
                f'<g class="option" role="button" tabindex="0" aria-pressed="false" '
                f'data-axis="{n}" data-place="{place:.3f}" '
                f'aria-label="{escape(f"{axis.name} {text}")}">'
                f'<rect x="{x - 8:.0f}" y="{y(place) - 9:.1f}" '
                f'width="{16 + 6.4 * len(short_text):.0f}" height="18" rx="4"/>'
                f'<text x="{x + 6:.0f}" y="{y(place) + 4:.1f}">{escape(short_text)}</text></g>'
            )
    return "".join([*parts, "</svg>"])
