"""`dse verify`: an exported file against its design."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dse.cli.designs import find
from dse.cli.options import Classes, ImageSize, Input, Json, Settings
from dse.cli.output import print_json

if TYPE_CHECKING:
    from dse.network import Network
    from dse.runtime.export.verify import Verified


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(short_help="An exported file against its design.")(verify)


def verify(
    file: Annotated[
        Path,
        typer.Argument(
            help="What dse generate wrote: .onnx, .int8.onnx, .pt2, .ts.pt, .pte, .tflite."
        ),
    ],
    against: Annotated[
        str, typer.Option(metavar="NAME", help="A preset, a design's JSON file, or RUN#TRIAL.")
    ],
    classes: Classes = None,
    image_size: ImageSize = None,
    input: Input = None,
    set_: Settings = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="What torch computes with. [default: the file's own, or of the .onnx beside it]",
        ),
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(help="Try it on the validation part of this data set, too.")
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where the data lies.")] = None,
    json: Json = False,
) -> None:
    """Whether an exported file is a design's and computes what torch does; ends with 1 if not.

    A preset is taken for the file's images and classes where no others are asked for.
    """
    from dse.data import load_dataset
    from dse.runtime.export.verify import verify as hold

    network = _network(file, against, classes, image_size, input, set_)
    data = None
    if dataset is not None:
        data = load_dataset(dataset, data_dir=data_dir, image_size=network.input.height)
    found = hold(file, network, weights=weights, data=data)
    if json:
        print_json(found.document())
    else:
        _print(found)
    raise typer.Exit(0 if found.holds else 1)


def _network(
    file: Path,
    against: str,
    classes: int | None,
    image_size: int | None,
    input: str | None,
    set_: list[str] | None,
) -> Network:
    from dse.cli.numbers import settings
    from dse.presets import preset_names
    from dse.runtime.export.formats import open_file

    if against in preset_names():
        metadata, given = open_file(file).metadata, settings(set_ or [])
        if classes is None and "classes" not in given:
            classes = int(metadata["classes"])
        if input is None and image_size is None and "input" not in given:
            input = metadata["input"]
    return find(against, classes, image_size, input, set_)


def _print(found: Verified) -> None:
    opset = "" if found.opset is None else f", opset {found.opset}"
    batch = "batches of any size" if found.batch is None else f"batches of {found.batch}"
    facts = [
        ("file", f"{found.file}  ({found.format}{opset})"),
        ("design", f"{found.name}  ({found.digest})"),
        ("input", f"{found.input}, {found.classes} classes, {batch}"),
        ("torch's weights", found.weights),
        ("largest error", f"{found.max_abs_error:.1e}"),
        ("of the largest score", f"{found.max_rel_error:.1e}"),
    ]
    if found.tried is not None:
        tried = found.tried
        difference = tried.accuracy - tried.torch_accuracy
        facts += [
            ("same class as torch", f"{tried.agreement:.1%} of {tried.images} images"),
            (
                "accuracy",
                f"{tried.accuracy:.3f} ({difference:+.3f}), validation part of {tried.dataset}",
            ),
        ]
    for label, value in facts:
        print(f"{label:<22} {value}")
    if found.format == "int8":
        print("a file of the design; int8 rounds, so its scores are not those of float32")
    elif found.holds:
        print("the file computes what the design does")
    else:
        print("THE FILE DOES NOT COMPUTE WHAT THE DESIGN DOES")
