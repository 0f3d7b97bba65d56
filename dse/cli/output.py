"""Tables for people, one JSON document for programs."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from typing import Any


def print_json(document: Any) -> None:
    """The one document on stdout."""
    print(json.dumps(document, indent=2, ensure_ascii=False))


def print_table(
    header: Sequence[str], rows: Sequence[Sequence[object]], *, right: str = ""
) -> None:
    """Columns, aligned; `right` names those of numbers. Plain text where there is no terminal."""
    if not sys.stdout.isatty():
        _print_plain(header, rows, right)
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in header:
        table.add_column(name, justify="right" if name in right.split("|") else "left")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    Console().print(table)


def _print_plain(header: Sequence[str], rows: Sequence[Sequence[object]], right: str) -> None:
    lines = [[str(cell) for cell in row] for row in (header, *rows)]
    wide = [max(len(line[i]) for line in lines) for i in range(len(header))]
    numeric = [name in right.split("|") for name in header]
    for line in lines:
        cells = (
            cell.rjust(w) if n else cell.ljust(w)
            for cell, w, n in zip(line, wide, numeric, strict=True)
        )
        print("  ".join(cells).rstrip())


def first_sentence(docstring: str | None) -> str:
    """What a docstring says first, on one line."""
    text = " ".join((docstring or "").partition("\n\n")[0].split()).replace("``", "")
    return re.split(r"(?<=[a-z)\d])\. ", text)[0].rstrip(".")


def say(text: str) -> None:
    """A line for people on stderr, which leaves stdout to the result."""
    print(text, file=sys.stderr)
