"""`dse device`: latency, measured and predicted."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dse.cli.designs import find
from dse.cli.numbers import seconds as read_seconds
from dse.cli.numbers import whole
from dse.cli.options import Classes, ImageSize, Input, Json, Settings
from dse.cli.output import print_json, print_table
from dse.errors import InvalidValue

if TYPE_CHECKING:
    from dse.devices.base import Latency
    from dse.devices.machine import Machine
    from dse.devices.measure import Measured
    from dse.network import Network

_CLOCKS = {
    "cpu": "by the time that one thread has the processor, which others hardly lengthen",
    "gpu": "by the GPU's own clock",
    "wall": "by the clock on the wall, as several threads share the work",
}
_SECONDS, _SHORTEST, _LONGEST = 20.0, 1.0, 3600.0

commands = typer.Typer(help="Measure and predict latency.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(commands, name="device")


@commands.command(short_help="How long networks take on this machine.")
def measure(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME...", help="Presets, designs' JSON files, RUN#TRIAL, or ONNX files."
        ),
    ],
    device: Annotated[
        list[str] | None,
        typer.Option(help="See dse device list; repeat it. [default: onnxruntime-cpu]"),
    ] = None,
    batch: Annotated[
        list[int] | None,
        typer.Option(
            parser=whole(1), metavar="N", help="Images of a call; repeat it. [default: 1]"
        ),
    ] = None,
    threads: Annotated[
        int, typer.Option(parser=whole(1), metavar="N", help="Threads that compute.")
    ] = 1,
    seconds: Annotated[
        float | None,
        typer.Option(
            parser=read_seconds,
            metavar="TIME",
            help="How long to go on calling, in all; longer runs see more of a busy machine. "
            "[default: 20s]",
        ),
    ] = None,
    classes: Classes = None,
    image_size: ImageSize = None,
    input: Input = None,
    set_: Settings = None,
    json: Json = False,
) -> None:
    """Measure networks in turn, each runtime in a process of its own: median, its interval over the
    rounds, and 95th percentile, on the processor and on the wall."""
    from dse.cli.bar import bar
    from dse.devices import find_device
    from dse.devices.machine import this_machine
    from dse.devices.measure import measure as run

    if seconds is not None and not _SHORTEST <= seconds <= _LONGEST:
        raise InvalidValue(f"--seconds is a time from 1s to 1h, got {seconds:g} seconds")
    devices = list(dict.fromkeys(device or ["onnxruntime-cpu"]))
    libraries = [library for name in devices for library in find_device(name).libraries]
    networks = [(name, _network(name, classes, image_size, input, set_)) for name in names]
    machine, load = this_machine(*libraries), _load()
    with bar("measuring", quiet=json) as progress:
        found = run(
            networks,
            devices=devices,
            batches=list(dict.fromkeys(batch or [1])),
            threads=threads,
            seconds=seconds or _SECONDS,
            progress=progress,
        )
    if json:
        from dataclasses import asdict

        rows = [row.document() for row in found]
        print_json({"machine": asdict(machine), "load": load, "measurements": rows})
    else:
        _print(found, machine, load)


@commands.command("list", short_help="The runtimes of this machine, and the profiles kept here.")
def list_(json: Json = False) -> None:
    """The runtimes that measure on this machine, or why they cannot, and the device profiles."""
    rows = [*_runtimes(), *_profiles()]
    if json:
        print_json(rows)
        return
    print_table(
        ("name", "kind", "status"), [(row["name"], row["kind"], row["status"]) for row in rows]
    )


def _network(
    name: str,
    classes: int | None,
    image_size: int | None,
    input: str | None,
    pairs: list[str] | None,
) -> Network | bytes:
    """What a name stands for: the bytes of an ONNX file, else a network."""
    path = Path(name)
    if path.suffix == ".onnx" and path.is_file():
        return path.read_bytes()
    return find(name, classes, image_size, input, pairs)


def _load() -> float | None:
    """Processes that wanted a processor in the last minute, on average."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def _print(found: Sequence[Measured], machine: Machine, load: float | None) -> None:
    several = len({row.name for row in found}) > 1
    header = ["name", "device", "batch", "ms", "95 %", "p95", "clock", "beside it", "images/s"]
    rows = []
    for row in found:
        latency = row.latency
        cells = [
            row.name,
            row.device,
            str(latency.batch),
            _ms(latency.median_ms),
            f"{_ms(latency.low_ms)} to {_ms(latency.high_ms)}",
            _ms(latency.p95_ms),
            latency.clock,
            _beside(latency),
            f"{latency.images_per_second:,.0f}",
        ]
        if several:
            ratio = row.ratio
            cells.append(f"{ratio.median:.2f} ({ratio.low:.2f} to {ratio.high:.2f})")
        rows.append(cells)
    if several:
        header.append("times the first")
    print_table(header, rows, right="batch|ms|p95|images/s")
    print(
        "\nms of a call, the median over rounds; 95 in 100 rounds have theirs within the interval, "
        "and another run should too"
    )
    for clock in dict.fromkeys(row.latency.clock for row in found):
        print(f"clock {clock}: {_CLOCKS[clock]}")
    for note in dict.fromkeys(f"{row.device}: {row.latency.note}" for row in found):
        print(note)
    busy = "" if load is None else f"; load {load:g}"
    print(f"machine: {machine}{busy}")


def _beside(latency: Latency) -> str:
    """The median by the other clock."""
    if latency.clock == "wall":
        return f"{_ms(latency.processor.median_ms)} cpu"
    wall = latency.wall
    return f"{_ms(wall.median_ms)} wall ({_ms(wall.low_ms)} to {_ms(wall.high_ms)})"


def _ms(value: float) -> str:
    """Three digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _runtimes() -> list[dict[str, Any]]:
    from dse.devices import device_names, find_device

    absent = {name: find_device(name).absent() for name in device_names()}
    return [
        {
            "name": name,
            "kind": "runtime",
            "available": reason is None,
            "status": "measures on this machine" if reason is None else f"not here: {reason}",
        }
        for name, reason in absent.items()
    ]


def _profiles() -> list[dict[str, Any]]:
    from dse.errors import DseError
    from dse.latency.profile import find_profile, profile_names

    rows = []
    for name in profile_names():
        try:
            profile = find_profile(name)
            status, usable = f"predicts {profile.device} of {profile.machine}, {profile.date}", True
        except DseError as error:
            status, usable = str(error), False
        rows.append({"name": name, "kind": "profile", "available": usable, "status": status})
    return rows
