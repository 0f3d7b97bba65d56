"""Optuna's samplers by their short names."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import optuna

from dse.errors import UnknownName


def _tpe(seed: int) -> optuna.samplers.BaseSampler:
    # Grouped multivariate TPE models the decisions that were asked together, which is what the
    # conditional decisions of a space need.
    return optuna.samplers.TPESampler(seed=seed, multivariate=True, group=True, n_startup_trials=12)


_SAMPLERS: dict[str, Callable[[int], optuna.samplers.BaseSampler]] = {
    "auto": _tpe,
    "tpe": _tpe,
    "nsga2": lambda seed: optuna.samplers.NSGAIISampler(seed=seed, population_size=16),
    "gp": lambda seed: optuna.samplers.GPSampler(seed=seed),
    "random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
}


def sampler_names() -> tuple[str, ...]:
    """The names that `make_sampler` knows."""
    return tuple(_SAMPLERS)


def make_sampler(name: str, seed: int) -> optuna.samplers.BaseSampler:
    """A sampler by its name.

    Raises:
        UnknownName: there is none of that name.
    """
    try:
        make = _SAMPLERS[name]
    except KeyError:
        raise UnknownName("sampler", name, _SAMPLERS) from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return make(seed)
