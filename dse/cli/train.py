"""`dse train`: one network over the folds of a data set, its test scores and its files."""

from __future__ import annotations

import shlex
import sys
from enum import StrEnum
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
from dse.cli.numbers import settings, whole
from dse.cli.options import Json, Settings
from dse.cli.output import print_json
from dse.errors import DseError, InvalidValue

if TYPE_CHECKING:
    from dse.experiments import Experiment
    from dse.generate import Generated


class Tune(StrEnum):
    all = "all"
    head = "head"
    gradual = "gradual"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(short_help="Train a network and score it on test folds.")(train)


def train(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A preset, a design's JSON file, or RUN#TRIAL; left out with --resume."
        ),
    ] = None,
    dataset: DataSet = None,
    data_dir: DataDir = None,
    recipe: RecipeName = None,
    recipe_set: RecipeSettings = None,
    folds: Annotated[
        int | None,
        typer.Option(
            parser=whole(1),
            metavar="K",
            help="Parts of a cross-validation; 1 is the data set's own test part. "
            "[default: the recipe's, else 1]",
        ),
    ] = None,
    fold: Annotated[
        int | None,
        typer.Option(parser=whole(0), metavar="I", help="Only this fold as test. [default: all]"),
    ] = None,
    epochs: Epochs = None,
    image_size: Side = None,
    seed: Annotated[
        int | None, typer.Option(parser=whole(0), metavar="N", help="[default: 0]")
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Weights to start from.")
    ] = None,
    tune: Annotated[
        Tune | None,
        typer.Option(help="Layers that learn; gradual is the head first. [default: all]"),
    ] = None,
    set_: Settings = None,
    workers: Workers = None,
    run: RunName = None,
    resume: Resume = False,
    device: TorchDevice = "auto",
    json: Json = False,
) -> None:
    """Train a network: on the data set's own parts, or on each fold in turn."""
    from dse.cli.experiment_progress import Drawn, how_to_go_on
    from dse.experiments import Asked, Conductor
    from dse.runs import check_run_name, free_run_name

    if name is None and not resume:
        raise InvalidValue("a training needs a network: a preset, a JSON file or RUN#TRIAL")
    if resume and run is None:
        raise InvalidValue("--resume needs --run: the name of the experiment to go on with")
    asked = Asked(
        models=() if name is None else (name,),
        dataset=dataset,
        data_dir=data_dir,
        recipe=recipe,
        changes=recipe_changes(recipe_set, epochs),
        image_size=image_size,
        folds=folds,
        fold=fold,
        seeds=None if seed is None else (seed,),
        weights=weights,
        tune=None if tune is None else tune.value,
        arguments=settings(set_ or []),
    )
    own = check_run_name(run) if run else free_run_name(_stem(name or ""))
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
        how_to_go_on("train", own)
        raise
    files = _export(experiment)
    if json:
        generated = [each.document() for each in files]
        print_json({**experiment.document(), "generated": generated})
    else:
        _print(experiment, files)
    if not experiment.finished:
        raise DseError(f"no training finished: {experiment.failed[0].reason}")


def _stem(name: str) -> str:
    """A name's beginning that a folder can bear."""
    from dse.experiments.cell import slug

    return slug(Path(name).stem if name.endswith(".json") else name)[:60]


def _export(experiment: Experiment) -> list[Generated]:
    """The files of a single training; of several, none is the one to use."""
    from dse.experiments.export import export

    single = len(experiment.cells) == 1
    return [export(experiment, result.cell) for result in experiment.finished if single]


def _print(experiment: Experiment, files: list[Generated]) -> None:
    """Scores by fold and by class, confusion and costs; where everything lies, what may follow."""
    from dse.cli.experiment_progress import print_left_out, print_tables

    for model in experiment.plan.models:
        keys = (f"{kind}:{model.name}" for kind in ("metrics", "classes", "confusion"))
        print_tables(experiment.table(key) for key in keys if key in experiment.tables)
    if not experiment.finished:
        return
    print_tables([experiment.table("costs")])
    print_left_out(experiment, "train")
    if experiment.data["note"]:
        print(f"\ndata: {experiment.data['note']}")
    print()
    for result in experiment.finished:
        print(experiment.weights(result.cell))
    for generated in files:
        print("\n".join(generated.files()))
        assert generated.check is not None
        print(f"ONNX Runtime against torch: largest error {generated.check['max_abs_error']:.1e}")
    print(f"\n{_next(experiment, single=bool(files))}")


def _next(experiment: Experiment, *, single: bool) -> str:
    """What someone might do now."""
    plan = experiment.plan
    words = ["--dataset", plan.dataset]
    if plan.data_dir is not None:
        words += ["--data-dir", str(plan.data_dir)]
    data = shlex.join(words)
    name = shlex.quote(plan.models[0].name)
    if single:
        return (
            f"one training does not say how much luck is in its score; several folds do:\n"
            f"  dse train {name} {data} --folds 5\n"
            f"  dse compare {name} OTHER... {data} --folds 5"
        )
    return (
        "each training has weights of its own; code and ONNX with weights come from a single one:\n"
        f"  dse train {name} {data} --folds 1"
    )
