"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

Name = Annotated[str, typer.Argument(help="A preset, a design's JSON file, or RUN#TRIAL.")]
Classes = Annotated[Optional[int], typer.Option(help="Another number of classes.", min=2)]  # noqa: UP045
ImageSize = Annotated[Optional[int], typer.Option(help="Another height and width, in pixels.")]  # noqa: UP045
Input = Annotated[Optional[str], typer.Option(help="Another input, as in 3x224x224.")]  # noqa: UP045
Settings = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--set", help="An argument of the preset, as in alpha=0.5; may be repeated."),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
