"""A plot as plotly's JSON. The page's script adds the colours, which follow its scheme."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape as escape_all
from typing import Any

from dse.report.plot.model import Axis, Plot, Series


def escape(text: str) -> str:
    """Text that plotly shows as it is: it reads tags and entities, but not that of a quote."""
    return escape_all(text, quote=False)


def as_plotly(plot: Plot) -> dict[str, Any]:
    """``traces`` and ``layout``; roles are in the traces' ``meta``, dashes in its ``dash``."""
    traces = []
    for series in plot.series:
        if series.band:
            traces.append(_band(series))
        traces.append(_trace(series))
    layout: dict[str, Any] = {"xaxis": _axis(plot.x), "yaxis": _axis(plot.y)}
    if plot.zero:
        layout["xaxis"]["zeroline"] = True
    return {"traces": traces, "layout": layout}


def _axis(axis: Axis) -> dict[str, Any]:
    found: dict[str, Any] = {"title": {"text": escape(axis.title)}}
    if axis.log:
        found |= {"type": "log", "exponentformat": "SI"}
    if axis.form == "percent":
        found["tickformat"] = ".0%"
    if axis.names:
        found |= {
            "tickvals": list(range(len(axis.names))),
            "ticktext": [escape(name) for name in axis.names],
            "range": [-0.6, len(axis.names) - 0.4],
        }
    return found


def _trace(series: Series) -> dict[str, Any]:
    marks = series.kind == "points"
    trace: dict[str, Any] = {
        "type": "scatter",
        "mode": "markers" if marks else "lines",
        "name": escape(series.name),
        "meta": {"role": series.role, "dash": series.dash},
        "x": _rounded(series.x),
        "y": _rounded(series.y),
    }
    if marks:
        trace["marker"] = {"symbol": series.symbol, "size": series.size}
    else:
        trace["line"] = {"width": 2, **({"shape": "hv"} if series.kind == "steps" else {})}
    if any(series.bars):
        pairs = list(zip(series.x, series.bars, strict=True))
        trace["error_x"] = {
            "type": "data",
            "symmetric": False,
            "array": _rounded([0.0 if bar is None else bar[1] - x for x, bar in pairs]),
            "arrayminus": _rounded([0.0 if bar is None else x - bar[0] for x, bar in pairs]),
            "thickness": 1.5,
        }
    if series.hover:
        trace["hovertext"] = [escape(text).replace("\n", "<br>") for text in series.hover]
        trace["hovertemplate"] = "%{hovertext}<extra></extra>"
    return trace


def _rounded(values: Sequence[float]) -> list[float]:
    """More digits than a screen has pixels, and no more than that."""
    return [float(f"{value:.5g}") for value in values]


def _band(series: Series) -> dict[str, Any]:
    """The area, as an outline that goes there along the top and back along the bottom."""
    x = list(series.x)
    lows, highs = [low for low, _ in series.band], [high for _, high in series.band]
    if series.kind == "steps":
        x, highs, lows = _stepped(x, highs, lows)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": escape(series.name),
        "meta": {"role": series.role, "band": True},
        "x": _rounded([*x, *reversed(x)]),
        "y": _rounded([*highs, *reversed(lows)]),
        "fill": "toself",
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _stepped(
    x: list[float], highs: list[float], lows: list[float]
) -> tuple[list[float], list[float], list[float]]:
    """The corners of steps that keep each value until the next."""
    ends = [value for pair in zip(x, [*x[1:], x[-1]], strict=True) for value in pair]
    return (
        ends,
        [v for high in highs for v in (high, high)],
        [v for low in lows for v in (low, low)],
    )
