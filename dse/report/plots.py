"""The plots that are the same in a page and beside a text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log, sqrt

from dse.report.comparison import Comparison
from dse.report.curves import score_axis
from dse.report.learned import DecisionRow, ProxyRow
from dse.report.plot import Axis, Plot, Series, Symbol, role_of
from dse.report.points import AXES, drawn
from dse.report.progress import Curve
from dse.report.snapshot import Snapshot, is_number
from dse.report.wording import label, many, measure, scored
from dse.runs import Trial, front

_MOST_PRESETS = 12
"""At most so many presets have their names beside them; the others keep their marks."""


@dataclass(frozen=True)
class _Kind:
    """How designs of a kind are drawn."""

    role: str
    name: str
    symbol: Symbol
    size: int


_SEARCHED = _Kind("searched", "searched", "circle", 7)
_PRESET = _Kind("preset", "presets", "diamond", 9)
_WINNER = _Kind("winner", "winner", "star", 15)


def pareto(comparison: Comparison, x: str, y: str) -> Plot:
    """Designs of all runs by a cost and a score (or another cost), each run's front as steps."""
    series: list[Series] = []
    for place, rows in enumerate(drawn(comparison)):
        series += _of_run(comparison, place, rows, x, y)
    limits = [run.part("budget").get(x) for run in comparison.runs]
    known = [float(limit) for limit in limits if is_number(limit) and limit > 0]
    title = AXES.get(y) or scored(comparison.first)
    return Plot(
        f"{title} against {label(x)}",
        Axis(AXES[x], log=True, form="bytes" if x.endswith("_bytes") else "number"),
        Axis(title, log=True) if y in AXES else score_axis(y, title),
        tuple(series),
        (max(known), f"budget {measure(x, max(known))}") if known else None,
    )


def _of_run(
    comparison: Comparison, place: int, rows: Sequence[Trial], x: str, y: str
) -> Iterator[Series]:
    """A run's front, its designs, the papers' and its winner."""
    run, several = comparison.runs[place], len(comparison.runs) > 1
    spots = {
        trial.trial: (cost, score)
        for trial in rows
        if (cost := trial.objective(x)) is not None and (score := trial.objective(y)) is not None
    }
    steps = sorted(spots[t.trial] for t in front(rows, (y, x)) if t.trial in spots)
    if steps:
        xs, ys = zip(*steps, strict=True)
        role, name = (role_of(place), run.name) if several else ("front", "Pareto front")
        yield Series(name, role, xs, ys, kind="steps", dash=place)
    winner = -1 if run.winner is None else run.winner.trial
    for kind in (_SEARCHED, _PRESET, _WINNER):
        chosen = [trial for trial in rows if trial.trial in spots and _kind(trial, winner) is kind]
        if not chosen:
            continue
        xs, ys = zip(*(spots[trial.trial] for trial in chosen), strict=True)
        named = kind is _PRESET and place == 0
        yield Series(
            "" if several else kind.name,
            role_of(place) if several else kind.role,
            xs,
            ys,
            kind="points",
            symbol=kind.symbol,
            size=kind.size,
            labels=tuple(str(trial.name) for trial in chosen[:_MOST_PRESETS]) if named else (),
            hover=tuple(f"{trial.name}, trial {trial.trial}" for trial in chosen),
        )


def _kind(trial: Trial, winner: int) -> _Kind:
    if trial.trial == winner:
        return _WINNER
    return _PRESET if trial.baseline else _SEARCHED


def hypervolume(curves: Sequence[Curve], title: str) -> Plot:
    """How fast searches found what they found."""
    return Plot(
        f"hypervolume against {title}",
        Axis(title),
        Axis("hypervolume, share of the box"),
        tuple(
            Series(curve.name, role_of(n), curve.x, curve.mean, "steps", dash=n, band=curve.band)
            for n, curve in enumerate(curves)
        ),
    )


