"""`dse worker`: one more machine for a search that runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dse.cli.numbers import whole
from dse.cli.output import say
from dse.errors import InvalidValue

if TYPE_CHECKING:
    from dse.search import Search


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(short_help="Help with a search that runs, from any machine.")(worker)


def worker(
    storage: Annotated[str, typer.Option(metavar="URL", help="The search's --storage.")],
    run: Annotated[str, typer.Option(metavar="NAME", help="The search's run.")],
    data_dir: Annotated[Path | None, typer.Option(help="Where the data lies here.")] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            parser=whole(1),
            metavar="N",
            help="Evaluations side by side. [default: one per core, at most 8; 1 on a GPU]",
        ),
    ] = None,
    train_device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
) -> None:
    """Evaluate designs of a search that was begun elsewhere with --storage, until it is over.

    The rows go to the search's own run; nothing is kept here.
    """
    from dse.runtime.train import pick_device, threads_for
    from dse.search.remote import help_with, running_search

    facts = running_search(storage, run)
    where = pick_device(train_device)
    search = search_of(facts, data_dir, where)
    search.workers = workers or (min(8, threads_for(1)) if where == "cpu" else 1)
    say(f"helping with {run}: space {search.space.name}, {search.budget}")
    rows = help_with(search, storage, run)
    print(f"{len(rows)} designs evaluated for {run}")


def search_of(facts: dict[str, Any], data_dir: Path | None, where: str) -> Search:
    """The same search as the one that the facts are of.

    Raises:
        InvalidValue: it cannot be the same here.
    """
    from dse.cli.asked import data_of, evaluator_of, requirements_of
    from dse.cli.lines import Lines
    from dse.cli.predicted import PROFILE_FILE
    from dse.cost import Budget
    from dse.ir import Shape
    from dse.latency.predict import Predictor
    from dse.latency.profile import Profile
    from dse.search import Search
    from dse.space import parse_space
    from dse.version import dse_version

    if facts["dse"] != dse_version():
        raise InvalidValue(
            f"the search runs dse {facts['dse']}, here is dse {dse_version()}: install the same"
        )
    options = {**facts["options"], "data_dir": None if data_dir is None else str(data_dir)}
    read = data_of(options)
    if read is not None and read[0].digest != facts["data"]["digest"]:
        raise InvalidValue(
            f"the images must be those of the search: the data set {read[0].name} has the digest "
            f"{read[0].digest} here, {facts['data']['digest']} there"
        )
    space = parse_space(facts["files"]["space.yaml"], options["space_name"], "space.yaml")
    profile = facts["files"].get(PROFILE_FILE)
    if profile is not None:
        space = space.timed_by(Predictor(Profile.read(profile, PROFILE_FILE)))
    return Search(
        space=space.with_io(input=Shape.parse(facts["input"]), classes=facts["classes"]),
        evaluate=evaluator_of(options, where),
        budget=Budget(**facts["budget"]),
        objectives=tuple(facts["objectives"]),
        trials=facts["trials"],
        seed=facts["seed"],
        require=requirements_of(options),
        sampler=facts["sampler"],
        rungs=facts["rungs"] if isinstance(facts["rungs"], bool) else tuple(facts["rungs"]),
        listener=Lines(),
    )
