"""Options that `dse train` and `dse compare` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from dse.cli.numbers import whole

DataSet = Annotated[
    str | None, typer.Option(help="covid, digits, cifar10, or the path of an image folder.")
]
DataDir = Annotated[Path | None, typer.Option(help="Where the data lies.")]
RecipeName = Annotated[
    str | None, typer.Option(help="How to train; see dse list recipes. [default: default]")
]
RecipeSettings = Annotated[
    list[str] | None,
    typer.Option(
        "--recipe-set",
        metavar="KEY=VALUE",
        help="A setting of the recipe, as in learning_rate=1e-3 or augment.zoom=0.1; may be "
        "repeated.",
    ),
]
Epochs = Annotated[
    int | None,
    typer.Option(parser=whole(1), metavar="N", help="[default: the recipe's]"),
]
Side = Annotated[
    int | None,
    typer.Option(
        parser=whole(8, 1024),
        metavar="PIXELS",
        help="[default: the recipe's, a design's or the data set's own]",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        parser=whole(1),
        metavar="N",
        help="Trainings side by side. [default: one per core; 1 on a GPU]",
    ),
]
RunName = Annotated[str | None, typer.Option("--run", help="The experiment's name.")]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume", help="Go on with the experiment of --run; models and seeds may be added."
    ),
]
TorchDevice = Annotated[str, typer.Option(help="Where to train: auto, cpu, cuda or mps.")]


def recipe_changes(pairs: list[str] | None, epochs: int | None) -> dict[str, Any]:
    """The settings of a recipe that a command line changes."""
    from dse.recipes import overrides

    changes = overrides(pairs or [])
    return changes if epochs is None else {**changes, "epochs": epochs}
