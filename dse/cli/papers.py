"""`dse papers`: the printed figures beside the computed ones."""

from __future__ import annotations

from typing import Annotated

import typer

from dse.cli.options import Json
from dse.cli.output import print_json, print_table


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(short_help="The sizes that the papers print, beside ours.")(papers)


def papers(
    json: Json = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="A page for the documentation.")
    ] = False,
) -> None:
    """Every size the papers print beside the one computed from the preset."""
    from collections import Counter

    from dse.papers import comparisons
    from dse.papers.page import page

    if json and markdown:
        raise typer.BadParameter("only one of --json and --markdown is shown at a time")
    rows = comparisons()
    if markdown:
        print(page(rows), end="")
        return
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
                row.computed_text,
                row.status,
                "" if row.status in ("exact", "rounds") else row.figure.note,
            )
            for row in rows
        ],
        right="printed|computed",
    )
    counts = Counter(row.status for row in rows)
    print("\n" + ", ".join(f"{number} {status}" for status, number in counts.most_common()))
