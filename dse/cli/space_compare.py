"""`dse space compare`: two design spaces by the random designs of two runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dse.cli.options import Json
from dse.cli.output import print_json, print_table
from dse.errors import InvalidValue, UnknownName
from dse.runs import COST_KEYS, Run, Trial, direction, open_run

if TYPE_CHECKING:
    from dse.space.edf import Comparison, Summary

RunName = Annotated[str, typer.Argument(help="A run made with --sampler random.", metavar="RUN")]

_SAME = ("data", "recipe", "epochs", "image_size", "evaluate")
_WIDE, _HIGH = 60, 12


def compare_spaces(
    first: RunName,
    second: RunName,
    metric: Annotated[
        str | None, typer.Option(help="What the designs achieve. [default: the first objective]")
    ] = None,
    at_equal: Annotated[
        str | None,
        typer.Option(
            "--at-equal",
            metavar="COST",
            help=f"Compare at equal costs: one of {', '.join(COST_KEYS)}.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Two spaces by the random designs of a run on each: distributions, not winners."""
    from dse.space.edf import compare  # scipy takes its time, and no other command here needs it

    if at_equal is not None and at_equal not in COST_KEYS:
        raise UnknownName("cost", at_equal, COST_KEYS)
    runs = [open_run(first), open_run(second)]
    _check_alike(*runs)
    name = metric or runs[0].objectives[0]
    samples = [_designs(run, name) for run in runs]
    values = [[_value(trial, name) for trial in trials] for trials in samples]
    costs = None
    if at_equal is not None:
        a, b = ([trial.cost[at_equal] for trial in trials] for trials in samples)
        costs = (a, b)
    found = compare(values[0], values[1], costs)
    spaces = [str(run.settings.get("space", run.name)) for run in runs]
    if json:
        head = {"metric": name, "at_equal": at_equal, "runs": [first, second], "spaces": spaces}
        print_json({**head, **found.as_document()})
        return
    _print(found, name, at_equal, [f"{s} ({r.name})" for s, r in zip(spaces, runs, strict=True)])


def _check_alike(first: Run, second: Run) -> None:
    """Only the spaces may differ, or the comparison would tell of something else."""
    for run in (first, second):
        sampler = run.settings.get("sampler")
        if sampler != "random":
            raise InvalidValue(
                "spaces are compared by random designs; the run "
                f"{run.name} was made with --sampler {sampler}, make one with --sampler random"
            )
    for key in _SAME:
        a, b = (_condition(run, key) for run in (first, second))
        if a != b:
            raise InvalidValue(
                f"runs are compared on the same data in the same way; {key.replace('_', ' ')} "
                f"is {_told(a)} in {first.name} and {_told(b)} in {second.name}"
            )


def _condition(run: Run, key: str) -> Any:
    """A condition of a run as far as it matters to what its designs achieve."""
    value = run.settings.get(key)
    if key != "data" or not isinstance(value, dict):
        return value
    split = value.get("split")
    parts = {k: split.get(k) for k in ("fold", "train", "val")} if isinstance(split, dict) else None
    return {"name": value.get("name"), "digest": value.get("digest"), "split": parts}


def _told(condition: Any) -> str:
    if not isinstance(condition, dict):
        return str(condition)
    text = ", ".join(f"{key} {value}" for key, value in condition.items())
    return text if len(text) <= 160 else f"{text[:157]}..."


def _designs(run: Run, metric: str) -> list[Trial]:
    """The random designs of a run that have the metric."""
    drawn = [trial for trial in run.trials if trial.state == "finished" and not trial.baseline]
    found = [trial for trial in drawn if trial.objective(metric) is not None]
    if drawn and not found:
        raise UnknownName(f"metric of the run {run.name}", metric, _metrics(drawn))
    if len(found) < 2:
        raise InvalidValue(
            f"a space is compared by at least 2 random designs that finished; {run.name} "
            f"has {len(found)}"
        )
    return found


def _metrics(trials: Sequence[Trial]) -> set[str]:
    return {name for trial in trials for name in (*trial.values, *trial.cost)}


def _value(trial: Trial, metric: str) -> float:
    value = trial.objective(metric)
    assert value is not None
    return value


def _print(found: Comparison, metric: str, at_equal: str | None, names: list[str]) -> None:
    header = ("space", "designs", "least", "median", "most", "mean", "95 % of the mean")
    rows = [
        (name, s.designs, *(f"{v:.4g}" for v in (s.least, s.median, s.most, s.mean)), _span(s))
        for name, s in zip(names, (found.a, found.b), strict=True)
    ]
    print_table(header, rows, right="designs|least|median|most|mean")
    low, high = found.difference_interval
    print()
    if at_equal is not None:
        print(f"designs weighted to spread alike over {found.ranges} ranges of {at_equal}")
    print(f"second less first: {found.difference:+.4g} ({low:+.4g} to {high:+.4g})")
    print(f"distance of the distributions: {found.distance:.3f}, p = {found.p_value:.3g}")
    print(f"{_verdict(found, metric)}\n")
    for line in plot(found.a, found.b):
        print(line)
    print(f"share of designs up to a value of {metric}: 1 {names[0]}, 2 {names[1]}, # both")


def _span(summary: Summary) -> str:
    low, high = summary.mean_interval
    return f"{low:.4g} to {high:.4g}"


def _verdict(found: Comparison, metric: str) -> str:
    if found.p_value >= 0.05:
        return "the designs at hand do not tell the spaces apart"
    low, high = found.difference_interval
    if low <= 0 <= high:
        return "the spaces differ, but neither has the better mean beyond doubt"
    better = (found.difference > 0) == (direction(metric) == "maximize")
    return f"random designs of the {'second' if better else 'first'} space are better on average"


def plot(a: Summary, b: Summary) -> list[str]:
    """Both distribution functions as text, from the least value of all to the greatest."""
    low, high = min(a.least, b.least), max(a.most, b.most)
    grid = [[" "] * _WIDE for _ in range(_HIGH + 1)]
    for column in range(_WIDE):
        value = low + (high - low) * column / (_WIDE - 1)
        for mark, side in (("1", a), ("2", b)):
            row = _HIGH - round(_HIGH * side.share(value + 1e-12 * abs(value)))
            grid[row][column] = mark if grid[row][column] == " " else "#"
    lines = [
        f"{1 - number / _HIGH:>5.0%} |{''.join(row).rstrip()}"
        if number % 3 == 0
        else f"      |{''.join(row).rstrip()}"
        for number, row in enumerate(grid)
    ]
    ends = f"{low:.4g}", f"{high:.4g}"
    axis = f"{ends[0]}{' ' * max(1, _WIDE - len(ends[0]) - len(ends[1]))}{ends[1]}"
    return [*lines, f"      +{'-' * _WIDE}", f"       {axis}"]