def importance(decisions: Sequence[DecisionRow]) -> Plot:
    """Shares of the importance, the most important at the top."""
    rows = list(reversed(decisions))
    return Plot(
        "importance of decisions",
        Axis("share of the importance", form="percent"),
        Axis("", names=tuple(row.name for row in rows)),
        (
            Series(
                "",
                "searched",
                tuple(row.share for row in rows),
                tuple(float(n) for n in range(len(rows))),
                "points",
                bars=tuple((0.0, row.share) for row in rows),
                hover=tuple(f"{row.name}: {100 * row.share:.0f}%" for row in rows),
            ),
        ),
        zero=True,
    )


def effects(decisions: Sequence[DecisionRow], metric: str) -> Plot:
    """What options do at equal cost, with 95 % intervals; those of a decision stand together.

    Intervals of options with few trials may be wider than the picture: they are cut at its edge.
    """
    options = [
        (row.name, option) for row in reversed(decisions) for option in reversed(row.options)
    ]
    sure = [abs(end) for _, o in options if o.interval and o.trials > 3 for end in o.interval]
    edge = 1.15 * max([*sure, *(2 * abs(option.effect) for _, option in options), 1e-6])
    return Plot(
        f"effect of {', '.join(row.name for row in decisions)} on {label(metric)} at equal cost",
        Axis(
            f"effect on {label(metric)} at equal cost",
            form="percent" if metric.endswith("accuracy") else "number",
        ),
        Axis("", names=tuple(f"{name} = {option.option}" for name, option in options)),
        (
            Series(
                "",
                "searched",
                tuple(option.effect for _, option in options),
                tuple(float(n) for n in range(len(options))),
                "points",
                bars=tuple(
                    None
                    if option.interval is None
                    else (max(option.interval[0], -edge), min(option.interval[1], edge))
                    for _, option in options
                ),
                hover=tuple(
                    f"{name} = {option.option}\n{many(option.trials, 'trial')}"
                    for name, option in options
                ),
            ),
        ),
        zero=True,
    )


def distribution(comparison: Comparison) -> Plot | None:
    """The share of searched designs that score at most so much, with the 95 % band of Dvoretzky,
    Kiefer, Wolfowitz and Massart around samples drawn at random; None with fewer than two designs.
    """
    if comparison.cost_only:
        return None
    quality = comparison.quality
    series = []
    for place, group in enumerate(comparison.groups):
        values = sorted(
            value
            for run in group.runs
            for trial in run.finished
            if not trial.baseline and (value := trial.objective(quality)) is not None
        )
        if len(values) < 2:
            continue
        count = len(values)
        shares = [(n + 1) / count for n in range(count)]
        half = sqrt(log(2 / 0.05) / (2 * count))
        drawn_freely = all(is_random(run) for run in group.runs)
        band = tuple((max(0.0, s - half), min(1.0, s + half)) for s in shares)
        name = f"{group.title}, {many(count, 'design')}"
        series.append(
            Series(
                name,
                role_of(place),
                (values[0], *values),
                (0.0, *shares),
                "steps",
                dash=place,
                band=((0.0, min(1.0, half)), *band) if drawn_freely else (),
            )
        )
    title = scored(comparison.first)
    if not series:
        return None
    return Plot(
        f"share of designs by {title}",
        score_axis(quality, title),
        Axis("share of designs at most so good", form="percent"),
        tuple(series),
    )


def is_random(run: Snapshot) -> bool:
    """Whether a run's designs are a random sample of its space."""
    return run.settings.get("sampler") == "random"


def proxy_costs(rows: Sequence[ProxyRow]) -> Plot | None:
    """What a proxy takes against how well it ranks designs of similar size; None if its time is not
    known.
    """
    known = [row for row in rows if row.seconds and row.within is not None]
    if not known:
        return None
    return Plot(
        "rank correlation of proxies against their time",
        Axis("milliseconds for a design", log=True),
        Axis("Kendall’s τ at similar size"),
        (
            Series(
                "",
                "searched",
                tuple(1000 * (row.seconds or 0) for row in known),
                tuple(row.within or 0.0 for row in known),
                "points",
                labels=tuple(row.name for row in known),
                hover=tuple(row.name for row in known),
            ),
        ),
    )
