"""The sampler."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from dse.search.auto.beliefs import Beliefs, Objective, Weights, front_of
from dse.search.auto.encoding import Floats, Key
from dse.search.auto.estimate import Estimate
from dse.search.auto.moves import moved
from dse.search.auto.points import Point, Points
from dse.search.auto.reservoir import Reservoir, spread
from dse.search.auto.settled import settled
from dse.search.distributions import distribution_of
from dse.search.domain import Decisions, Domain, Exhausted

_START = 6
"""Trials spread over the costs before anything is believed."""
_ELITES = 8
"""The best points, from which moves begin; of several objectives the whole front."""
_ROUNDS = 3
"""Rounds of moves, each of which begins at the best of all before..."""
_MOVES = 48
"""... and looks at so many, without knowing yet whether and in which form they fit..."""
_REPAIRED = 4
"""... until so many new points came of those that fit, or one is known to be better than the next
may be..."""
_TRIED = 12
"""... and at most so many of them are made to fit."""
_LOOKED_AT = 100
"""Random points that fit that a proposal looks at, others each time."""
_DRAWS = 20
"""Random points tried for a new one, where few are left."""
_OVER = 5.0
"""How much less a move is worth if it seems to exceed what fits, by cost and its logarithm."""


@dataclass(frozen=True, slots=True)
class _Told:
    """A finished trial and what proposals want to know of it: its point, and by how much it misses
    constraints.
    """

    trial: FrozenTrial
    point: Point
    missed: float


class Auto(BaseSampler):
    """Proposes what is expected to add most to the best value, or to the front's hypervolume.

    Objectives that are costs are known exactly before anything is evaluated; for the others a
    Gaussian process learns from decisions and costs. Looked at are random points that fit (where no
    cost is an objective also some about as large as fits) and small changes of the best ones. A
    proposal hangs on the seed, the trial's number and the trials of the study alone, so that a
    study can be resumed anywhere; trials under way count as if they had turned out as expected, so
    that many workers do not propose the same.

    Example:
        >>> sampler = Auto(domain, ("accuracy", "params"), seed=0)  # doctest: +SKIP
        >>> study = optuna.create_study(
        ...     sampler=sampler, directions=["maximize", "minimize"]
        ... )  # doctest: +SKIP
    """

    def __init__(self, domain: Domain, objectives: Sequence[str], seed: int) -> None:
        """
        Args:
            domain: where to propose.
            objectives: the names of the study's objectives, in its order. Those that `domain`
                names as costs are not learned but read.
            seed: the same seed and trials give the same proposals.
        """
        self._domain = domain
        self._objectives = tuple(objectives)
        self._seed = seed
        self._choices = domain.choices()
        self._distributions = {
            name: distribution_of(choice) for name, choice in self._choices.items()
        }
        # What follows remembers what would be computed again in the same way.
        self._points = Points(domain)
        self._reservoir = Reservoir(domain, self._points, self._objectives, seed)
        self._fitted: Weights = {}
        self._told: dict[int, _Told] = {}
        self._estimate: Estimate | None = None

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Every decision."""
        return self._distributions

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """All decisions of a point that fits and that no trial had.

        Raises:
            Exhausted: none was found.
        """
        rng = random.Random(f"{self._seed}:{trial.number}")
        fixed = trial.system_attrs.get("fixed_params")
        if fixed:
            return self._domain.repair(fixed, rng)
        return self._proposal(study, trial.number, rng)

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """A decision that is none of the domain's: any value."""
        sampler = RandomSampler(seed=random.Random(f"{self._seed}:{trial.number}").getrandbits(31))
        return sampler.sample_independent(study, trial, param_name, param_distribution)

    # -- parts

    def _proposal(self, study: optuna.Study, number: int, rng: random.Random) -> Decisions:
        trials = [t for t in study.get_trials(deepcopy=False) if t.number != number]
        told = [self._read(t) for t in trials if t.state == TrialState.COMPLETE and t.params]
        complete = [each for each in told if each is not None]
        done = [each.point for each in complete]
        learned = {each.trial.number for each in complete}
        seen = {point.key for point in done} | {
            self._points.key(t.system_attrs.get("fixed_params") or t.params)
            for t in trials
            if t.number not in learned
        }
        pool = [point for point in self._random(number) if point.key not in seen]
        # Somebody may be asking for one of them right now: what it has not decided yet is open.
        running = [
            self._points.of(self._domain.repair(t.params, rng))
            for t in trials
            if t.state == TrialState.RUNNING and t.params
        ]
        if len(done) < 2 or len(done) + len(running) < _START:
            if pool:
                return spread(pool, done + running).decisions
            return self._any(seen, rng)
        objectives = [
            Objective(name, 1 if direction == StudyDirection.MAXIMIZE else -1)
            for name, direction in zip(self._objectives, study.directions, strict=True)
        ]
        values = self._graded(complete, objectives)
        draws = np.random.default_rng(rng.getrandbits(64))
        beliefs = Beliefs(objectives, self._points, done, values, running, self._fitted, draws)
        best = self._best(beliefs, pool, self._estimated(done), seen, rng)
        return self._any(seen, rng) if best is None else best.decisions

    def _best(
        self,
        beliefs: Beliefs,
        pool: Sequence[Point],
        estimate: Estimate,
        seen: set[Key],
        rng: random.Random,
    ) -> Point | None:
        """What is expected to gain most: one of a pool, or a move that was made to fit."""
        best, most = None, -1.0
        if pool:
            gains = beliefs.gain(beliefs.features(pool))
            best, most = pool[int(gains.argmax())], float(gains.max())
        new = 0
        for wish, promised in self._moves(beliefs, estimate, seen, rng):
            if new == _REPAIRED or promised <= most:
                break
            with suppress(Exhausted):
                point = self._points.of(self._domain.repair(wish, rng))
                if point.key in seen:
                    continue
                new += 1
                gain = float(beliefs.gain(beliefs.features([point]))[0])
                if gain > most:
                    best, most = point, gain
        return best

    def _graded(self, complete: Sequence[_Told], objectives: Sequence[Objective]) -> Floats:
        """What trials were told, (trials, objectives); the measured part of those that miss a
        constraint is below all others, the farther they miss it.
        """
        values = np.array([each.trial.values for each in complete])
        misses = np.array([each.missed for each in complete])
        missed = misses > 0
        if not missed.any():
            return values
        for axis, objective in enumerate(objectives):
            if objective.name in self._points.costs:
                continue
            told = objective.sign * values[:, axis]
            span = float(np.ptp(told)) or 1.0
            told[missed] = told.min() - span * (misses / misses.max())[missed]
            values[:, axis] = objective.sign * told
        return values

    def _random(self, number: int) -> list[Point]:
        """Random points that fit."""
        points = self._reservoir.at(number)
        apart = -(-len(points) // _LOOKED_AT)
        return points[number % apart :: apart]

    def _any(self, seen: set[Key], rng: random.Random) -> Decisions:
        """A random point, one that was not seen if that is easy."""
        for _ in range(_DRAWS):
            found = self._domain.random(rng)
            if self._points.key(found) not in seen:
                break
        return found

    def _read(self, trial: FrozenTrial) -> _Told | None:
        """What there is to know of a finished trial, unless a value is none."""
        told = self._told.get(trial.number)
        # Storages give the same object as long as nothing in it changes.
        if told is None or told.trial is not trial:
            if not all(map(isfinite, trial.values)):
                return None
            missed = sum(max(value, 0.0) for value in trial.constraints.values())
            told = _Told(trial, self._points.of(trial.params), missed)
            self._told[trial.number] = told
        return told

    def _estimated(self, done: Sequence[Point]) -> Estimate:
        """What moves cost by those points and random ones; see `settled`."""
        count = settled(len(done))
        known = (*done[:count], *self._reservoir.at(count))
        if self._estimate is None or self._estimate.known != known:
            self._estimate = Estimate(known)
        return self._estimate

    def _moves(
        self,
        beliefs: Beliefs,
        estimate: Estimate,
        seen: set[Key],
        rng: random.Random,
    ) -> list[tuple[Decisions, float]]:
        """Small changes of the best points, those of many that seem best: the best first, with what
        they seem to gain. Whether and in which form they fit is not known yet.
        """
        encoding = self._points.encoding
        parents = _elites(beliefs)
        wishes: dict[Key, Decisions] = {}
        gains = np.empty(0)
        found: list[tuple[Decisions, float]] = []
        for _ in range(_ROUNDS):
            new: dict[Key, Decisions] = {}
            rows = []
            for _ in range(_MOVES):
                wish = moved(parents, self._choices, rng)
                row = encoding.levels(wish)
                key = encoding.key(wish, row)
                if not (key in seen or key in wishes or key in new):
                    new[key] = wish
                    rows.append(row)
            if not new:
                break
            wishes |= new
            codes = encoding.codes(rows)
            costs, over = estimate.of(codes)
            gain = beliefs.gain(beliefs.features_of(codes, costs)) * np.exp(-_OVER * over)
            gains = np.concatenate([gains, gain])
            ranked = list(wishes.values())
            order = np.argsort(-gains, kind="stable")[:_TRIED]
            found = [(ranked[index], float(gains[index])) for index in order]
            parents = [wish for wish, _ in found[:_ELITES]]
        return found


def _elites(beliefs: Beliefs) -> list[Decisions]:
    """The best points, or the front of several objectives."""
    merits = beliefs.merits
    if merits.shape[1] > 1:
        best = front_of(merits)
    else:
        best = np.argsort(-merits[:, 0], kind="stable")[:_ELITES].tolist()
    return [beliefs.points[index].decisions for index in best]
