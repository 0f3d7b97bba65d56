"""What a search takes beside evaluating its candidates: the default one, free to evaluate."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.text import table
from benchmarks.timing import Spread
from dse.cost import Budget
from dse.ir import Shape
from dse.runs import Run
from dse.search import crew, engine, feasible, study
from dse.space import Space, load_space

_TRIALS = 24
_REPEATS = 5
_TRAINING = (10.0, 15.0)
"""CPU seconds that the training of one candidate takes on the covid data at 64x64."""

_PARTS: dict[str, tuple[Any, str]] = {
    "prepare: is the budget within reach": (feasible.FeasibleSpace, "check_reachable"),
    "ask the sampler, walk the space": (study.Study, "ask"),
    "bind and cost a proposal": (Space, "evaluate"),
    "walk, bind and cost a wish": (Space, "decide"),
    "wishes made to fit": (feasible.FeasibleSpace, "repair"),
    "random designs that fit": (feasible.FeasibleSpace, "random"),
    "tell the sampler": (study.Study, "finish"),
    "reject to the sampler": (study.Study, "reject"),
    "row to the run's file": (Run, "append"),
    "the row itself": (crew, "row_of"),
    "settings to the run's file": (Run, "save_settings"),
}


def main() -> None:
    """Run the default covid search with an evaluator that returns at once."""
    load_space("lightweight")
    walls: list[float] = []
    spent: dict[str, list[float]] = defaultdict(list)
    calls: dict[str, list[int]] = defaultdict(list)
    proposed: list[int] = []
    for seed in range(_REPEATS):
        with tempfile.TemporaryDirectory() as folder, _clocks() as clocks:
            started = perf_counter()
            run = _search(seed).run("overhead", folder=Path(folder) / "overhead")
            walls.append(perf_counter() - started)
            proposed.append(len(run.trials) + sum(run.settings["counts"].values()))
        for name in _PARTS:
            spent[name].append(clocks[name][0])
            calls[name].append(clocks[name][1])
    wall = Spread.of(walls)
    print(
        f"a search of {_TRIALS} trials (space lightweight, 3x64x64, at most 1M parameters and 68M"
    )
    print(
        "MACs) whose evaluator returns at once; own time of each part, without the parts within\n"
    )
    rows = []
    for name in _PARTS:
        own, number = Spread.of(spent[name]), Spread.of([float(n) for n in calls[name]])
        each = f"{1000 * own.median / number.median:.2f}" if number.median else "-"
        share = f"{own.median / wall.median:.0%}"
        rows.append((name, f"{1000 * own.median:.0f}", f"{number.median:.0f}", each, share))
    known = sum(Spread.of(values).median for values in spent.values())
    rest = max(0.0, wall.median - known)
    rows.append(("all else", f"{1000 * rest:.0f}", "", "", f"{rest / wall.median:.0%}"))
    table(("part", "ms", "calls", "ms a call", "share"), rows)
    asked = Spread.of([float(n) for n in proposed]).median
    print(f"in all {wall} s for {asked:.0f} proposals: {1000 * wall.median / asked:.1f} ms each")
    for workers in (1, 2, 8):
        low, high = (wall.median / (_TRIALS * s / workers + wall.median) for s in _TRAINING[::-1])
        print(f"share of the search's time with {workers} workers: {low:.2%} to {high:.2%}")
    print(f"(at {_TRAINING[0]:.0f} to {_TRAINING[1]:.0f} s for the training of a candidate)\n")


def _search(seed: int) -> engine.Search:
    space = load_space("lightweight").with_io(input=Shape((3, 64, 64)), classes=3)
    return engine.Search(
        space=space,
        evaluate=lambda candidate, report: {"accuracy": 1 / (1 + candidate.cost.macs)},
        budget=Budget(params=1e6, macs=68e6),
        trials=_TRIALS,
        seed=seed,
    )


@contextmanager
def _clocks() -> Iterator[dict[str, list[Any]]]:
    """Time the methods of `_PARTS`, each without those that it calls."""
    clocks: dict[str, list[Any]] = {name: [0.0, 0] for name in _PARTS}
    within: list[float] = [0.0]
    originals = {name: getattr(owner, method) for name, (owner, method) in _PARTS.items()}

    def timed(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            within.append(0.0)
            started = perf_counter()
            try:
                return method(*args, **kwargs)
            finally:
                seconds = perf_counter() - started
                clocks[name][0] += seconds - within.pop()
                clocks[name][1] += 1
                within[-1] += seconds

        return call

    for name, (owner, method) in _PARTS.items():
        setattr(owner, method, timed(name, originals[name]))
    try:
        yield clocks
    finally:
        for name, (owner, method) in _PARTS.items():
            setattr(owner, method, originals[name])
