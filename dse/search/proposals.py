"""From what a study asks to candidates worth evaluating: feasible, and new."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping

from dse.network import Network
from dse.search.candidate import Candidate
from dse.search.domain import Decisions, Exhausted
from dse.search.feasible import FeasibleSpace
from dse.search.study import Study

_PATIENCE = 12
"""Known designs in a row after which a random new one is put in their place."""
_TRIES = 40
"""As often at most."""
_DRAWS = 200
"""Random designs that fit, tried to find one that is new."""


class Proposer:
    """Turns what a study asks into candidates.

    One that computes the same as an earlier one is told that one's values, and another is asked
    for. What does not fit is only ever asked by somebody who enqueued it; it is closed untold.

    Attributes:
        refused: how many proposals were duplicates or over budget.
    """

    def __init__(
        self, domain: FeasibleSpace, *, presets: Mapping[str, Network] | None = None
    ) -> None:
        """`presets` by their digests keep their own names, however they are come by."""
        self.refused: Counter[str] = Counter()
        self._domain = domain
        self._presets = dict(presets or {})
        self._known: dict[str, list[float] | None] = {}

    def remember(self, digest: str, values: list[float] | None) -> None:
        """Note a design that was evaluated, with its objectives, or None if it failed or still
        runs.
        """
        self._known[digest] = values

    def named(self, network: Network) -> Network:
        """The preset that a network equals, else the network."""
        return self._presets.get(network.digest, network)

    def next(self, study: Study) -> Candidate:
        """The next candidate that `study` asks for.

        Raises:
            Exhausted: there are no more of them, as far as trying can tell.
        """
        for _ in range(_TRIES * _PATIENCE):
            # Counted in the study, so that a search that was cut off goes on counting.
            refused = study.refused_in_a_row()
            if refused and refused % _PATIENCE == 0 and not study.has_more():
                study.enqueue(self._new(len(study)))
            trial, decisions = study.ask()
            found = self._domain.fitting(decisions)
            if found is None:
                self.refused["over_budget"] += 1
                study.reject(trial.number)
            elif found.network.digest in self._known:
                self.refused["duplicates"] += 1
                values = self._known[found.network.digest]
                if values is None:
                    study.reject(trial.number)
                else:
                    study.finish(trial.number, values)
            else:
                network = found.network
                self._known[network.digest] = None
                network = self.named(network)
                facts = trial.user_attrs
                return Candidate(
                    trial=trial.number,
                    name=str(facts.get("name", network.name)),
                    network=network,
                    choices=decisions,
                    cost=found.cost,
                    baseline=bool(facts.get("baseline", False)),
                )
        raise Exhausted

    def _new(self, number: int) -> Decisions:
        """Decisions of a random design that is new.

        Raises:
            Exhausted: none was found.
        """
        chance = random.Random(number)
        for _ in range(_DRAWS):
            decisions = self._domain.random(chance)
            if self._domain.space.bind(decisions).digest not in self._known:
                return decisions
        raise Exhausted
