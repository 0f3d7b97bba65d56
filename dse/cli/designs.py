"""`dse show` and `dse cost`: one network, read."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dse.cli.numbers import settings
from dse.cli.options import Classes, ImageSize, Input, Json, Name, Settings
from dse.cli.output import print_json, print_table

if TYPE_CHECKING:
    from dse.network import Network


class By(StrEnum):
    block = "block"
    op = "op"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(short_help="A network as a table, as code, drawn, or as JSON.")(show)
    app.command(short_help="Parameters, multiply-adds and memory of a network.")(cost)


def find(
    name: str,
    classes: int | None,
    image_size: int | None,
    input: str | None,
    pairs: list[str] | None,
) -> Network:
    """The network a command's arguments name."""
    from dse.designs import find_design

    return find_design(
        name, classes=classes, input=input, image_size=image_size, settings=settings(pairs or [])
    )


def show(
    name: Name,
    code: Annotated[bool, typer.Option("--code", help="The PyTorch source it becomes.")] = False,
    graph: Annotated[
        Path | None,
        typer.Option(help="Draw it into this SVG file.", metavar="FILE.svg"),
    ] = None,
    classes: Classes = None,
    image_size: ImageSize = None,
    input: Input = None,
    set_: Settings = None,
    json: Json = False,
) -> None:
    """A network as the table a paper would print, as code, as a drawing or as JSON."""
    if code + json + (graph is not None) > 1:
        raise typer.BadParameter("only one of --code, --graph and --json is shown at a time")
    network = find(name, classes, image_size, input, set_)
    if graph is not None:
        from dse.atomic import write_atomically
        from dse.draw import svg

        write_atomically(graph, svg(network))
        print(graph)
    elif json:
        print(network.to_json(), end="")
    elif code:
        from dse.emit import emit

        print(emit(network), end="")
    else:
        print(network)
        if network.about:
            print(f"\n{network.about}")


def cost(
    name: Name,
    classes: Classes = None,
    image_size: ImageSize = None,
    input: Input = None,
    set_: Settings = None,
    by: Annotated[By | None, typer.Option(help="One row per block or per op.")] = None,
    json: Json = False,
) -> None:
    """Parameters, multiply-adds and memory of a network, exactly and without building it."""
    from dse.cost import as_document, cost_by_block, cost_by_op
    from dse.cost import cost as count

    network = find(name, classes, image_size, input, set_)
    if json:
        print_json(as_document(network))
        return
    if by is not None:
        rows = cost_by_block(network) if by is By.block else cost_by_op(network)
        print_table(
            ("name", by.value, "output", "params", "MACs", "activation bytes"),
            [
                (
                    row.name,
                    row.what,
                    row.output,
                    f"{row.cost.params:,}",
                    f"{row.cost.macs:,}",
                    f"{row.cost.peak_activation_bytes:,}",
                )
                for row in rows
            ],
            right="params|MACs|activation bytes",
        )
        print()
    total = count(network)
    facts = (
        ("design", f"{network.name}  ({network.digest})"),
        ("input", f"{network.input}, {network.classes} classes"),
        ("parameters", f"{total.params:,}"),
        ("with batch-norm statistics", f"{total.params_with_buffers:,}"),
        ("MACs", f"{total.macs:,}"),
        ("FLOPs (2 x MACs)", f"{total.flops:,}"),
        ("peak activations", f"{total.peak_activation_bytes:,} bytes"),
        ("weights, float32", f"{total.size_bytes:,} bytes"),
    )
    for label, value in facts:
        print(f"{label:<27} {value}")
