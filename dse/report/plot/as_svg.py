"""A plot as SVG: a picture that needs no script, for texts, and for cards within the page.

Colours are the page's; a picture that stands alone brings them along (`alone`).
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import pairwise

from dse.report.plot.model import Plot, Series
from dse.report.plot.place import placed
from dse.report.plot.ticks import ticks
from dse.resources import resource_dir

WIDTH, HEIGHT = 720, 400
_TOP, _RIGHT, _BOTTOM, _LEFT = 14, 18, 46, 64
_LETTER = 6.4
"""About as wide is a letter of the ticks' text, pixels."""
_LINE = 20
"""Height of a line of the legend."""
_DASHES = ("", "6 4", "2 3", "8 3 2 3", "12 4")


def as_svg(plot: Plot, width: int = WIDTH, height: int = HEIGHT, *, alone: bool = False) -> str:
    """The plot as an SVG element.

    Args:
        plot: what to draw.
        width: pixels, legend and titles included.
        height: pixels.
        alone: whether it is a file of its own, with the colours of light and dark schemes.
    """
    return "".join(_Drawing(plot, width, height).parts(alone))


class _Drawing:
    """The plot at a size: where values lie in pixels, and the elements in order."""

    def __init__(self, plot: Plot, width: int, height: int) -> None:
        self.plot, self.width, self.height = plot, width, height
        xs = [x for series in plot.series for x in series.x]
        xs += [end for series in plot.series for bar in series.bars if bar for end in bar]
        ys = [y for series in plot.series for y in series.y]
        ys += [end for series in plot.series for pair in series.band for end in pair]
        xs += [0.0] if plot.zero else []
        xs += [plot.limit[0]] if plot.limit else []
        # What the limit is called stands at the top, above all marks.
        self.x, self.y = ticks(plot.x, xs), ticks(plot.y, ys, above=0.1 if plot.limit else 0.0)
        named = max((len(name) for name in plot.y.names), default=0)
        self.left = max(_LEFT, min(named * _LETTER + 16, 0.45 * width))
        self.legend = list(self._legend())
        rows = max((row for *_, row in self.legend), default=-1) + 1
        self.top = _TOP + rows * _LINE
        self.wide = width - self.left - _RIGHT
        self.high = height - self.top - _BOTTOM

    def at(self, x: float, y: float) -> tuple[float, float]:
        return (
            self.left + self.wide * self.x.share(x),
            self.top + self.high * (1 - self.y.share(y)),
        )

    def parts(self, alone: bool) -> Iterator[str]:
        space = ' xmlns="http://www.w3.org/2000/svg"' if alone else ""
        size = f' width="{self.width}" height="{self.height}"' if alone else ""
        yield (
            f'<svg{space} class="figure" viewBox="0 0 {self.width} {self.height}"{size} role="img" '
            f'aria-label="{escape(self.plot.about)}">'
        )
        if alone:
            folder = resource_dir("templates") / "report"
            styles = [(folder / name).read_text("utf-8") for name in ("colours.css", "figure.css")]
            yield f"<style>{''.join(styles)}</style>"
            yield f'<rect class="paper" width="{self.width}" height="{self.height}"/>'
        yield from self._frame()
        for series in self.plot.series:
            yield from self._series(series)
        yield from self._labels()
        for x, text, series, row in self.legend:
            yield from self._key(x, _TOP + row * _LINE + 6, text, series)
        yield "</svg>"

    def _frame(self) -> Iterator[str]:
        bottom, right = self.top + self.high, self.left + self.wide
        if self.plot.limit is not None:
            edge = self.at(self.plot.limit[0], self.y.at[0][0] if self.y.at else 0)[0]
            if edge < right:
                yield (
                    f'<rect class="over" x="{edge:.1f}" y="{self.top:.1f}" '
                    f'width="{right - edge:.1f}" height="{self.high:.1f}"/>'
                )
            yield _text(edge - 5, self.top + 12, self.plot.limit[1], "end", "quiet")
        for value, text in self.y.at:
            y = self.top + self.high * (1 - self.y.share(value))
            yield _line("grid", self.left, y, right, y)
            room = int((self.left - 12) / _LETTER)
            told = text if len(text) <= room else text[: room - 1] + "…"
            yield _text(self.left - 7, y + 4, told, "end", "tick")
        last = -1e9
        for value, text in self.x.at:
            x = self.left + self.wide * self.x.share(value)
            yield _line("grid", x, self.top, x, bottom)
            half = len(text) * _LETTER / 2
            if x - half > last + 6:
                yield _text(x, bottom + 17, text, "middle", "tick")
                last = x + half
        if self.plot.zero:
            x = self.left + self.wide * self.x.share(0.0)
            yield _line("axis", x, self.top, x, bottom)
        yield _line("axis", self.left, bottom, right, bottom)
        yield _text((self.left + right) / 2, self.height - 8, self.plot.x.title, "middle", "quiet")
        if self.plot.y.title:
            y = self.top + self.high / 2
            yield (
                f'<text class="quiet" text-anchor="middle" transform="translate(14 {y:.0f}) '
                f'rotate(-90)">{escape(self.plot.y.title)}</text>'
            )

    def _series(self, series: Series) -> Iterator[str]:
        points = [self.at(x, y) for x, y in zip(series.x, series.y, strict=True)]
        if series.band:
            highs = [self.at(x, b[1]) for x, b in zip(series.x, series.band, strict=True)]
            lows = [self.at(x, b[0]) for x, b in zip(series.x, series.band, strict=True)]
            if series.kind == "steps":
                highs, lows = _steps(highs), _steps(lows)
            yield f'<polygon class="band {series.role}" points="{_path([*highs, *lows[::-1]])}"/>'
        if series.kind != "points":
            path = _steps(points) if series.kind == "steps" else points
            dash = _DASHES[series.dash % len(_DASHES)]
            broken = f' stroke-dasharray="{dash}"' if dash else ""
            yield f'<polyline class="line {series.role}"{broken} points="{_path(path)}"/>'
            return
        for y, bar in zip(series.y, series.bars, strict=False):
            if bar is not None:
                (low, at), (high, _) = self.at(bar[0], y), self.at(bar[1], y)
                yield _line(f"bar {series.role}", low, at, high, at)
        for (x, y), told in zip(points, series.hover or [""] * len(points), strict=True):
            yield _mark(series, x, y, told)

    def _labels(self) -> Iterator[str]:
        marks, labels = [], []
        for series in self.plot.series:
            if series.kind != "points":
                continue
            points = [self.at(x, y) for x, y in zip(series.x, series.y, strict=True)]
            marks += [(x - self.left, y - self.top) for x, y in points]
            labels += [
                (x - self.left, y - self.top, text)
                for (x, y), text in zip(points, series.labels, strict=False)
                if text
            ]
        for label in placed(labels, marks, self.wide, self.high):
            yield _text(label.x + self.left, label.y + self.top, label.text, label.anchor, "label")

    def _legend(self) -> Iterator[tuple[float, str, Series, int]]:
        """The keys: x, text, series and row, filled from the left."""
        x, row = float(_TOP), 0
        for series in self.plot.series:
            if not series.name:
                continue
            wide = 30 + len(series.name) * _LETTER + 18
            if x > _TOP and x + wide > self.width:
                x, row = float(_TOP), row + 1
            yield x, series.name, series, row
            x += wide

    def _key(self, x: float, y: float, text: str, series: Series) -> Iterator[str]:
        if series.kind == "points":
            yield _mark(series, x + 11, y, "")
        else:
            dash = _DASHES[series.dash % len(_DASHES)]
            broken = f' stroke-dasharray="{dash}"' if dash else ""
            yield f'<polyline class="line {series.role}"{broken} points="{x},{y} {x + 22},{y}"/>'
        yield _text(x + 28, y + 4, text, "start", "key")


