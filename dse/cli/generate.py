"""`dse generate`: the code of a network, and its exports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dse.cli.designs import find
from dse.cli.numbers import whole
from dse.cli.options import Classes, ImageSize, Input, Json, Settings
from dse.cli.output import print_json, say
from dse.errors import InvalidValue

if TYPE_CHECKING:
    from dse.generate import Generated


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(short_help="A network's PyTorch source, JSON design and exports.")(generate)


def generate(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A preset, a design's JSON file, or RUN#TRIAL; without it, every preset."
        ),
    ] = None,
    classes: Classes = None,
    image_size: ImageSize = None,
    input: Input = None,
    set_: Settings = None,
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("generated"),
    onnx: Annotated[
        bool,
        typer.Option("--onnx", help="The ONNX graph too, checked against torch, and predict.py."),
    ] = False,
    int8: Annotated[
        bool,
        typer.Option(
            "--int8", help="ONNX quantised to int8 too, compared with float32; needs --dataset."
        ),
    ] = False,
    format: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FORMAT",
            help="Another export: torch-export, torchscript, executorch or litert (onnx and int8, "
            "too); repeat it.",
        ),
    ] = None,
    opset: Annotated[
        int | None,
        typer.Option(parser=whole(1), metavar="N", help="Of the ONNX files. [default: 17]"),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            help="Weights for it, of torchvision, timm or ourselves: .pth, .pt, .bin, "
            ".safetensors. [default: a run's, for its winner; else fresh ones]"
        ),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            help="What the weights were trained on: gives classes, normalisation and the images "
            "for --int8."
        ),
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where the data lies.")] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Write nothing; fail if the files there are not current."),
    ] = False,
    json: Json = False,
) -> None:
    """Write a network as standalone PyTorch source, JSON design, ONNX and other exports."""
    from dse.generate import stale
    from dse.presets import preset_names

    for option, given in (("--weights", weights), ("--dataset", dataset)):
        if given is not None and (name is None or check):
            raise InvalidValue(
                f"{option} is for one network that is written, got {given} for "
                f"{'every preset' if name is None else '--check'}"
            )
    names = [name] if name is not None else preset_names()
    if check:
        networks = [find(each, classes, image_size, input, set_) for each in names]
        old = [str(path) for network in networks for path in stale(network, out)]
        if json:
            print_json({"current": not old, "stale": old})
        for path in old:
            say(f"{path} is not current: run dse generate")
        if not json and not old:
            count = len(networks)
            print(f"{count} network{'s are' if count > 1 else ' is'} current in {out}")
        raise typer.Exit(1 if old else 0)
    from dse.cli.exporting import Asked

    asked = Asked(
        classes=classes,
        image_size=image_size,
        input=input,
        settings=set_,
        formats=tuple(dict.fromkeys([*["onnx"] * onnx, *["int8"] * int8, *(format or ())])),
        opset=opset,
        weights=weights,
        dataset=dataset,
        data_dir=data_dir,
    )
    written = [asked.write(each, out) for each in names]
    if json:
        documents = [each.document() for each in written]
        print_json(documents[0] if name is not None else documents)
        return
    for each in written:
        _print(each)


def _print(written: Generated) -> None:
    print("\n".join(written.files()))
    if written.loaded is not None:
        print(written.loaded)
    if written.check is not None:
        print(f"ONNX Runtime against torch: largest error {written.check['max_abs_error']:.1e}")
    for export in written.exports:
        print(f"{export.format} against torch: largest error {export.max_abs_error:.1e}")
    if written.int8 is not None:
        print(written.int8[1])
