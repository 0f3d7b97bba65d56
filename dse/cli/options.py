"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from dse.cli.numbers import number, whole

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
BudgetParams = Annotated[
    float | None,
    typer.Option(parser=number, metavar="N", help="Trainable parameters, as in 1e6 or 1M."),
]
BudgetMacs = Annotated[
    float | None,
    typer.Option(
        "--budget-macs",
        "--budget-flops",
        parser=number,
        metavar="N",
        help="Multiply-adds for one image. The papers call these FLOPs, so --budget-flops is "
        "the same option; strictly, FLOPs are twice as many, and a run prints both.",
    ),
]
BudgetPeakMemory = Annotated[
    float | None,
    typer.Option(parser=number, metavar="BYTES", help="Peak activation memory, float32."),
]
BudgetSize = Annotated[
    float | None, typer.Option(parser=number, metavar="BYTES", help="Weights, float32.")
]
BudgetLatency = Annotated[
    float | None,
    typer.Option(
        "--budget-latency-ms",
        parser=number,
        metavar="T",
        help="Milliseconds per image, as predicted for the (first) --device.",
    ),
]
