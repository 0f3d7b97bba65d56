"""`dse papers`: the printed figures beside the computed ones."""

from __future__ import annotations

import typer

from dse.cli.options import Json
from dse.cli.output import print_json, print_table


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(short_help="The sizes that the papers print, beside ours.")(papers)


def papers(json: Json = False) -> None:
    """Every size the papers print beside the one computed from the preset."""
    from collections import Counter

    from dse.papers import comparisons

    rows = comparisons()
    if json:
        print_json([row.document() for row in rows])
        return
    print_table(
        (
            "paper",
            "table",
            "model",
            "settings",
            "quantity",
            "printed",
            "computed",
            "status",
            "note",
        ),
        [
            (
                row.figure.paper,
                row.figure.table,
                row.figure.model,
                " ".join(f"{k}={v}" for k, v in row.figure.settings.items()),
                row.figure.quantity,
                row.figure.printed,
                "" if row.computed is None else f"{row.computed:,}",
                row.status,
                "" if row.status in ("exact", "rounds") else row.figure.note,
            )
            for row in rows
        ],
        right="printed|computed",
    )
    counts = Counter(row.status for row in rows)
    print("\n" + ", ".join(f"{number} {status}" for status, number in counts.most_common()))
