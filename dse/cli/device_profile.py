"""`dse device calibrate`, `predict`, `pack`, `import`: latency without running the network."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dse.cli.bar import bar
from dse.cli.designs import find
from dse.cli.device import commands
from dse.cli.numbers import number, whole
from dse.cli.options import Classes, ImageSize, Input, Json, Settings
from dse.cli.output import print_json, print_table, say
from dse.errors import InvalidValue

if TYPE_CHECKING:
    from dse.latency.predict import Prediction, Predictor
    from dse.latency.profile import Profile
    from dse.network import Network


class By(StrEnum):
    block = "block"


ProfileName = Annotated[
    str | None,
    typer.Option(
        "--name",
        help="What to call the profile; otherwise after the processor.",
        metavar="PROFILE",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands to `dse device`."""
    commands.command(
        short_help="Measure this machine for predictions: kernels and whole networks."
    )(calibrate)
    commands.command(short_help="How long networks will take on a device, without running them.")(
        predict
    )
    commands.command(
        "pack", short_help="Write a folder by which another machine is calibrated, without dse."
    )(pack)
    commands.command(
        "import", short_help="Make a device profile of what a pack measured elsewhere."
    )(import_)


def calibrate(
    name: ProfileName = None,
    minutes: Annotated[
        float | None,
        typer.Option(help="How long to measure. [default: 7]", parser=number, metavar="N"),
    ] = None,
    threads: Annotated[
        int, typer.Option(help="Threads of ONNX Runtime.", parser=whole(1), metavar="N")
    ] = 1,
) -> None:
    """Measure this machine, so that latency on it can be predicted anywhere.

    Runs some four hundred small networks in turn and keeps what their kernels take as a device
    profile. What other programs do meanwhile falls on all alike, but a quiet machine is best.
    Ctrl-C keeps what was measured, once every network has had its turn.
    """
    from dse.devices.calibrate import MINUTES
    from dse.devices.calibrate import calibrate as measure

    with bar("calibrating") as progress:
        profile = measure(name, minutes=minutes or MINUTES, threads=threads, progress=progress)
    _keep(profile)


def pack(
    folder: Annotated[Path, typer.Argument(help="A new folder.", metavar="DIR")],
) -> None:
    """Write networks and a runner into a folder, for a board that has onnxruntime and numpy.

    Run `python runner.py` there and bring results.json back to `dse device import`.
    """
    from dse.devices.pack import write_pack

    with bar("packing") as progress:
        write_pack(folder, progress)
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{folder}: {size / 1e6:.0f} MB; next, there: python runner.py")


def import_(
    results: Annotated[Path, typer.Argument(help="The pack's results.", metavar="RESULTS.json")],
    name: ProfileName = None,
) -> None:
    """Make a device profile of the results that a pack's runner wrote."""
    from dse.devices.results import import_results

    _keep(import_results(results, name))


def predict(
    names: Annotated[
        list[str],
        typer.Argument(help="Presets, designs' JSON files, or RUN#TRIAL.", metavar="NAME..."),
    ],
    device: Annotated[
        str | None,
        typer.Option(help="A device profile or its file; otherwise this machine's."),
    ] = None,
    by: Annotated[By | None, typer.Option(help="One row per block.")] = None,
    classes: Classes = None,
    image_size: ImageSize = None,
    input: Input = None,
    set_: Settings = None,
    json: Json = False,
) -> None:
    """Milliseconds per image by a device profile, with an interval that holds for 9 of 10
    networks. Nothing is run.
    """
    from dse.latency.predict import Predictor

    networks = [find(name, classes, image_size, input, set_) for name in names]
    profile = _profile(device)
    predictor = Predictor(profile)
    rows = [(network, predictor.network(network)) for network in networks]
    for network, found in rows:
        if found.unseen:
            say(
                f"{network.name}: {profile.name} never saw {', '.join(found.unseen)}; "
                "their times are guesses, and the interval is wide"
            )
    if json:
        print_json([_document(network, found, predictor) for network, found in rows])
        return
    if by is not None:
        for network, _ in rows:
            _print_blocks(network, predictor)
    print_table(
        ("network", "input", "ms", "interval"),
        [(n.name, n.input, _ms(p.ms), f"{_ms(p.low_ms)} to {_ms(p.high_ms)}") for n, p in rows],
        right="ms",
    )
    print(f"\n{profile.name}: {profile.machine}")


def _profile(name: str | None) -> Profile:
    """The profile asked for, with a warning if it is of another machine, or that of this one."""
    from dse.devices.profiles import local_profile, mismatch
    from dse.latency.profile import find_profile

    if name is not None:
        profile = find_profile(name)
        if (difference := mismatch(profile)) is not None:
            say(f"warning: {difference}")
        return profile
    local = local_profile()
    if local is None:
        raise InvalidValue(
            "a prediction needs a device profile and there is none of this machine: "
            "run dse device calibrate, or name one with --device"
        )
    return local


def _document(network: Network, found: Prediction, predictor: Predictor) -> dict[str, Any]:
    return {
        "name": network.name,
        "digest": network.digest,
        "input": str(network.input),
        "profile": predictor.profile.name,
        "machine": predictor.profile.machine,
        "ms": found.ms,
        "low_ms": found.low_ms,
        "high_ms": found.high_ms,
        "unseen": list(found.unseen),
        "base_ms": predictor.base_ms,
        "blocks": [
            {"name": node.name, "block": node.block.kind, "ms": part.ms}
            for node, part in zip(network.nodes, predictor.parts(network), strict=True)
        ],
    }


def _print_blocks(network: Network, predictor: Predictor) -> None:
    parts = predictor.parts(network)
    total = predictor.base_ms + sum(part.ms for part in parts)
    rows = [
        (node.name, node.block.kind, _ms(part.ms), f"{100 * part.ms / total:.1f} %")
        for node, part in zip(network.nodes, parts, strict=True)
    ]
    share = f"{100 * predictor.base_ms / total:.1f} %"
    rows.append(("(a run)", "", _ms(predictor.base_ms), share))
    print_table((network.name, "block", "ms", "share"), rows, right="ms|share")
    print()


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:.3g}" if milliseconds < 100 else f"{milliseconds:.0f}"


def _keep(profile: Profile) -> None:
    """Write a profile where the user's are kept, and say what it is."""
    from dse.latency.profile import profiles_dir

    path = profiles_dir() / f"{profile.name}.json"
    profile.write(path)
    rounds = "1 round" if profile.rounds == 1 else f"{profile.rounds} rounds"
    print(
        f"{profile.name}: {len(profile.kernels)} kernels and {len(profile.networks)} networks, "
        f"{rounds}; half of the measurements of a network within {100 * profile.noise:.1f} % "
        f"of its median\n{path}"
    )