def _steps(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The corners of a line that keeps each height until the next point."""
    corners = points[:1]
    for (_, before), point in pairwise(points):
        corners += [(point[0], before), point]
    return corners


def _path(points: list[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


_CORNERS: dict[str, list[tuple[float, float]]] = {
    "diamond": [(0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)],
    "square": [(-1, -1), (1, -1), (1, 1), (-1, 1)],
    "star": [
        (0, -1.2), (0.27, -0.37), (1.14, -0.37), (0.44, 0.14), (0.71, 0.97),
        (0, 0.46), (-0.71, 0.97), (-0.44, 0.14), (-1.14, -0.37), (-0.27, -0.37),
    ],
}  # fmt: skip
"""Of marks around a middle, in their radius."""


def _mark(series: Series, x: float, y: float, told: str) -> str:
    """A mark; it tells of itself where the pointer rests on it."""
    r = series.size / 2
    title = f"<title>{escape(told)}</title>" if told else ""
    kind = f'class="mark {series.role}"'
    if series.symbol == "circle":
        return f'<circle {kind} cx="{x:.1f}" cy="{y:.1f}" r="{r:g}">{title}</circle>'
    corners = _CORNERS[series.symbol]
    path = _path([(x + r * dx, y + r * dy) for dx, dy in corners])
    return f'<polygon {kind} points="{path}">{title}</polygon>'


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str, kind: str) -> str:
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
    )
