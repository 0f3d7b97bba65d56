"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from dse.cli.numbers import whole

Name = Annotated[str, typer.Argument(help="A preset, a design's JSON file, or RUN#TRIAL.")]
Classes = Annotated[
    int | None, typer.Option(help="Another number of classes.", parser=whole(2), metavar="N")
]
ImageSize = Annotated[
    int | None, typer.Option(help="Another height and width.", parser=whole(1), metavar="PIXELS")
]
Input = Annotated[str | None, typer.Option(help="Another input, as in 3x224x224.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="An argument of the preset, as in alpha=0.5; may be repeated."),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
