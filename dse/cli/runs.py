"""`dse runs`: the runs of this folder."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from shutil import get_terminal_size
from typing import TYPE_CHECKING

import typer

from dse.cli.options import Json
from dse.cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from dse.cli.run_lines import Line


_HEADER = ("run", "what", "state", "data", "budget", "done", "best", "design", "started")
_DROPPED = ("design", "what", "started", "budget", "data")
"""Columns that a terminal too narrow for all goes without, the first of them first."""
_GAP = 3
"""Columns of the terminal between two of the table's."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("runs", short_help="The runs of this folder, and how they stand.")(runs)


def runs(json: Json = False) -> None:
    """Searches and experiments below ./runs, the latest first.

    The best of a search is that of its first objective on validation images, the best of trainings
    (dse train, dse compare) is that of the test part.
    """
    from dse.cli.run_lines import run_lines

    lines, skipped = run_lines()
    for folder, reason in skipped:
        say(f"skipped {folder}: {reason}")
    for line in lines:
        if line.damaged:
            say(f"{line.name}: {_rows(len(line.damaged))} left out: {'; '.join(line.damaged[:3])}")
    if skipped:
        there = len(skipped) + len(lines)
        say(f"{len(skipped)} of {there} runs cannot be read")
    if json:
        left_out = [{"folder": str(folder), "reason": reason} for folder, reason in skipped]
        print_json({"runs": [asdict(line) for line in lines], "skipped": left_out})
    elif lines:
        header, *rows = _fitting([_HEADER, *map(_cells, lines)])
        print_table(header, rows)
    elif not skipped:
        print("no runs here; dse search makes one")


def _rows(count: int) -> str:
    return "1 damaged row is" if count == 1 else f"{count} damaged rows are"


def _cells(line: Line) -> Sequence[str]:
    value = "" if line.best is None else f"{line.best:.3f}"
    return (
        line.name,
        line.what,
        line.state,
        f"{line.data} (synthetic)" if line.synthetic else line.data,
        ", ".join(_limit(name, limit) for name, limit in line.budget.items()),
        f"{line.done}/{line.wanted}",
        f"{line.part} {line.metric} {value}".strip() if value else "",
        line.design,
        line.started[:16].replace("T", " "),
    )


def _fitting(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """The table, header first, with as many columns as the terminal has room for: a name that is
    cut off cannot be copied.
    """
    columns = list(zip(*rows, strict=True))
    if sys.stdout.isatty():
        room = get_terminal_size().columns
        for name in _DROPPED:
            if sum(max(map(len, column)) + _GAP for column in columns) <= room:
                break
            columns = [column for column in columns if column[0] != name]
    return [list(row) for row in zip(*columns, strict=True)]


def _limit(name: str, limit: float) -> str:
    units = {
        "params": " params",
        "macs": " MACs",
        "peak_activation_bytes": "B of activations",
        "size_bytes": "B of weights",
    }
    if name not in units:
        return f"{limit:g} ms"
    for size, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if limit >= size:
            return f"{limit / size:.4g}{suffix}{units[name]}"
    return f"{limit:.4g}{units[name]}"
