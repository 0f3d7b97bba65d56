"""How many random designs are costed a minute: in sweeps, and one at a time as a search does."""

from __future__ import annotations

import random
from time import perf_counter

from benchmarks.text import table
from dse.space import Space, load_space, space_names
from dse.space.sweep import sweep

_COUNT = 1_000_000
_ALONE = 1_000
_PROCESSES = 2


def main() -> None:
    """A million designs of every shipped space, in one process and in two."""
    print(f"random designs drawn and costed: thousands a minute; sweeps of {_COUNT:,}\n")
    rows = []
    for name in space_names():
        alone = _ALONE / _seconds_alone(load_space(name))
        row = [name, _rate(alone)]
        for processes in (1, _PROCESSES):
            space = load_space(name)
            started = perf_counter()
            sweep(space, _COUNT, processes=processes)
            taken = perf_counter() - started
            row += [_rate(_COUNT / taken), f"{taken:.1f}", f"{_COUNT / taken / alone:.0f}"]
        rows.append(tuple(row))
    taken = ("seconds", "times faster")
    header = ("space", "one at a time", "swept", *taken, f"in {_PROCESSES} processes", *taken)
    table(header, rows)


def _seconds_alone(space: Space) -> float:
    rng = random.Random(0)
    started = perf_counter()
    for _ in range(_ALONE):
        space.cost(space.sample(rng, valid=False))
    return perf_counter() - started


def _rate(a_second: float) -> str:
    return f"{60 * a_second / 1000:,.0f}"
