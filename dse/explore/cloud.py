"""The cloud: random designs within the budget, and the papers' networks.

Drawing thousands of designs within a narrow budget takes seconds, which another process has.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from dse.cost import Budget, Cost
from dse.errors import DseError
from dse.explore.explorer import COSTS, Explorer
from dse.network import Network
from dse.processes import Pool, pool_state
from dse.space import Decisions

_BATCHES = (50, 150, *(200,) * 14)
"""Sizes of the portions in which designs arrive: few at first, so that something is there soon."""
_SEED = 0


@dataclass(frozen=True)
class Placed:
    """A design with its decisions and what it costs, latencies by device included."""

    name: str
    digest: str
    decisions: Decisions
    costs: dict[str, float]


class Cloud:
    """Random designs of an explorer's space within the budget that it was started with.

    Attributes:
        points: those drawn so far.
        presets: the papers' networks that are points of the space, whatever they cost.
        problem: why there are no more points; empty while there is no reason.
        finished: whether no more will come.
    """

    def __init__(self, explorer: Explorer) -> None:
        self.points: list[Placed] = []
        self.presets: list[Placed] = []
        self.problem = ""
        self.finished = False
        self._explorer = explorer
        self._pool: Pool | None = None
        self._drawn = 0
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Have another process draw; returns at once."""
        self._pool = Pool(1, self._explorer)
        self._submit(self._take_presets, _presets)
        self._submit(self._take_points, _draw, 0)

    def close(self) -> None:
        """End the other process."""
        with self._lock:
            pool, self._pool = self._pool, None
            self.finished = True
        if pool is not None:
            pool.close()

    def document(self, since: int) -> dict[str, Any]:
        """The points from number `since` on, cost by cost, and all presets."""
        points = self.points[since:]
        names = (*COSTS, *(device.profile.name for device in self._explorer.devices))
        return {
            "since": since,
            "costs": {name: [point.costs[name] for point in points] for name in names},
            "presets": [
                {
                    "name": preset.name,
                    "digest": preset.digest,
                    "decisions": preset.decisions,
                    "costs": preset.costs,
                }
                for preset in self.presets
            ],
            "finished": self.finished,
            "problem": self.problem,
            "budget": str(self._explorer.budget),
        }

    # -- what arrives

    def _submit(self, take: Callable[[Any], None], call: Callable[..., Any], *args: int) -> None:
        def arrived(future: Future[Any]) -> None:
            try:
                take(future.result())
            except DseError as error:
                self._end(str(error))
            except (CancelledError, Exception) as error:
                self._end(f"designs could not be drawn: {type(error).__name__}: {error}")

        with self._lock:
            if self._pool is not None:
                self._pool.submit(call, *args).add_done_callback(arrived)

    def _take_presets(self, presets: Sequence[Placed]) -> None:
        self.presets = list(presets)

    def _take_points(self, points: Sequence[Placed]) -> None:
        self.points += points
        self._drawn += 1
        if not points or self._drawn == len(_BATCHES):
            self._end("")
        else:
            self._submit(self._take_points, _draw, self._drawn)

    def _end(self, problem: str) -> None:
        if not self.finished:
            self.problem, self.finished = problem, True
            # Not from here: this is a thread of the pool's.
            threading.Thread(target=self.close, daemon=True).start()


# -- in the other process


def _presets() -> list[Placed]:
    from dse.search.baselines import baselines

    explorer: Explorer = pool_state()
    with suppress(AttributeError, OSError):
        os.nice(10)  # a move on the page goes first
    space = explorer.space
    return [
        _placed(explorer, found.name, found.choices, found.network, space.cost(found.choices))
        for found in baselines(space, Budget())
    ]


def _draw(batch: int) -> list[Placed]:
    """A portion of the designs; fewer where no more are found."""
    from dse.search.domain import Exhausted
    from dse.search.feasible import FeasibleSpace

    explorer: Explorer = pool_state()
    domain = FeasibleSpace(explorer.space, explorer.budget)
    if batch == 0:
        domain.check_reachable()
    rng = random.Random(f"{_SEED} {batch}")
    found = []
    with suppress(Exhausted):
        for _ in range(_BATCHES[batch]):
            decisions = domain.random(rng)
            network, cost = explorer.space.evaluate(decisions)
            found.append(_placed(explorer, network.name, decisions, network, cost))
    return found


def _placed(
    explorer: Explorer, name: str, decisions: Decisions, network: Network, cost: Cost
) -> Placed:
    costs = {metric: float(getattr(cost, metric)) for metric in COSTS}
    return Placed(name, network.digest, decisions, {**costs, **explorer.latencies(network)})
