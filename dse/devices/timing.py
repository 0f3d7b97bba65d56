"""Repeat a call until its median is worth telling."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from dse.devices.base import Latency

_WARM_UP = 5
_LEAST_RUNS = 20
_SECONDS = 0.3


def timed(call: Callable[[], object], note: str) -> Latency:
    """Time `call` for about a third of a second, at least twenty times, after a warm-up."""
    for _ in range(_WARM_UP):
        call()
    samples: list[float] = []
    end = time.perf_counter() + _SECONDS
    while len(samples) < _LEAST_RUNS or time.perf_counter() < end:
        started = time.perf_counter()
        call()
        samples.append(1e3 * (time.perf_counter() - started))
    return Latency(float(np.median(samples)), float(np.percentile(samples, 95)), len(samples), note)
