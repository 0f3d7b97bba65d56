"""What a device is: something a network's latency can be had from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from dse.network import Network


@dataclass(frozen=True)
class Latency:
    """Milliseconds per image at batch 1.

    Attributes:
        median_ms: half of the runs took less.
        p95_ms: 95 % of the runs took less.
        runs: how many were counted, after a warm-up.
        note: library, version, threads.
    """

    median_ms: float
    p95_ms: float
    runs: int
    note: str


class Device(Protocol):
    """A device measures a network with random weights: values do not change the time."""

    name: str

    def latency(self, network: Network) -> Latency:
        """How long one image takes."""
        ...
