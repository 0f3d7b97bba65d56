"""How long kernels of one family take, from measured ones: work times rates, and what is left by
what lies near.

The rates are fitted by non-negative least squares on relative errors; the logarithm of what they
miss is a Gaussian process over the kernels' positions, which returns to nothing, and is the less
sure, the further a kernel lies from all that were measured.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dse.latency.features import Array

_MOST_POINTS = 400
_FITTED_POINTS = 120
"""Points that the process holds, and those that its lengths are fitted to."""

_TRUSTED = 1.5
"""Standard deviations from its neighbours up to which a measurement is taken as it is."""

_LENGTHS = (1.0, 1.8, 3.2, 6.0)
_NOISES = (0.01, 0.03, 0.1, 0.3, 1.0)
"""Parts of the variance that are noise of single measurements."""


@dataclass(frozen=True)
class Process:
    """A fitted family; see the module.

    Attributes:
        rates: microseconds per unit of each part of the work.
        shift: by how much all are off, in logarithms.
        points: positions of measured kernels.
        weights: what each contributes.
        precision: the inverse of their covariance.
        length: how far in position two kernels lie that still tell something of each other.
        scale: the standard deviation of what the rates miss, in logarithms.
        noise: the standard deviation of single measurements, in logarithms.
    """

    rates: Array
    shift: float
    points: Array
    weights: Array
    precision: Array
    length: float
    scale: float
    noise: float

    def __call__(self, work: Array, position: Array) -> tuple[Array, Array]:
        """Microseconds of kernels, and the standard deviation of their logarithms."""
        near = nearness(position, self.points, self.length)
        mean = np.log(work @ self.rates) + self.shift + near @ self.weights
        known = ((near @ self.precision) * near).sum(1)
        return np.exp(mean), self.scale * np.sqrt(np.maximum(1 - known, 1e-4))


def fit(rates: Array, work: Array, position: Array, us: Array, spread: Array) -> Process:
    """Fit a family to its measurements; `spread` is the relative error of each."""
    missed = np.log(us / (work @ rates))
    shift = float(np.median(missed))
    missed -= shift
    kept = _spread_out(position, _MOST_POINTS)
    few = kept[:_FITTED_POINTS]
    length, scale, share = _likeliest(position[few], missed[few])
    points, missed = position[kept], missed[kept]
    noise = share + (spread[kept] / scale) ** 2
    covariance = nearness(points, points, length)
    precision: Array = np.linalg.inv(covariance + np.diag(noise))
    # What strays from all that lie near it was disturbed when it was measured, and counts less:
    # by how much, without it, the others miss it in standard deviations.
    strays = np.abs(precision @ missed) / np.sqrt(precision.diagonal())
    noise *= np.maximum(strays / _TRUSTED, 1) ** 2
    precision = np.linalg.inv(covariance + np.diag(noise))
    weights: Array = precision @ missed
    return Process(rates, shift, points, weights, precision, length, scale, scale * share**0.5)


def nearness(a: Array, b: Array, length: float) -> Array:
    """How alike what lies at two positions is, by their distance: Matérn's correlation with
    smoothness 5/2.
    """
    squared = (a**2).sum(1)[:, None] + (b**2).sum(1)[None, :] - 2 * a @ b.T
    far = np.sqrt(5 * np.maximum(squared, 0)) / length
    near: Array = (1 + far + far**2 / 3) * np.exp(-far)
    return near


def _likeliest(position: Array, missed: Array) -> tuple[float, float, float]:
    """Length, scale and share of noise under which the missed parts are most likely."""
    best = (-np.inf, _LENGTHS[-1], 1.0, _NOISES[-1])
    for length in _LENGTHS:
        values, vectors = np.linalg.eigh(nearness(position, position, length))
        along = (vectors.T @ missed) ** 2
        for share in _NOISES:
            spectrum = np.maximum(values, 0) + share
            variance = max(float(np.mean(along / spectrum)), 1e-6)
            likelihood = -0.5 * (len(missed) * np.log(variance) + np.log(spectrum).sum())
            if likelihood > best[0]:
                best = (likelihood, length, variance**0.5, share)
    return best[1:]


def rates_of(work: Array, us: Array) -> Array:
    """Non-negative rates with small relative errors, those far off counting less."""
    trust = np.ones(len(us))
    for _ in range(3):
        rates = _least_squares(work * (trust / us)[:, None], trust)
        trust = 1 / np.sqrt(np.maximum(1, np.abs(np.log(us / (work @ rates))) / 0.3))
    return rates


def _least_squares(rows: Array, wanted: Array) -> Array:
    """The non-negative solution with the least sum of squared errors (Lawson and Hanson)."""
    sizes = np.maximum(np.sqrt((rows**2).sum(0)), 1e-30)
    rows = rows / sizes
    rates = np.zeros(rows.shape[1])
    free = np.zeros(rows.shape[1], dtype=bool)
    for _ in range(3 * rows.shape[1]):
        gain = rows.T @ (wanted - rows @ rates)
        gain[free] = -np.inf
        if gain.max() <= 1e-9 * len(wanted):
            break
        free[int(gain.argmax())] = True
        while free.any():
            trial = np.zeros_like(rates)
            trial[free] = np.linalg.lstsq(rows[:, free], wanted, rcond=1e-10)[0]
            if trial[free].min() > 0:
                break
            bad = free & (trial <= 0)
            step = (rates[bad] / (rates[bad] - trial[bad] + 1e-30)).min()
            rates = rates + step * (trial - rates)
            free &= rates > 1e-12
            rates[~free] = 0
        else:
            break
        rates = trial
    solution: Array = rates / sizes
    return solution


def _spread_out(position: Array, most: int) -> Array:
    """Numbers of points that lie far from each other, the farthest from all before it next."""
    chosen = [0]
    far = ((position - position[0]) ** 2).sum(1)
    while len(chosen) < min(most, len(position)):
        chosen.append(int(far.argmax()))
        far = np.minimum(far, ((position - position[chosen[-1]]) ** 2).sum(1))
        far[chosen] = -1
    return np.array(chosen)
