"""`dse generate`: the code of a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dse.cli.designs import find
from dse.cli.options import Classes, ImageSize, Input, Json, Settings
from dse.cli.output import print_json, say
from dse.errors import InvalidValue


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(short_help="A network's PyTorch source, JSON design and ONNX.")(generate)


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
        bool, typer.Option("--onnx", help="The ONNX graph too, checked against torch.")
    ] = False,
    weights: Annotated[
        Path | None,
        typer.Option(
            help="Weights for it, of torchvision, timm or ourselves: .pth, .pt, .bin, .safetensors."
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Write nothing; fail if the files there are not current."),
    ] = False,
    json: Json = False,
) -> None:
    """Write a network as standalone PyTorch source, JSON design and ONNX."""
    from dse.generate import generate as write
    from dse.generate import stale
    from dse.presets import preset_names

    if weights is not None and (name is None or check):
        raise InvalidValue(
            f"--weights are of one network that is written, got {weights} for "
            f"{'every preset' if name is None else '--check'}"
        )
    names = [name] if name is not None else preset_names()
    networks = [find(each, classes, image_size, input, set_) for each in names]
    if check:
        old = [str(path) for network in networks for path in stale(network, out)]
        if json:
            print_json({"current": not old, "stale": old})
        for path in old:
            say(f"{path} is not current: run dse generate")
        if not json and not old:
            count = len(networks)
            print(f"{count} network{'s are' if count > 1 else ' is'} current in {out}")
        raise typer.Exit(1 if old else 0)
    written = [write(network, out, onnx=onnx, weights=weights) for network in networks]
    if json:
        documents = [each.document() for each in written]
        print_json(documents[0] if name is not None else documents)
        return
    for each in written:
        print("\n".join(each.files()))
        if each.loaded is not None:
            print(each.loaded)
        if each.check is not None:
            print(f"ONNX Runtime against torch: largest error {each.check['max_abs_error']:.1e}")
