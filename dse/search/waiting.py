"""A design that a person puts into a run: its search asks for it next."""

from __future__ import annotations

from contextlib import nullcontext

from dse.cost import Budget
from dse.designs import run_space
from dse.errors import InvalidValue
from dse.ir import Shape
from dse.network import Network
from dse.runs import Run, is_held
from dse.search.study import add_waiting


def enqueue(run: Run, network: Network) -> str:
    """Have a run's search evaluate a network next; returns a sentence on what follows.

    A search under way takes it up as soon as a worker is free; one that has ended does when it is
    resumed with more trials.

    Raises:
        InvalidValue: the run knows the design already, its space does not hold it, it is over the
            run's budget, or the run has no study to wait in.
    """
    settings = run.settings
    space = run_space(run)
    asked, given = _io(space.input, space.classes), _io(network.input, network.classes)
    if asked != given:
        raise InvalidValue(f"the run {run.name} is about {asked}, this design about {given}")
    decisions = space.locate(network)
    if decisions is None:
        raise InvalidValue(
            f"the space {space.name} of the run {run.name} does not hold this design: only its "
            "points can wait in it"
        )
    budget = Budget(**settings.get("budget", {}))
    excess = budget.excess(space.cost(decisions))
    if excess:
        raise InvalidValue(
            f"the run {run.name} admits {budget}; this design is over its {', '.join(excess)}"
        )
    known = next((row for row in run.trials if row.digest == network.digest), None)
    if known is not None:
        raise InvalidValue(f"the run {run.name} has this design already, as trial {known.trial}")
    storage = settings.get("storage") or run.folder / "study.log"
    running = is_held(run.folder)
    # While a search runs, its lock keeps others from the run, but not from the end of its journal.
    with nullcontext() if running else run.held():
        number = add_waiting(run.name, storage, decisions, running=running, name=network.name)
    if running:
        return f"it waits as trial {number} of {run.name}, whose search takes it up next"
    trials = max(len(run.trials), int(settings.get("trials", 0))) + 1
    return (
        f"it waits as trial {number} of {run.name}; evaluate it with: "
        f"dse search --run {run.name} --resume --trials {trials}"
    )


def _io(input: Shape, classes: int) -> str:
    return f"{input} images and {classes} classes"
