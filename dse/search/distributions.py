"""A space's choices as Optuna's distributions."""

from __future__ import annotations

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from dse.space import Categorical, Choice, Integer


def distribution_of(choice: Choice) -> BaseDistribution:
    """The distribution that has the values of `choice`."""
    if isinstance(choice, Categorical):
        return CategoricalDistribution(choice.options)
    if isinstance(choice, Integer):
        return IntDistribution(choice.low, choice.high, log=choice.log, step=choice.step)
    return FloatDistribution(choice.low, choice.high, log=choice.log, step=choice.step)
