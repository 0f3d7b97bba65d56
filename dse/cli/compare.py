"""`dse compare`: networks on the same folds, in the papers' tables, and which of them differ."""

from __future__ import annotations

import shlex
import sys
from contextlib import redirect_stdout
from enum import StrEnum
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dse.cli.experiment_options import (
    DataDir,
    DataSet,
    Epochs,
    RecipeName,
    RecipeSettings,
    Resume,
    RunName,
    Side,
    TorchDevice,
    Workers,
    recipe_changes,
)
from dse.cli.numbers import whole
from dse.cli.options import Json
from dse.cli.output import print_json, say
from dse.errors import DataError, DseError, InvalidValue

if TYPE_CHECKING:
    from dse.experiments import Experiment


class Format(StrEnum):
    table = "table"
    md = "md"
    csv = "csv"
    html = "html"


class Test(StrEnum):
    t = "t"
    wilcoxon = "wilcoxon"


class Metric(StrEnum):
    accuracy = "accuracy"
    balanced_accuracy = "balanced_accuracy"
    top2_accuracy = "top2_accuracy"
    auroc = "auroc"
    miou = "miou"
    loss = "loss"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(short_help="Train networks on the same folds and compare them.")(compare)


def compare(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME...",
            help="Presets, designs' JSON files, RUN#TRIAL; with --resume those that are added.",
        ),
    ] = None,
    dataset: DataSet = None,
    data_dir: DataDir = None,
    folds: Annotated[
        int | None,
        typer.Option(
            parser=whole(1),
            metavar="K",
            help="Parts of the cross-validation; 1 is the data set's own test part. "
            "[default: the recipe's, else 5]",
        ),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(
            parser=whole(1),
            metavar="S",
            help="Trainings of each network on each fold. [default: 1]",
        ),
    ] = None,
    recipe: RecipeName = None,
    recipe_set: RecipeSettings = None,
    epochs: Epochs = None,
    image_size: Side = None,
    metric: Annotated[Metric, typer.Option(help="What networks are compared by.")] = (
        Metric.accuracy
    ),
    test: Annotated[
        Test,
        typer.Option(help="The paired test: corrected resampled t, or Wilcoxon's signed rank."),
    ] = Test.t,
    workers: Workers = None,
    run: RunName = None,
    resume: Resume = False,
    device: TorchDevice = "auto",
    format: Annotated[
        Format | None, typer.Option(help="[default: by the name of --out, else table]")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the tables go, instead of stdout.")
    ] = None,
    json: Json = False,
) -> None:
    """Train networks on the same folds, and say which of them differ and by how much."""
    from dse.atomic import write_atomically
    from dse.cli.experiment_progress import Drawn, how_to_go_on
    from dse.experiments import Asked, Conductor
    from dse.experiments.render import render
    from dse.runs import check_run_name, free_run_name

    if not names and not resume:
        raise InvalidValue("a comparison needs networks: presets, JSON files or RUN#TRIAL")
    if resume and run is None:
        raise InvalidValue("--resume needs --run: the name of the experiment to go on with")
    if out is not None:
        _check_writable(out)
    form = _form(format, out)
    asked = Asked(
        models=tuple(names or ()),
        dataset=dataset,
        data_dir=data_dir,
        recipe=recipe,
        changes=recipe_changes(recipe_set, epochs),
        image_size=image_size,
        folds=folds,
        usual_folds=5,
        seeds=None if seeds is None else range(seeds),
    )
    own = check_run_name(run) if run else free_run_name("compare")
    conductor = Conductor(
        own,
        asked,
        resume,
        workers,
        device,
        command=shlex.join(["dse", *sys.argv[1:]]),
        listener=Drawn(quiet=json),
    )
    try:
        experiment = conductor.run()
    except KeyboardInterrupt:
        how_to_go_on("compare", own)
        raise
    if not experiment.finished:
        raise DseError(f"no training finished: {experiment.failed[0].reason}")
    page = experiment.folder / "compare.html"
    write_atomically(page, render(experiment, "html", metric.value, test.value))
    files = [page]
    if out is not None:
        text = StringIO()
        with redirect_stdout(text):
            _print(experiment, form, metric, test)
        write_atomically(out, text.getvalue())
        files.append(out)
    if json:
        document = experiment.document(metric.value, test.value)
        print_json({**document, "files": [str(file) for file in files]})
    elif out is not None:
        print("\n".join(map(str, files)))
    else:
        _print(experiment, form, metric, test)
        say(f"\nthe same as a page: {page}")


def _form(format: Format | None, out: Path | None) -> Format:
    """What is asked for, else what the name of the file says."""
    named = "" if out is None else out.suffix.removeprefix(".").lower()
    return format or (Format(named) if named in Format.__members__ else Format.table)


def _check_writable(out: Path) -> None:
    """Find out before the trainings that the file cannot be had, not after them."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DataError(f"{out}: the folder cannot be made: {reason}") from None
    if out.is_dir():
        raise DataError(f"{out}: the tables go to a file, and this is a folder")


def _print(experiment: Experiment, form: Format, metric: Metric, test: Test) -> None:
    """The comparison on stdout."""
    from dse.cli.experiment_progress import print_left_out, print_tables
    from dse.experiments.pairs import reading
    from dse.experiments.render import comparison, render

    if form is not Format.table:
        print(render(experiment, form.value, metric.value, test.value), end="")
        return
    print_tables(comparison(experiment, metric.value, test.value))
    print_left_out(experiment, "compare")
    print(f"\n{reading(experiment, metric.value, test.value)}")
    if experiment.data["note"]:
        print(f"data: {experiment.data['note']}")
