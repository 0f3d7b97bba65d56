"""A plot as data: drawn by plotly in a page, and as SVG beside a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dse.report.uncertainty import Interval

Points = tuple[float, ...]
Symbol = Literal["circle", "diamond", "star", "square"]


@dataclass(frozen=True)
class Axis:
    """An axis.

    Attributes:
        title: with the unit.
        log: whether it is logarithmic; its values are above zero.
        form: how ticks are written: as a number, a share in percent, a size in bytes.
        names: of the values 0, 1, 2 ..., where they stand for things, from the bottom.
    """

    title: str
    log: bool = False
    form: Literal["number", "percent", "bytes"] = "number"
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Series:
    """What is drawn alike.

    Attributes:
        name: in the legend.
        role: what it stands for, which gives the colour: ``searched``, ``preset``, ``winner``,
            ``front``, or ``run0`` to ``run7``.
        x: of each point.
        y: of each point.
        kind: marks, a line, or a line in steps that keeps each value until the next.
        symbol: of the marks.
        dash: 0 for an unbroken line, else which of the broken ones.
        size: of the marks, pixels.
        band: an interval around each `y`, drawn as an area around the line.
        bars: an interval beside each `x`, drawn as a bar through the mark.
        labels: text beside each mark.
        hover: what is told of each point, in lines.
    """

    name: str
    role: str
    x: Points
    y: Points
    kind: Literal["points", "line", "steps"] = "line"
    symbol: Symbol = "circle"
    dash: int = 0
    size: int = 8
    band: tuple[Interval, ...] = ()
    bars: tuple[Interval | None, ...] = ()
    labels: tuple[str, ...] = ()
    hover: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plot:
    """A plot.

    Attributes:
        about: what it shows, for who cannot see it.
        x: the horizontal axis.
        y: the vertical axis.
        series: in the order in which they are drawn.
        limit: beyond which x no design is allowed, and what to call it.
        zero: whether a line is drawn where x is zero.
    """

    about: str
    x: Axis
    y: Axis
    series: tuple[Series, ...]
    limit: tuple[float, str] | None = None
    zero: bool = False


RUNS = 8
"""How many colours there are for runs; after so many they begin anew, with other dashes."""


def role_of(position: int) -> str:
    """The role of the run or group at a position."""
    return f"run{position % RUNS}"
