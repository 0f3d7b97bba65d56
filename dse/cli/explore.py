"""`dse explore`: a page on which one turns the decisions of a space and sees what comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dse.cli.numbers import whole
from dse.cli.options import (
    BudgetLatency,
    BudgetMacs,
    BudgetParams,
    BudgetPeakMemory,
    BudgetSize,
    Classes,
    ImageSize,
)
from dse.cli.output import say
from dse.errors import DseError, InvalidValue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dse.cost import Budget
    from dse.ir import Shape
    from dse.latency.predict import Predictor
    from dse.network import Network
    from dse.runs import Run
    from dse.space import Decisions, Space

_SEED = 0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(short_help="Turn the decisions of a space on a local page.")(explore)


def explore(
    design: Annotated[
        str | None,
        typer.Argument(help="Begin with this: a preset, a design's JSON file, or RUN#TRIAL."),
    ] = None,
    space: Annotated[
        str | None,
        typer.Option(
            help="A shipped space or a YAML file. [default: the run's, else one that holds the "
            "design, else lightweight]"
        ),
    ] = None,
    preset: Annotated[str | None, typer.Option(help="Begin with this preset.")] = None,
    run: Annotated[
        list[str] | None, typer.Option(help="A run whose front is drawn too; repeat it.")
    ] = None,
    budget_params: BudgetParams = None,
    budget_macs: BudgetMacs = None,
    budget_peak_memory: BudgetPeakMemory = None,
    budget_size: BudgetSize = None,
    budget_latency_ms: BudgetLatency = None,
    device: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PROFILE",
            help="A device profile, see dse device list; repeat it. [default: all kept here]",
        ),
    ] = None,
    classes: Classes = None,
    image_size: ImageSize = None,
    port: Annotated[
        int | None,
        typer.Option(
            parser=whole(1, 65535), metavar="N", help="[default: the first free one from 8610 on]"
        ),
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address, open no browser.")
    ] = False,
) -> None:
    """Explore a space on a local page: turn decisions, see cost, drawing, latency and code."""
    if design is not None and preset is not None:
        raise InvalidValue(f"begin with a design or a preset, not both: {design} and {preset}")
    from dse.cost import Budget
    from dse.explore.explorer import Explorer
    from dse.explore.server import listening, serve
    from dse.runs import open_run

    runs = [open_run(name) for name in run or ()]
    begin = preset or design
    searched = _space(space, runs, begin)
    side = searched.input if image_size is None else _sized(searched, image_size)
    searched = searched.with_io(side, classes)
    devices = _devices(device)
    searched = searched.timed_by(devices[0] if devices else None)
    limits = {
        "params": budget_params,
        "macs": budget_macs,
        "peak_activation_bytes": budget_peak_memory,
        "size_bytes": budget_size,
        "latency_ms": budget_latency_ms,
    }
    given = {name: limit for name, limit in limits.items() if limit is not None}
    if not given and runs:
        given = dict(runs[0].settings.get("budget", {}))
        if not devices:
            given.pop("latency_ms", None)
    if "latency_ms" in given and not devices:
        raise InvalidValue(
            "a budget of latency needs a device profile: make one of this machine with "
            "dse device calibrate"
        )
    budget = Budget(**given)
    explorer = Explorer(
        space=searched,
        budget=budget,
        devices=devices,
        runs=tuple(each.name for each in runs),
        start=_start(searched, budget, runs, begin),
    )
    at = listening(port)
    address = f"http://127.0.0.1:{at.getsockname()[1]}/"

    def ready() -> None:
        print(address, flush=True)
        say(f"the space {searched.name} for {searched.input} images; Ctrl-C ends it")
        if not no_browser:
            import webbrowser

            webbrowser.open(address)

    serve(explorer, at, ready)


def _space(name: str | None, runs: Sequence[Run], begin: str | None) -> Space:
    """The space that is asked for, or the one that goes with the rest, for the design's images."""
    from dse.designs import run_space
    from dse.presets import preset_names
    from dse.space import DEFAULT_SPACE, load_space, space_names

    if name is not None or runs or begin is None:
        found = load_space(name or DEFAULT_SPACE) if name or not runs else run_space(runs[0])
        if begin is None or begin in preset_names():
            return found
        network = _network(begin, found)
        return found.with_io(network.input, network.classes)
    names = [DEFAULT_SPACE, *(other for other in space_names() if other != DEFAULT_SPACE)]
    for other in names:
        found = load_space(other)
        network = _network(begin, found)
        found = found.with_io(network.input, network.classes)
        if found.locate(network) is not None:
            return found
    raise InvalidValue(
        f"{begin} is a point of none of the shipped spaces {', '.join(sorted(names))}; name one of "
        "your own that holds it with --space"
    )


def _network(begin: str, space: Space) -> Network:
    """The design to begin with; a preset for the space's images and classes."""
    from dse.designs import find_design
    from dse.presets import preset_names

    if begin in preset_names():
        return find_design(begin, classes=space.classes, input=str(space.input))
    return find_design(begin)


def _sized(space: Space, image_size: int) -> Shape:
    from dse.ir import Shape

    return Shape((space.input.channels, image_size, image_size))


def _devices(names: Sequence[str] | None) -> tuple[Predictor, ...]:
    """What predicts latency on the devices asked for, or on all whose profiles are kept here."""
    from dse.latency.predict import Predictor
    from dse.latency.profile import find_profile, profile_names

    if names is not None:
        return tuple(Predictor(find_profile(name)) for name in dict.fromkeys(names))
    found = []
    for name in profile_names():
        try:
            found.append(Predictor(find_profile(name)))
        except DseError as error:
            say(f"the profile {name} is left out: {error}")
    return tuple(found)


def _start(space: Space, budget: Budget, runs: Sequence[Run], begin: str | None) -> Decisions:
    """The decisions to begin with: of the design asked for, else of the best of the first run, else
    of the space's first preset that fits, else random ones.
    """
    import random

    from dse.cost import cost
    from dse.explore.fronts import located
    from dse.presets import load_preset

    if begin is not None:
        network = _network(begin, space).resized(input=space.input, classes=space.classes)
        return located(space, network, begin)
    best = runs[0].best if runs else None
    if best is not None:
        try:
            return located(space, best.network, best.name, best.choices)
        except DseError:
            pass  # of another space: no reason not to begin
    for entry in space.contains:
        arguments = {**entry.arguments, "input": str(space.input), "classes": space.classes}
        try:
            network = load_preset(entry.preset, **arguments)
        except DseError:
            continue  # it cannot take such images
        decisions = space.locate(network) if budget.admits(cost(network)) else None
        if decisions is not None:
            return decisions
    return space.sample(random.Random(_SEED))
