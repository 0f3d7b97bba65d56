"""From a sampler's wishes to candidates worth training: feasible, possible and new."""

from __future__ import annotations

import math
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
_KEPT = 0.8
"""Share of a fitting design's decisions that one akin to it keeps."""
_MEASURED = 24
"""As many of them at most are measured, which takes about half a second each."""

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
        budget: Budget,
        *,
        latency_of: LatencyOf | None = None,
        seed: int = 0,
        presets: Mapping[str, Network] | None = None,
    ) -> None:
        self.refused: Counter[str] = Counter()
        self._space = space
        self._budget = budget
        self._latency_of = latency_of
        self._random = random.Random(seed)
        # A preset keeps its own names, however it was come by.
        self._presets = dict(presets or {})
        self._known: dict[str, list[float] | None] = {}
        self._latencies: dict[str, float] = {}
        self._fitting: list[dict[str, Any]] = []

    def remember(self, digest: str, values: list[float] | None) -> None:
        """Note a design that was evaluated, with its objectives, or None if it failed or still
        runs.
        """
        self._known[digest] = values

    def next(self, study: Study) -> Candidate:
        """The next candidate that `study` asks for.

        Raises:
            Exhausted: the space has no more of them, as far as trying can tell.
        """
        refused = 0
        while refused < 40 * _PATIENCE:
            trial, decisions = study.ask()
            facts = trial.user_attrs
            found = self._admit(decisions)
            if isinstance(found, str):
                self.refused[found] += 1
                study.reject(trial.number)
            elif found[0].digest in self._known:
                self.refused["duplicates"] += 1
                values = self._known[found[0].digest]
                if values is None:
                    study.reject(trial.number)
                else:
                    study.finish(trial.number, values)
            else:
                network, spent, latency = found
                self._fitting.append(decisions)
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
                study.enqueue(self._random_feasible())
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
            smallest, decisions = self._space.smallest(name)
            if smallest > limit:
                smallest, decisions = self._smaller(name, limit, decisions)
            self._note_fitting(decisions)
            if smallest > limit:
                raise OverBudget(
                    f"no design of the space {self._space.name} has {name} <= {limit:,.0f}; "
                    f"the smallest found for {self._space.input} images is {smallest:,.0f}"
                )
        limits = self._budget.limits()
        if "latency_ms" in limits:
            self._check_latency(limits["latency_ms"])
        if len(limits) > 1 and not self._fitting:
            try:
                self._random_feasible()
            except Exhausted:
                raise OverBudget(
                    f"no design of the space {self._space.name} meets {self._budget} together, "
                    f"though each alone can be met; {_DRAWS:,} designs were tried"
                ) from None

    def _check_latency(self, limit: float) -> None:
        """See that some design is fast enough: the smallest, or one of a few random ones."""
        assert self._latency_of is not None
        fastest = math.inf
        for tried in range(_MEASURED):
            if tried < 2:
                _, decisions = self._space.smallest(("macs", "params")[tried])
            else:
                decisions = self._space.sample(self._random)
            fastest = min(fastest, self._latency(self._space.bind(decisions)))
            if fastest <= limit:
                return
        raise OverBudget(
            f"no design of the space {self._space.name} has latency_ms <= {limit:g}; the fastest "
            f"of {_MEASURED} tried for {self._space.input} images takes {fastest:.3g} ms"
        )

    # -- parts

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
            latency = self._latency(network)
            if not self._budget.admits(spent, latency):
                return "over_budget"
        return network, spent, latency

    def _akin(self, decisions: Mapping[str, Any]) -> dict[str, Any]:
        """Most of these decisions, the others at random."""
        kept = {k: v for k, v in decisions.items() if self._random.random() < _KEPT}
        return self._space.complete(kept, self._random)

    def _smaller(
        self, metric: str, limit: float, decisions: dict[str, Any]
    ) -> tuple[float, dict[str, Any]]:
        """A smaller design than one that could not be made smaller by any single decision."""
        least = float(getattr(self._space.cost(decisions), metric))
        for _ in range(_DRAWS):
            changed = self._akin(decisions)
            try:
                reached = float(getattr(self._space.cost(changed), metric))
            except InvalidDesign:
                continue
            if reached < least:
                least, decisions = reached, changed
            if least <= limit:
                break
        return least, decisions

    def _note_fitting(self, decisions: dict[str, Any]) -> None:
        if not isinstance(self._admit(decisions), str):
            self._fitting.append(decisions)

    def _latency(self, network: Network) -> float:
        assert self._latency_of is not None
        if network.digest not in self._latencies:
            self._latencies[network.digest] = self._latency_of(network)
        return self._latencies[network.digest]

    def _random_feasible(self) -> dict[str, Any]:
        """Decisions of a random new design that fits: any, or one akin to a design that does.

        Where a budget admits a thousandth of the space, only the latter finds another.
        """
        before = len(self._latencies)
        for number in range(_DRAWS):
            if self._fitting and number % 2:
                decisions = self._akin(self._random.choice(self._fitting))
            else:
                decisions = self._space.sample(self._random)
            found = self._admit(decisions)
            if not isinstance(found, str) and found[0].digest not in self._known:
                return decisions
            if len(self._latencies) - before >= _MEASURED:
                break
        raise Exhausted
