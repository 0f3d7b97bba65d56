"""The live view's lines: as many rows and columns as the terminal has room for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Protocol

from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from dse.cli.sparkline import BLOCKS, PLAIN, sparkline

_CURVE = 12
"""Characters of a learning curve."""
_FRONT = 6
"""Designs of the front that are shown where there is room."""
_LEFT_FREE = 4
"""Lines of the terminal that stay for what has ended, and for notes."""
_WIDE, _NARROW = 76, 48
"""Columns from which every column is shown, and those below which the least are."""
_NAMES = {"params": "params", "macs": "MACs", "latency_ms": "ms", "size_bytes": "bytes"}


@dataclass(frozen=True)
class Row:
    """A design that trains, or that is on the front.

    Attributes:
        trial: its number.
        name: its name.
        curve: its metric after each step; empty before the first.
        epochs: how many steps it had.
        costs: what it costs, in the view's order.
        seconds: spent on it.
    """

    trial: int
    name: str
    curve: Sequence[float]
    epochs: int
    costs: Sequence[float | None]
    seconds: float


class Shown(Protocol):
    """What is drawn."""

    run: str
    metric: str
    aims: str
    costs: list[str]
    done: int
    total: int

    @property
    def spent(self) -> float: ...
    @property
    def waiting(self) -> int: ...
    @property
    def left(self) -> tuple[float, bool] | None: ...
    def rows(self) -> tuple[list[Row], list[Row]]: ...


def draw(view: Shown, width: int, height: int, ascii_only: bool) -> Group:
    """A line of progress; below it what runs and the front, if there is room for both."""
    running, front = view.rows()
    room = max(0, height - _LEFT_FREE - 1)
    if room < 4:
        return Group(_head(view, width))
    # A line is each section's title. The front keeps a line, whatever runs.
    kept = min(len(front), _FRONT, max(1, room - 2 - len(running)))
    shown = min(len(running), room - 1 - (kept + 1 if kept else 0))
    table = _Table(view, width, BLOCKS if not ascii_only else PLAIN)
    table.bounds([*running[:shown], *front[:kept]])
    table.add(_more("running", len(running), shown), running[:shown])
    aims = f"front of {view.aims}" if width >= _WIDE else "front"
    table.add(_more(aims, len(front), kept), front[:kept])
    return Group(_head(view, width), table.table)


def _more(title: str, there: int, shown: int) -> str:
    return title if shown == there else f"{title} ({shown} of {there})"


def _head(view: Shown, width: int) -> Table:
    said = [f"{view.done}/{view.total}"]
    if width >= _NARROW:
        said.append(time_text(view.spent))
    if view.left is not None and width >= _NARROW:
        seconds, limited = view.left
        said.append(f"{'at most' if limited else 'about'} {time_text(seconds)} left")
    if view.waiting and width >= _WIDE:
        said.append(f"{view.waiting} paused")
    head = Table.grid(padding=(0, 2, 0, 0))
    head.add_column(no_wrap=True, overflow="ellipsis", max_width=max(8, width // 4))
    head.add_column(no_wrap=True)
    head.add_column(no_wrap=True, overflow="ellipsis")
    bar = ProgressBar(max(1, view.total), view.done, width=max(6, width // 5))
    head.add_row(Text(view.run, "bold"), bar, Text("  ".join(said)))
    return head


class _Table:
    """Sections of rows under titles of their own, in one grid."""

    def __init__(self, view: Shown, width: int, marks: str) -> None:
        self._marks = marks
        self._low, self._high = 0.0, 1.0
        costs = [_NAMES.get(name, name.replace("_", " ")) for name in view.costs]
        self._titles = ["trial", "", "", view.metric, "step", *costs, "time"]
        all_, few = range(len(self._titles)), (0, 1, 2, 3)
        self._kept = all_ if width >= _WIDE else few if width >= _NARROW else few[:1] + few[2:]
        gap = 2 if width >= _NARROW else 1
        self.table = Table.grid(padding=(0, gap, 0, 0))
        for number in self._kept:
            # Of the columns names alone give way.
            gives = number == (1 if 1 in self._kept else 2)
            right = number not in (1, 2)
            self.table.add_column(justify="right" if right else "left", no_wrap=not gives)

    def bounds(self, rows: Iterable[Row]) -> None:
        """Draw every curve between the lowest and the highest value of all."""
        values = [value for row in rows for value in row.curve if isfinite(value)]
        if values:
            self._low, self._high = min(values), max(values)

    def add(self, title: str, rows: Sequence[Row]) -> None:
        """A section; none where it would be empty."""
        if not rows:
            return
        name = 1 if 1 in self._kept else 2
        titles = [*self._titles[:name], title, *self._titles[name + 1 :]]
        self._line([Text(each, "dim") for each in titles])
        for row in rows:
            self._line(
                [
                    Text(str(row.trial)),
                    Text(row.name),
                    Text(self._curve(row.curve), "cyan"),
                    Text(_number(row.curve[-1]) if row.curve else ""),
                    Text(str(row.epochs or "")),
                    *(Text("" if cost is None else _amount(cost)) for cost in row.costs),
                    Text(time_text(row.seconds)),
                ]
            )

    def _curve(self, values: Sequence[float]) -> str:
        line = sparkline(values, self._low, self._high, width=_CURVE, marks=self._marks)
        return line.ljust(_CURVE)

    def _line(self, cells: Sequence[Text]) -> None:
        for cell in cells:
            cell.no_wrap, cell.overflow = True, "ellipsis"
        self.table.add_row(*(cells[number] for number in self._kept))


def _number(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 1000 else f"{value:.4g}"


def _amount(value: float) -> str:
    return f"{value:.2f}" if isinstance(value, float) else f"{value:,}"


def time_text(seconds: float) -> str:
    """``0:42``, ``12:05``, ``1:02:05``."""
    whole = int(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
