"""What the evaluated points say about others: a Gaussian process over decisions and costs.

Two points are the more alike, the less they differ, each difference counting as much as the values
seen so far say it does: ``scale * exp(-sum(weight * difference))``. While weights are small that is
a sum of what single decisions do, with larger ones it holds what they do together. Beside it stands
a straight line in the costs' logarithms.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize

from dse.search.auto.encoding import Floats

_JITTER = 1e-6
_STEPS = 40
"""Of the optimiser that looks for weights."""
_EFFORT = 2_000_000
"""Differences between points, one for each decision and pair, that weights are fitted to."""
_MOST = 200
"""Points that weights are fitted to."""


class Surrogate:
    """Believes something about values, given those of some points.

    Points come as rows of features: codes of decisions, then logarithms of costs.

    Args:
        owner: to which decision or cost each column belongs, numbered from 0.
        costs: how many of the last columns are costs.
    """

    def __init__(self, owner: NDArray[np.intp], costs: int) -> None:
        self.owner = owner
        self.costs = costs
        self.groups = int(owner.max()) + 1

    def fit(self, features: Floats, values: Floats) -> Floats:
        """The logarithms of the weights that explain the values best, yet are believable.

        They are the weight of each decision and cost, the scale, the variance of the line's slopes
        and that of noise, for values of mean 0 and deviation 1.
        """
        most = min(_MOST, max(int((_EFFORT / self.groups) ** 0.5), 20))
        if len(values) > most:
            chosen = np.linspace(0, len(values) - 1, most).astype(int)
            features, values = features[chosen], values[chosen]
        count = len(values)
        apart = np.empty((self.groups, count * count), dtype=np.float32)
        for group in range(self.groups):
            columns = features[:, self.owner == group]
            apart[group] = squares(columns, columns).ravel()
        middle, spread = self._believed(apart)
        line = self.line(features, features)

        def loss(vector: Floats) -> tuple[float, Floats]:
            """Of the values' likelihood and the weights', with its slopes."""
            theta = np.exp(vector)
            exponent = theta[: self.groups].astype(np.float32) @ apart
            alike = theta[-3] * np.exp(-exponent.astype(float)).reshape(count, count)
            matrix = alike + theta[-2] * line
            matrix.flat[:: count + 1] += theta[-1] + _JITTER
            lower = cholesky(matrix, lower=True, check_finite=False)
            inverse = cho_solve((lower, True), np.eye(count), check_finite=False)
            alpha = inverse @ values
            slack = (vector - middle) / spread
            found = 0.5 * values @ alpha + np.log(np.diag(lower)).sum() + 0.5 * slack @ slack
            rest = 0.5 * (inverse - np.outer(alpha, alpha))
            shared = rest * alike
            slopes = slack / spread
            slopes[: self.groups] -= theta[: self.groups] * (
                apart @ shared.ravel().astype(np.float32)
            )
            slopes[-3] += shared.sum()
            slopes[-2] += theta[-2] * (rest * line).sum()
            slopes[-1] += theta[-1] * np.trace(rest)
            return float(found), slopes

        found = minimize(
            loss,
            middle,
            jac=True,
            method="L-BFGS-B",
            bounds=[(-9.0, 4.0)] * len(middle),
            options={"maxiter": _STEPS},
        )
        return np.asarray(found.x, dtype=float)

    def given(self, features: Floats, values: Floats, weights: Floats) -> Posterior:
        """What is believed given these values and weights."""
        return Posterior(self, features, values, weights)

    def _believed(self, apart: NDArray[np.float32]) -> tuple[Floats, Floats]:
        """Middle and deviation of the weights' logarithms before any value is known.

        Two points picked at random are still somewhat alike, in which decision being unknown.
        """
        decisions = apart[: self.groups - self.costs]
        typical = max(float(decisions.sum(0).mean()), 1e-3)
        middle = np.full(self.groups + 3, np.log(0.5 / typical))
        middle[self.groups - self.costs : self.groups] = np.log(0.3)
        middle[-3:] = np.log((1.0, 0.3, 0.05))
        spread = np.full(self.groups + 3, 1.5)
        spread[-3] = 1.0
        return np.maximum(middle, -8.0), spread

    def line(self, a: Floats, b: Floats) -> Floats:
        """Products of costs, which make a straight line of them."""
        start = a.shape[1] - self.costs
        return np.asarray(a[:, start:] @ b[:, start:].T + 1.0)


class Posterior:
    """Beliefs about the value of any point.

    Attributes:
        known: the expected values of the known points, noise left out.
    """

    def __init__(
        self, surrogate: Surrogate, features: Floats, values: Floats, weights: Floats
    ) -> None:
        self._surrogate = surrogate
        theta = np.exp(weights)
        self._roots = np.sqrt(theta[: surrogate.groups])[surrogate.owner]
        self._scale, self._slope, noise = theta[-3:]
        self._features = features
        weighted = features * self._roots
        matrix = self._shared(features, squares(weighted, weighted))
        # What is asked is many times as much, and half of the digits do.
        self._weighted = weighted.astype(np.float32)
        matrix.flat[:: len(matrix) + 1] += noise + _JITTER
        self._lower = cholesky(matrix, lower=True, check_finite=False)
        self._alpha = cho_solve((self._lower, True), values, check_finite=False)
        self.known = np.asarray(values - (noise + _JITTER) * self._alpha)

    def mean(self, features: Floats) -> Floats:
        """The expected value of each point, noise left out."""
        return np.asarray(self._alpha @ self._with(features))

    def at(self, features: Floats) -> tuple[Floats, Floats]:
        """The expected value of each point, and its deviation, noise left out."""
        shared = self._with(features)
        half = solve_triangular(self._lower, shared, lower=True, check_finite=False)
        start = features.shape[1] - self._surrogate.costs
        own = self._scale + self._slope * ((features[:, start:] ** 2).sum(1) + 1.0)
        variance = own - (half**2).sum(0)
        return np.asarray(self._alpha @ shared), np.sqrt(np.maximum(variance, 1e-12))

    def _with(self, features: Floats) -> Floats:
        """Covariances of the known points, in rows, with others."""
        weighted = (features * self._roots).astype(np.float32)
        return self._shared(features, squares(self._weighted, weighted))

    def _shared(self, features: Floats, apart: NDArray[Any]) -> Floats:
        """Covariances with points from their weighted squared distances."""
        line = self._surrogate.line(self._features, features)
        return np.asarray(self._scale * np.exp(-apart) + self._slope * line)


def squares(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Squared distances between the rows of two matrices."""
    found = a @ (-2.0 * b.T)
    found += (a * a).sum(1)[:, None]
    found += (b * b).sum(1)
    return np.maximum(found, 0.0, out=found)
