"""Samplers by their short names, all of which propose nothing but what fits.

Each is a function of its seed, the number of the trial and the trials in the storage: for every
trial it is made anew. So a search that was cut off goes on as if it had not been.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState

from dse.errors import UnknownName
from dse.search.auto import Auto
from dse.search.distributions import distribution_of
from dse.search.domain import Domain

Make = Callable[[int], BaseSampler]
"""Makes a sampler with a seed."""


class Steered(BaseSampler):
    """Another sampler, whose wishes are followed as far as the domain lets them.

    Every decision of the domain is sampled at once, and a trial asks for those that its other
    decisions lead to: together they are a point that fits. Where the other sampler has no wish, as
    in its first trials, points are random.
    """

    def __init__(self, domain: Domain, seed: int, make: Make) -> None:
        """`make` makes the other sampler, once for each trial."""
        self._domain = domain
        self._seed = seed
        self._make = make
        self._space = {name: distribution_of(c) for name, c in domain.choices().items()}

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return self._space

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """A point of the domain.

        Raises:
            Exhausted: none was found.
        """
        fixed = trial.system_attrs.get("fixed_params", {})
        inner = self._inner(trial)
        known = inner.infer_relative_search_space(study, trial)
        wishes = {**inner.sample_relative(study, trial, known), **fixed}
        chance = random.Random(f"{self._seed} {trial.number}")
        return self._domain.repair(wishes, chance) if wishes else self._domain.random(chance)

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Where a trial asks for what is no decision of the domain."""
        return self._inner(trial).sample_independent(study, trial, param_name, param_distribution)

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        self._inner(trial).before_trial(study, trial)

    def after_trial(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        self._inner(trial).after_trial(study, trial, state, values)

    def _inner(self, trial: FrozenTrial) -> BaseSampler:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return self._make(random.Random(f"{trial.number} {self._seed}").getrandbits(31))


def _tpe(seed: int) -> BaseSampler:
    # Grouped multivariate TPE models the decisions that were asked together, which is what the
    # conditional decisions of a space need.
    return optuna.samplers.TPESampler(seed=seed, multivariate=True, group=True, n_startup_trials=12)


_STEERED: dict[str, Make] = {
    "tpe": _tpe,
    "nsga2": lambda seed: optuna.samplers.NSGAIISampler(seed=seed, population_size=16),
    "gp": lambda seed: optuna.samplers.GPSampler(seed=seed),
    "random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
}


def sampler_names() -> tuple[str, ...]:
    """The names that `make_sampler` knows."""
    return ("auto", *_STEERED)


def make_sampler(name: str, domain: Domain, objectives: Sequence[str], seed: int) -> BaseSampler:
    """A sampler by its name.

    Args:
        name: see `sampler_names`.
        domain: the points that may be proposed.
        objectives: what trials are told, in this order.
        seed: two samplers of one seed propose the same, given the same trials.

    Raises:
        UnknownName: there is none of that name.
    """
    if name == "auto":
        return Auto(domain, objectives, seed)
    if name not in _STEERED:
        raise UnknownName("sampler", name, sampler_names())
    return Steered(domain, seed, _STEERED[name])
