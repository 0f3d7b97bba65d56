"""Search: the one place that knows Optuna, by ask and tell alone."""

from __future__ import annotations

from collections.abc import Sequence

from dse.cost import Budget
from dse.runs import Run, free_run_name
from dse.search.candidate import Candidate, Evaluate, Listener, Report
from dse.search.engine import Search
from dse.search.requirement import Requirement
from dse.search.samplers import sampler_names
from dse.search.study import check_storage
from dse.space import Space


def search(
    space: Space,
    evaluate: Evaluate,
    *,
    budget: Budget | None = None,
    objectives: Sequence[str] = ("accuracy", "params"),
    trials: int = 16,
    seed: int = 0,
    sampler: str = "auto",
    run: str | None = None,
    resume: bool = False,
    workers: int = 1,
    require: Sequence[str] = (),
    rungs: bool | tuple[int, ...] = True,
    storage: str | None = None,
    listener: Listener | None = None,
) -> Run:
    """Search a space for designs within a budget.

    Example:
        >>> import dse
        >>> space = dse.load_space("lightweight")
        >>> def evaluate(candidate, report):
        ...     return {"accuracy": -abs(candidate.cost.params - 100_000)}
        >>> budget = dse.Budget(params=2e5)
        >>> run = dse.search(space, evaluate, budget=budget, trials=3)  # doctest: +SKIP

    Args:
        space: what to search; ``space.with_io`` fits it to other images and classes, and
            ``space.timed_by(Predictor(profile))`` lets latency be limited or an objective.
        evaluate: called with a `Candidate` and ``report(step, metrics)``; returns metrics by
            name. A plain function is enough.
        budget: hard limits. A design over budget is never built, trained or counted.
        objectives: metrics and costs to aim at, the most important first.
        trials: evaluations in all, the papers' networks that fit included.
        seed: of the sampler.
        sampler: see `sampler_names`.
        run: the run's name, a folder below ``runs``; by default the next free ``search-N``.
        resume: go on with a run that exists.
        workers: evaluations side by side, in processes of their own if more than 1.
        require: what metrics have to reach, as in ``recall.covid>=0.9``. A design that does not is
            on no front and never wins.
        rungs: whether designs stop after a part of their epochs, or reports, where others do
            better, or after how many.
        storage: an Optuna storage URL instead of the run's own journal file.
        listener: hears of the progress.

    Raises:
        OverBudget: no design of the space fits.
        InvalidValue: an argument outside what it may be, or the run exists.
        UnknownName: no such sampler.
    """
    return Search(
        space=space,
        evaluate=evaluate,
        budget=budget or Budget(),
        objectives=tuple(objectives),
        trials=trials,
        seed=seed,
        sampler=sampler,
        workers=workers,
        require=tuple(map(Requirement.parse, require)),
        rungs=rungs,
        storage=storage,
        listener=listener or Listener(),
    ).run(run or free_run_name("search"), resume=resume)


__all__ = [
    "Candidate",
    "Evaluate",
    "Listener",
    "Report",
    "Requirement",
    "Search",
    "check_storage",
    "free_run_name",
    "sampler_names",
    "search",
]
