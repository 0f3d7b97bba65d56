"""Who searches: `auto`, Optuna's samplers on the same feasible layer and without it, and others."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from time import process_time

import numpy as np
import optuna
from optuna.samplers import BaseSampler

from benchmarks.samplers_problems import Problem, Spent
from dse.search.auto.moves import large
from dse.search.distributions import distribution_of
from dse.search.domain import Decisions
from dse.search.samplers import make_sampler

_PATIENCE = 3
"""Proposals in a row that were evaluated before, until a random point stands in for them."""
_OVER = "over"


class Contestant:
    """One way to search."""

    def __init__(self, name: str, search: Callable[[Problem, int], list[Spent]]) -> None:
        self.name = name
        self.search = search


def steered(name: str, seconds: list[float] | None = None) -> Contestant:
    """A sampler of dse: everything it proposes fits, what was evaluated before costs no trial."""

    def search(problem: Problem, seed: int) -> list[Spent]:
        sampler = make_sampler(name, problem.domain, problem.objectives, seed)
        study = optuna.create_study(sampler=sampler, directions=problem.directions)
        draws, rng = np.random.default_rng(seed), random.Random(seed)
        known: dict[frozenset[tuple[str, object]], tuple[float, ...]] = {}
        spent: list[Spent] = []
        refused = 0
        while len(spent) < problem.trials:
            started = process_time()
            trial = study.ask()
            point = dict(trial.relative_params) or dict(trial.system_attrs.get("fixed_params", {}))
            for key, value in point.items():
                assert trial._suggest(key, distribution_of(problem.domain.choices()[key])) == value
            if seconds is not None:
                seconds.append(process_time() - started)
            key = frozenset(point.items())
            if key in known:
                study.tell(trial, known[key])
                refused += 1
                if refused % _PATIENCE == 0:
                    study.enqueue_trial(problem.domain.random(rng))
                continue
            known[key] = problem.evaluate(point, draws)
            spent.append(Spent(point, known[key]))
            study.tell(trial, known[key])
        return spent

    return Contestant(name, search)


def unsteered(name: str) -> Contestant:
    """A sampler as Optuna has it, told of the limit where it can be: by `constraints_func`. What
    does not fit is a trial spent.
    """
    make: dict[str, Callable[[int], BaseSampler]] = {
        "tpe": lambda seed: optuna.samplers.TPESampler(seed=seed, constraints_func=_constraints),
        "nsga2": lambda seed: optuna.samplers.NSGAIISampler(
            seed=seed, population_size=16, constraints_func=_constraints
        ),
        "gp": lambda seed: optuna.samplers.GPSampler(seed=seed, constraints_func=_constraints),
        "random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
    }

    def search(problem: Problem, seed: int) -> list[Spent]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            study = optuna.create_study(sampler=make[name](seed), directions=problem.directions)
            draws, rng = np.random.default_rng(seed), random.Random(seed)
            spaces = {n: distribution_of(c) for n, c in problem.open.choices().items()}
            spent: list[Spent] = []
            for _ in range(problem.trials):
                trial = study.ask()
                asked = {n: trial._suggest(n, space) for n, space in spaces.items()}
                point = problem.open.repair(asked, rng)
                over = problem.over(point)
                trial.set_user_attr(_OVER, over)
                values = problem.evaluate(point, draws)
                study.tell(trial, values)
                spent.append(Spent(point, values, over <= 0))
        return spent

    return Contestant(f"{name}, no layer", search)


def _constraints(trial: optuna.trial.FrozenTrial) -> tuple[float, ...]:
    return (trial.user_attrs[_OVER],)


def evolution() -> Contestant:
    """Regularized evolution (Real et al., 2019), one mutation at a time, on the feasible layer; of
    two objectives the one with the larger of random weights wins a tournament.
    """
    population, tournament = 20, 5

    def search(problem: Problem, seed: int) -> list[Spent]:
        rng, draws = random.Random(seed), np.random.default_rng(seed)
        choices = problem.domain.choices()
        spent: list[Spent] = []
        seen: list[Decisions] = []
        while len(spent) < problem.trials:
            point = problem.domain.random(rng)
            if len(spent) >= population:
                parents = rng.sample(spent[-population:], tournament)
                parent = parents[_winner(np.array([p.values for p in parents]), rng)].decisions
                for _ in range(20):
                    child = dict(parent)
                    name = rng.choice(list(child))
                    others = [v for v in choices[name].values() if v != child[name]]
                    point = problem.domain.repair({**child, name: rng.choice(others)}, rng)
                    if point not in seen:
                        break
            if point in seen:
                point = problem.domain.random(rng)
            seen.append(point)
            spent.append(Spent(point, problem.evaluate(point, draws)))
        return spent

    return Contestant("evolution", search)


def _winner(values: np.ndarray, rng: random.Random) -> int:
    gains = values * [1.0, -1.0][: values.shape[1]]
    spans = np.ptp(gains, axis=0)
    scaled = (gains - gains.min(0)) / np.where(spans > 0, spans, 1.0)
    weights = np.array([rng.random() for _ in range(values.shape[1])])
    return int((scaled * weights).sum(1).argmax())


def largest() -> Contestant:
    """The dearest of many points that fit, without looking at what they are worth."""

    def search(problem: Problem, seed: int) -> list[Spent]:
        rng, draws = random.Random(seed), np.random.default_rng(seed)
        # Nothing is drawn from the landscape before the last line: this is for free.
        points: dict[frozenset[tuple[str, object]], Decisions] = {}
        for _ in range(problem.draws):
            wishes = large(problem.domain.choices(), rng)
            point = problem.domain.repair(wishes if rng.random() < 0.5 else {}, rng)
            points[frozenset(point.items())] = point
        dearest = sorted(points.values(), key=problem.over, reverse=True)
        return [Spent(p, problem.evaluate(p, draws)) for p in dearest[: problem.trials]]

    return Contestant("largest that fit", search)
