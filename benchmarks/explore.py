"""How long the explorer takes to answer a move: every part of the page, as JSON."""

from __future__ import annotations

import json
import random
import statistics
from collections.abc import Callable
from time import perf_counter, process_time

from benchmarks.text import table
from dse.cost import Budget
from dse.explore.explorer import Explorer
from dse.space import Decisions, load_space, space_names

_MOVES = 300
_FIRST = 10
"""Moves after which what is made once, as templates and imports, has been made."""
_BUDGET = Budget(params=1e6, macs=1e8)


def main() -> None:
    """Random moves, each of one decision, through every shipped space."""
    print(
        f"answers to {_MOVES} random moves of one decision: ms of processor time, and on the wall\n"
    )
    rows = []
    for name in space_names():
        explorer = Explorer(load_space(name), _BUDGET)
        update, source = _Timed(), _Timed()
        unfinished = 0
        for number, decisions in enumerate(_moves(explorer)):
            answer = update(explorer.update, decisions, _BUDGET)
            unfinished += bool(answer["more"]) and number >= _FIRST
            source(explorer.source, decisions)
        rows.append((name, *update.cells(), *source.cells(), f"{unfinished / _MOVES:.0%}"))
    parts = ("median", "95 %", "wall 95 %")
    header = ("space", *(f"update {part}" for part in parts), *(f"source {p}" for p in parts))
    table((*header, "options late"), rows)


class _Timed:
    """Calls, and how long each and its text took."""

    def __init__(self) -> None:
        self._own: list[float] = []
        self._wall: list[float] = []

    def __call__(
        self, answer: Callable[..., dict[str, object]], *args: object
    ) -> dict[str, object]:
        own, wall = process_time(), perf_counter()
        found = answer(*args)
        json.dumps(found)
        self._own.append(1000 * (process_time() - own))
        self._wall.append(1000 * (perf_counter() - wall))
        return found

    def cells(self) -> tuple[str, str, str]:
        """Median and 95th percentile of processor time, and the latter on the wall."""
        own, wall = sorted(self._own[_FIRST:]), sorted(self._wall[_FIRST:])
        at = round(0.95 * (len(own) - 1))
        return f"{statistics.median(own):.1f}", f"{own[at]:.1f}", f"{wall[at]:.1f}"


def _moves(explorer: Explorer) -> list[Decisions]:
    rng = random.Random(0)
    choices = explorer.space.choices()
    decisions = explorer.space.sample(rng)
    found = []
    for _ in range(_MOVES):
        found.append(decisions)
        name = rng.choice(list(decisions))
        wanted = {**decisions, name: rng.choice(choices[name].values())}
        decisions = explorer.decisions(wanted)
    return found


if __name__ == "__main__":
    main()
