"""`dse report`: what runs found, as a page."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dse.cli.options import Json
from dse.cli.output import print_json
from dse.errors import DataError, InvalidValue, UnknownName


class Form(StrEnum):
    html = "html"
    md = "md"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(short_help="Runs as one self-contained HTML page.")(report)


def report(
    names: Annotated[
        list[str], typer.Argument(metavar="RUN...", help="Runs to compare, or one experiment.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where it goes. [default: in the run's folder; of several runs, the current one]",
        ),
    ] = None,
    form: Annotated[
        Form | None,
        typer.Option(
            "--format",
            help="A page, or Markdown with SVG pictures beside it. [default: by the name of --out, "
            "else html]",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """One self-contained HTML page: which design to take, how much better it is than the papers'
    networks, what the search learned. Several runs are compared; those that differ only in the
    seed count as one, repeated."""
    from dse.experiments.experiment import experiment_names
    from dse.report import comparison_document, document, write_markdown, write_report
    from dse.runs import Run, check_run_name, run_names, runs_folder

    chosen = form or (Form.md if out is not None and out.suffix.lower() == ".md" else Form.html)
    searches, experiments = run_names(), experiment_names()
    for name in map(check_run_name, names):
        if name not in (*searches, *experiments):
            raise UnknownName("run or experiment", name, (*searches, *experiments))
        if name not in searches and len(names) > 1:
            raise InvalidValue(
                f"an experiment of dse compare or dse train is reported by itself, got {name} "
                f"among {len(names)} names"
            )
    if names[0] not in searches:
        _experiment(names[0], out, chosen, json)
        return
    runs = [Run(runs_folder() / name) for name in names]
    path = _place(out, runs[0].folder if len(runs) == 1 else Path(), chosen)
    text = chosen is Form.md
    files = write_markdown(runs, path) if text else [write_report(runs, path)]
    if not json:
        print("\n".join(map(str, files)))
    elif len(runs) == 1:
        print_json(document(runs[0], path))
    else:
        print_json(comparison_document(runs, path))


def _place(out: Path | None, folder: Path, form: Form) -> Path:
    """Where a report goes: where it is asked for, else under its usual name in a folder.

    Raises:
        DataError: that is a folder, or cannot be made.
    """
    path = out or folder / {Form.html: "report.html", Form.md: "REPORT.md"}[form]
    if path.is_dir():
        raise DataError(f"{path}: the report goes to a file, and this is a folder")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DataError(f"{path}: the folder cannot be made: {reason}") from None
    return path


def _experiment(name: str, out: Path | None, form: Form, json: bool) -> None:
    """The page of an experiment, which `dse compare` writes too, with all its tables."""
    from dse.atomic import write_atomically
    from dse.experiments.experiment import open_experiment
    from dse.experiments.render import render

    experiment = open_experiment(name)
    if not experiment.finished:
        failed = experiment.failed
        reason = f": {failed[0].reason}" if failed else "; dse compare or dse train goes on with it"
        raise InvalidValue(f"the experiment {name} has no finished training{reason}")
    path = _place(out, experiment.folder, form)
    write_atomically(path, render(experiment, form.value))
    if json:
        print_json({**experiment.document(), "report": str(path)})
    else:
        print(path)
