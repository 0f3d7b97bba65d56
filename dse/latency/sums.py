"""Gaussian unknowns that are observed through sums of them alone, with noise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from dse.latency.features import Array

_TRUSTED = 2.0
"""Standard deviations from what all others say up to which an observation is taken as it is."""


@dataclass(frozen=True)
class Sums:
    """Observed sums.

    Attributes:
        observed: the sums.
        covariance: of the sums, by that of the unknowns in them.
        noise: the variance of what else is in each.
    """

    observed: Array
    covariance: Array
    noise: Array

    @cached_property
    def _precision(self) -> Array:
        inverse: Array = np.linalg.inv(self.covariance + np.diag(self.noise))
        return inverse

    @cached_property
    def weights(self) -> Array:
        """What an unknown is expected to be is its covariance with the sums times these."""
        found: Array = self._precision @ self.observed
        return found

    @property
    def likelihood(self) -> float:
        """The logarithm of how likely the sums are, but for a constant."""
        _, size = np.linalg.slogdet(self._precision)
        return float(size - self.observed @ self.weights) / 2

    @property
    def left_out(self) -> Array:
        """What each sum is expected to be by all the others."""
        return self.observed - self.weights / self._precision.diagonal()

    def without_strays(self) -> Sums:
        """The same, but what lies far from all that the others say counts the less."""
        strays = np.abs(self.weights) / np.sqrt(self._precision.diagonal())
        return replace(self, noise=self.noise * np.maximum(strays / _TRUSTED, 1) ** 2)
