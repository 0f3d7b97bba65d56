"""What a proposal takes as trials accumulate, in the default space and with an evaluator that
returns at once.
"""

from __future__ import annotations

import time
import warnings
from math import log

import optuna

from benchmarks.text import table
from benchmarks.timing import Spread
from dse.cost import Budget
from dse.ir import Shape
from dse.search.distributions import distribution_of
from dse.search.feasible import FeasibleSpace
from dse.search.samplers import make_sampler
from dse.space import Decisions, load_space

_MARKS = (100, 300, 1_000)
_EACH = 40
"""Proposals that `auto` is timed for up to each mark..."""
_RIVALS = {"tpe": 10, "nsga2": 10, "random": 10}
"""... and others, given the trials of `auto`."""


def main() -> None:
    """CPU milliseconds of one thread, from the question to the last decision, kept in memory."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.simplefilter("ignore")
    space = load_space("lightweight").with_io(input=Shape((3, 64, 64)), classes=3)
    domain = FeasibleSpace(space, Budget(params=1e6, macs=68e6))
    own = _study(domain, "auto")
    spent = [_ask(domain, own) for _ in range(_MARKS[-1])]
    rows = []
    for mark in _MARKS:
        cells = [str(Spread.of([1000 * s for s in spent[mark - _EACH : mark]]))]
        for name, count in _RIVALS.items():
            rival = _study(domain, name)
            rival.add_trials(own.trials[:mark])
            cells.append(str(Spread.of([1000 * _ask(domain, rival) for _ in range(count)])))
        rows.append((f"{mark:,}", *cells))
    print("a proposal in the space lightweight (3x64x64, at most 1M parameters and 68M MACs),")
    print("objectives accuracy and MACs: ms of CPU time after so many finished trials\n")
    table(("trials", "auto", *_RIVALS), rows)
    print(f"all {_MARKS[-1]:,} of auto: mean {1000 * sum(spent) / len(spent):.0f} ms\n")


def _study(domain: FeasibleSpace, sampler: str) -> optuna.Study:
    made = make_sampler(sampler, domain, ("accuracy", "macs"), 0)
    return optuna.create_study(sampler=made, directions=["maximize", "minimize"])


def _ask(domain: FeasibleSpace, study: optuna.Study) -> float:
    """Ask for a trial and end it; the seconds that asking took."""
    started = time.process_time()
    trial = study.ask()
    decisions = dict(trial.relative_params)
    for name, value in decisions.items():
        assert trial._suggest(name, distribution_of(domain.choices()[name])) == value
    seconds = time.process_time() - started
    study.tell(trial, _values(domain, decisions))
    return seconds


def _values(domain: FeasibleSpace, decisions: Decisions) -> list[float]:
    """A made-up accuracy, the better the larger a network, and the true cost."""
    cost = domain.space.cost(decisions)
    worse = 0.05 * (decisions.get("activation") == "relu")
    return [0.5 + 0.04 * log(cost.macs) + 0.02 * log(cost.params) - worse, float(cost.macs)]
