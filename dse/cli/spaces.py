"""`dse space`: look into a search space."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dse.cli.numbers import number, whole
from dse.cli.options import Classes, Input, Json
from dse.cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from dse.space import Space

SpaceName = Annotated[str, typer.Argument(help="A shipped space's name, or a YAML file.")]
Seed = Annotated[int, typer.Option(parser=whole(0), metavar="N", help="Of the random draws.")]

commands = typer.Typer(help="Show, check, count and sample search spaces.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
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
    budget_params: Annotated[float | None, typer.Option(parser=number)] = None,
    budget_macs: Annotated[float | None, typer.Option(parser=number)] = None,
    json: Json = False,
) -> None:
    """How large a space is, and what its designs cost."""
    from dse.cost import Budget

    space = load(name, input, classes)
    budget = Budget(params=budget_params, macs=budget_macs)
    found = space.stats(samples=samples, seed=seed, budget=budget if budget.limits() else None)
    if json:
        print_json(found.as_document())
        return
    size = space.size()
    print(
        f"{space.name} for {space.input} images, {space.classes} classes: {size} decision vectors"
    )
    print(
        f"{found.samples} random designs: {found.valid:.1%} can be built, "
        f"" + (f"{found.feasible:.1%} fit {budget}" if budget.limits() else "no budget given")
    )
    shares = list(next(iter(found.quantiles.values()), {}))
    rows = [
        (metric, *(f"{value:,.0f}" for value in values.values()))
        for metric, values in found.quantiles.items()
    ]
    print()
    header = [f"{share:.0%}" for share in shares]
    print_table(("", *header), rows, right="|".join(header))
    for reason, times in found.problems.items():
        print(f"{times} times: {reason}")


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
