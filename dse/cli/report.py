"""`dse report`: what a run found, as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dse.cli.options import Json
from dse.cli.output import print_json


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(short_help="A run as one self-contained HTML page.")(report)


def report(
    run: Annotated[str, typer.Argument(help="The run's name.")],
    out: Annotated[
        Path | None, typer.Option(help="The HTML file; by default in the run's folder.")
    ] = None,
    json: Json = False,
) -> None:
    """One self-contained HTML page: the winner, the front, the papers' networks beside it."""
    from dse.report import document, write_report
    from dse.runs import open_run

    found = open_run(run)
    path = write_report(found, out or found.folder / "report.html")
    if json:
        print_json(document(found, path))
    else:
        print(path)
