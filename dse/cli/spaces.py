"""`dse space`: look into a search space."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dse.cli.numbers import whole
from dse.cli.options import (
    BudgetLatency,
    BudgetMacs,
    BudgetParams,
    BudgetPeakMemory,
    BudgetSize,
    Classes,
    Input,
    Json,
)
from dse.cli.output import print_json, print_table, say
from dse.cli.space_compare import compare_spaces
from dse.errors import InvalidValue

if TYPE_CHECKING:
    from dse.space import Space
    from dse.space.count import Count
    from dse.space.stats import Bar

SpaceName = Annotated[str, typer.Argument(help="A shipped space's name, or a YAML file.")]
Seed = Annotated[int, typer.Option(parser=whole(0), metavar="N", help="Of the random draws.")]

_LONG = 1e15
"""Spaces of more decision vectors are not counted within seconds."""

commands = typer.Typer(
    help="Show, check, count, sample and compare search spaces.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    commands.command("compare")(compare_spaces)
    app.add_typer(commands, name="space")


def load(name: str, input: str | None, classes: int | None) -> Space:
    """A space for other images or classes."""
    from dse.ir import Shape
    from dse.space import load_space

    space = load_space(name)
    if input is None and classes is None:
        return space
    return space.with_io(
        input=Shape.parse(input) if input else space.input, classes=classes or space.classes
    )


@commands.command()
def show(name: SpaceName, json: Json = False) -> None:
    """The decisions of a space and what each may be."""
    space = load(name, None, None)
    choices = space.choices()
    if json:
        from dataclasses import asdict

        kinds = {key: type(choice).__name__.lower() for key, choice in choices.items()}
        document = {key: {"kind": kinds[key], **_public(asdict(c))} for key, c in choices.items()}
        print_json({"name": space.name, "about": space.about, "decisions": document})
        return
    print(f"{space.name}: {space.about}\n")
    print_table(("decision", "may be"), [(key, str(choice)) for key, choice in choices.items()])


def _public(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if not name.startswith("_")}


@commands.command()
def check(name: SpaceName) -> None:
    """Whether a space is sound: its presets are points of it, its samples are networks."""
    problems = load(name, None, None).check()
    for problem in problems:
        say(problem)
    if problems:
        raise typer.Exit(1)
    print(f"{name}: no problem found")


@commands.command()
def stats(
    name: SpaceName,
    samples: Annotated[
        int, typer.Option(parser=whole(1), metavar="N", help="Random designs to cost.")
    ] = 1000,
    seed: Seed = 0,
    input: Input = None,
    classes: Classes = None,
    budget_params: BudgetParams = None,
    budget_macs: BudgetMacs = None,
    budget_peak_memory: BudgetPeakMemory = None,
    budget_size: BudgetSize = None,
    budget_latency_ms: BudgetLatency = None,
    device: Annotated[
        str | None, typer.Option(metavar="PROFILE", help="A device profile or its file.")
    ] = None,
    json: Json = False,
) -> None:
    """How large a space is, what its designs cost, and how many of them fit a budget."""
    from dse.cost import Budget

    space = load(name, input, classes)
    if device is not None:
        space = _timed(space, device)
    elif budget_latency_ms is not None:
        raise InvalidValue("a latency budget needs --device: a device profile, or its file")
    budget = Budget(
        params=budget_params,
        macs=budget_macs,
        peak_activation_bytes=budget_peak_memory,
        size_bytes=budget_size,
        latency_ms=budget_latency_ms,
    )
    limits = budget.limits()
    size = space.size()
    if limits and space.timer is None and size.count > _LONG:
        say(f"{space.name} has {size} decision vectors; counting those that fit takes a while")
    found = space.stats(samples=samples, seed=seed, budget=budget if limits else None)
    if json:
        print_json(
            {
                "space": space.name,
                "input": str(space.input),
                "classes": space.classes,
                "size": None if size.count == inf else size.count,
                "budget": limits,
                **found.as_document(),
            }
        )
        return
    print(
        f"{space.name} for {space.input} images, {space.classes} classes: {size} decision vectors"
    )
    low, high = found.feasible_interval
    fits = f"{found.feasible:.1%} ({low:.2%} to {high:.2%}) fit {budget}"
    print(
        f"{found.samples} random designs: {found.valid:.1%} can be built, "
        f"{fits if limits else 'no budget given'}"
    )
    if found.count is not None:
        _print_count(found.count)
    from dse.space.bottleneck import written

    shares = list(next(iter(found.quantiles.values()), {}))
    rows = [
        (metric, *(written(metric, value) for value in values.values()))
        for metric, values in found.quantiles.items()
    ]
    print()
    header = [f"{share:.0%}" for share in shares]
    print_table(("", *header), rows, right="|".join(header))
    for metric, bars in found.histograms.items():
        _print_histogram(metric, bars)
    for reason, times in found.problems.items():
        print(f"{times} times: {reason}")


def _timed(space: Space, device: str) -> Space:
    """The space with latencies predicted by a profile."""
    from dse.latency.predict import Predictor
    from dse.latency.profile import find_profile

    return space.timed_by(Predictor(find_profile(device)))


def _print_count(count: Count) -> None:
    designs, share = count.designs, count.share
    if count.method == "exact":
        assert share is not None
        print(
            f"decision vectors that fit: {designs.value:,.0f} exactly, "
            f"{share.value:.3%} of random draws"
        )
        return
    if not designs.value:
        print(f"decision vectors that fit: none found in {count.runs} runs of {count.method}")
        return
    print(
        f"decision vectors that fit: {designs.value:.3g}, standard error {designs.error:.2g}; "
        f"{count.method}, {count.runs} runs"
    )
    if share is not None:
        print(
            f"share of random draws that fit: {share.value:.3g}, standard error {share.error:.2g}"
        )


def _print_histogram(metric: str, bars: Sequence[Bar]) -> None:
    from dse.space.bottleneck import written

    most = max((bar.designs for bar in bars), default=0)
    rows = [
        (written(metric, bar.low), f"{bar.designs:,}", "#" * round(40 * bar.designs / most))
        for bar in bars
    ]
    print()
    print_table((f"{metric} from", "designs", ""), rows, right=f"{metric} from|designs")


@commands.command()
def sample(
    name: SpaceName,
    count: Annotated[int, typer.Option(parser=whole(1), metavar="N", help="How many designs.")] = 1,
    seed: Seed = 0,
    input: Input = None,
    classes: Classes = None,
    json: Json = False,
) -> None:
    """Random designs of a space, as tables or JSON."""
    import random

    space = load(name, input, classes)
    source = random.Random(seed)
    drawn = [space.bind(space.sample(source)) for _ in range(count)]
    if json:
        print_json([network.model_dump(mode="json", exclude_defaults=True) for network in drawn])
        return
    for network in drawn:
        print(network)
        print()
