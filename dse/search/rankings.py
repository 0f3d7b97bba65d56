"""How well free numbers rank designs that were measured: Kendall's tau with its uncertainty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Interval = tuple[float, float]

SIZES = ("params", "macs")
"""What a proxy has to beat: the numbers that cost nothing."""
_RESAMPLES = 2000
_STRATA = 3


@dataclass(frozen=True)
class Ranking:
    """How a proxy ranks designs.

    Attributes:
        proxy: its name.
        tau: Kendall's tau-b with the metric over all designs, 1 for the same order; None where the
            proxy or the metric is the same for all.
        interval: 95 %, of designs drawn with replacement.
        within: tau-b over the pairs of designs that have about as many parameters: both in the same
            third. What is left of a proxy once a budget is fixed.
        within_interval: 95 %.
        lead: `within` less that of params or macs, whichever is greater; None for these two.
        lead_interval: 95 %, of the difference on the same draws.
    """

    proxy: str
    tau: float | None
    interval: Interval | None
    within: float | None
    within_interval: Interval | None
    lead: float | None = None
    lead_interval: Interval | None = None

    @property
    def beats(self) -> bool | None:
        """Whether it ranks designs of similar size better than size itself does: None if the data
        cannot tell.
        """
        if self.lead_interval is None:
            return None
        low, high = self.lead_interval
        return True if low > 0 else False if high < 0 else None


def rankings(metric: Values, proxies: Mapping[str, Values], seed: int = 0) -> list[Ranking]:
    """Rank designs by each proxy and compare with the order of a metric, of which more is better.

    Args:
        metric: of each design (n,).
        proxies: each (n,), `SIZES` among them.
        seed: of the draws.

    Returns:
        The best first, by `within`.
    """
    count = len(metric)
    draws = np.random.default_rng(seed).multinomial(
        count, np.full(count, 1 / count), size=_RESAMPLES
    )
    # The designs as they are, then as they were drawn: how often each counts.
    weights = np.vstack([np.ones(count), draws])
    everywhere = np.ones((count, count), dtype=bool)
    third = _thirds(proxies["params"])
    nearby = third[:, None] == third[None, :]
    overall = {name: _taus(x, metric, everywhere, weights) for name, x in proxies.items()}
    within = {name: _taus(x, metric, nearby, weights) for name, x in proxies.items()}
    size = np.fmax(*(within[name] for name in SIZES))
    found = [
        Ranking(
            name,
            *_estimate(overall[name]),
            *_estimate(within[name]),
            *(() if name in SIZES else _estimate(within[name] - size)),
        )
        for name in proxies
    ]
    return sorted(found, key=lambda row: -2.0 if row.within is None else row.within, reverse=True)


def _thirds(params: Values) -> NDArray[np.int64]:
    """Which third by parameters a design is in; equal ones are in the same."""
    edges = np.quantile(params, np.arange(1, _STRATA) / _STRATA)
    return np.searchsorted(edges, params)


def _taus(x: Values, y: Values, pairs: NDArray[np.bool_], weights: Values) -> Values:
    """Tau-b over some pairs, for each row of `weights`; nan where all is tied.

    A design drawn twice is two designs that tie.
    """
    sign_x = np.sign(x[:, None] - x[None, :]) * pairs
    sign_y = np.sign(y[:, None] - y[None, :]) * pairs

    def over_pairs(matrix: Values) -> Values:
        total: Values = ((weights @ matrix) * weights).sum(axis=1)
        return total

    with np.errstate(invalid="ignore", divide="ignore"):
        scale = np.sqrt(over_pairs(sign_x**2) * over_pairs(sign_y**2))
        taus: Values = over_pairs(sign_x * sign_y) / scale
    return taus


def _estimate(values: Values) -> tuple[float | None, Interval | None]:
    """The first value, and the interval that holds 95 % of the others."""
    estimate, drawn = values[0], values[1:]
    drawn = drawn[np.isfinite(drawn)]
    if not np.isfinite(estimate) or not len(drawn):
        return None, None
    low, high = np.quantile(drawn, (0.025, 0.975))
    return float(estimate), (float(low), float(high))
