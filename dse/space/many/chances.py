"""How likely a random design takes each option, as `Choice.sample` draws it."""

from __future__ import annotations

import numpy as np

from dse.space.choices import Choice, Integer
from dse.space.many.lanes import Array


def chances(choice: Choice, count: int) -> Array:
    """The probability of each of the `count` options, in their order."""
    if isinstance(choice, Integer) and choice.log:
        edges = np.log(np.arange(choice.low, choice.high + 2))
        odds: Array = np.diff(edges) / (edges[-1] - edges[0])
        return odds
    return np.full(count, 1 / count)
