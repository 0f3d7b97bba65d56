"""`dse list`: what there is."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from dse.cli.options import Json
from dse.cli.output import first_sentence, print_json, print_table


class Kind(StrEnum):
    presets = "presets"
    blocks = "blocks"
    spaces = "spaces"
    datasets = "datasets"
    recipes = "recipes"
    devices = "devices"
    proxies = "proxies"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("list")(list_)


def list_(
    kind: Annotated[Kind, typer.Argument(help="What to list.")] = Kind.presets,
    json: Json = False,
) -> None:
    """Presets, blocks, spaces, data sets, recipes, devices, proxies."""
    rows = _ROWS[kind]()
    if json:
        print_json(rows)
        return
    if not rows:
        print(f"no {kind.value}")
        return
    header = list(rows[0])
    numbers = "|".join(name for name in header if isinstance(rows[0][name], int))
    cells = [
        [f"{row[name]:,}" if isinstance(row[name], int) else row[name] for name in header]
        for row in rows
    ]
    print_table(header, cells, right=numbers)


def _presets() -> list[dict[str, Any]]:
    from inspect import signature

    from dse.cost import cost
    from dse.presets import load_preset, preset_function, preset_names

    rows = []
    for name in preset_names():
        network = load_preset(name)
        total = cost(network)
        own = [
            p for p in signature(preset_function(name)).parameters if p not in ("classes", "input")
        ]
        rows.append(
            {
                "name": name,
                "input": str(network.input),
                "classes": network.classes,
                "params": total.params,
                "MACs": total.macs,
                "arguments": " ".join(own),
                "what": first_sentence(preset_function(name).__doc__),
            }
        )
    return rows


def _blocks() -> list[dict[str, Any]]:
    from dse.blocks import block_kinds

    return [
        {
            "name": kind,
            "fields": " ".join(block.model_fields),
            "what": first_sentence(block.__doc__),
        }
        for kind, block in block_kinds().items()
    ]


def _spaces() -> list[dict[str, Any]]:
    from dse.space import load_space, space_names

    rows = []
    for name in space_names():
        space = load_space(name)
        rows.append({"name": name, "decisions": len(space.choices()), "what": space.about})
    return rows


def _datasets() -> list[dict[str, Any]]:
    from dse.data import describe_datasets

    return [
        {
            key: ", ".join(map(str, v)) if isinstance(v, list | tuple) else (v or "")
            for key, v in row.items()
        }
        for row in describe_datasets()
    ]


def _recipes() -> list[dict[str, Any]]:
    from dse.recipes import names, recipe

    rows = []
    for name in names():
        found = recipe(name)
        rows.append(
            {
                "name": name,
                "optimizer": found.optimizer,
                "epochs": found.epochs,
                "batch": found.batch_size,
                "pixels": found.image_size or "",
                "what": found.about,
                "source": found.citation,
                "our choice": " ".join(found.ours),
            }
        )
    return rows


def _devices() -> list[dict[str, Any]]:
    from dse.devices import device_names

    return [{"name": name, "what": "measured on this machine"} for name in device_names()]


def _proxies() -> list[dict[str, Any]]:
    from dse.runtime.proxies import about_proxy, proxy_names

    rows = []
    for name in proxy_names():
        about = about_proxy(name)
        reads = "images" if about.images else ""
        rows.append({"name": name, "what": about.what, "reads": reads, "source": about.source})
    return rows


_ROWS = {
    Kind.presets: _presets,
    Kind.blocks: _blocks,
    Kind.spaces: _spaces,
    Kind.datasets: _datasets,
    Kind.recipes: _recipes,
    Kind.devices: _devices,
    Kind.proxies: _proxies,
}
