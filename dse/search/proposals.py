"""From a sampler's wishes to candidates worth training: feasible, possible and new."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from dse.cost import Budget, Cost
from dse.errors import InvalidDesign, OverBudget
from dse.network import Network
from dse.search.candidate import Candidate
from dse.search.study import Study
from dse.space import Space

_PATIENCE = 12
"""Wishes in a row that may be refused before a random feasible design is put in their place."""
_DRAWS = 3_000
"""Random designs tried to find one that fits and is new."""

LatencyOf = Callable[[Network], float]


class Exhausted(Exception):
    """No further new design that fits could be found."""


class Proposer:
    """Turns what a study asks into candidates.

    A design over budget is neither built nor trained nor counted, an impossible one as little; one
    that computes the same as an earlier one is told that one's values.

    Attributes:
        refused: how many proposals were over budget, impossible or duplicates.
    """

    def __init__(
        self,
        space: Space,
        study: Study,
        budget: Budget,
        *,
        latency_of: LatencyOf | None = None,
        seed: int = 0,
        presets: Mapping[str, Network] | None = None,
    ) -> None:
        self.refused: Counter[str] = Counter()
        self._space = space
        self._study = study
        self._budget = budget
        self._latency_of = latency_of
        self._random = random.Random(seed)
        # A preset keeps its own names, however it was come by.
        self._presets = dict(presets or {})
        self._known: dict[str, list[float] | None] = {}
        self._latencies: dict[str, float] = {}

    def remember(self, digest: str, values: list[float] | None) -> None:
        """Note a design that was evaluated, with its objectives, or None if it failed or still
        runs.
        """
        self._known[digest] = values

    def next(self) -> Candidate:
        """The next candidate.

        Raises:
            Exhausted: the space has no more of them, as far as trying can tell.
        """
        refused = 0
        while refused < 40 * _PATIENCE:
            trial, decisions = self._study.ask()
            facts = trial.user_attrs
            found = self._admit(decisions)
            if isinstance(found, str):
                self.refused[found] += 1
                self._study.reject(trial.number)
            elif found[0].digest in self._known:
                self.refused["duplicates"] += 1
                values = self._known[found[0].digest]
                if values is None:
                    self._study.reject(trial.number)
                else:
                    self._study.finish(trial.number, values)
            else:
                network, spent, latency = found
                self._known[network.digest] = None
                network = self._presets.get(network.digest, network)
                return Candidate(
                    trial=trial.number,
                    name=str(facts.get("name", network.name)),
                    network=network,
                    choices=decisions,
                    cost=spent,
                    baseline=bool(facts.get("baseline", False)),
                    latency_ms=latency,
                )
            refused += 1
            if refused % _PATIENCE == 0:
                self._study.enqueue(self._random_feasible())
        raise Exhausted

    def check_reachable(self) -> None:
        """See before any training that some design fits.

        Raises:
            OverBudget: none does, as far as trying can tell; names the limit and the smallest
                cost reached.
        """
        for name, limit in self._budget.limits().items():
            if name == "latency_ms":
                continue
            smallest, _ = self._space.smallest(name)
            if smallest > limit:
                raise OverBudget(
                    f"no design of the space {self._space.name} has {name} <= {limit:,.0f}; "
                    f"the smallest it reaches for {self._space.input} images is {smallest:,.0f}"
                )
        if len(self._budget.limits()) > 1:
            try:
                self._random_feasible()
            except Exhausted:
                raise OverBudget(
                    f"no design of the space {self._space.name} meets {self._budget} together, "
                    f"though each alone can be met; {_DRAWS:,} designs were tried"
                ) from None

    # -- parts
    # --------------------------------------------------------------------------------------

    def _admit(self, decisions: Mapping[str, Any]) -> tuple[Network, Cost, float | None] | str:
        """The decided network with its cost, or why it is refused."""
        try:
            network, spent = self._space.evaluate(decisions)
        except InvalidDesign:
            return "invalid"
        if not self._budget.admits(spent):
            return "over_budget"
        latency = None
        if self._latency_of is not None and network.digest not in self._known:
            latency = self._latencies.get(network.digest)
            if latency is None:
                latency = self._latencies[network.digest] = self._latency_of(network)
            if not self._budget.admits(spent, latency):
                return "over_budget"
        return network, spent, latency

    def _random_feasible(self) -> dict[str, Any]:
        """Decisions of a random new design that fits."""
        for _ in range(_DRAWS):
            decisions = self._space.sample(self._random)
            found = self._admit(decisions)
            if not isinstance(found, str) and found[0].digest not in self._known:
                return decisions
        raise Exhausted
