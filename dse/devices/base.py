"""What a device is: something a network's latency can be had from."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

from dse.network import Network

Processor = Literal["cpu", "cuda"]


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


@dataclass(frozen=True)
class Ready:
    """A network loaded where it runs: `call` infers one image, and `note` says by what."""

    call: Callable[[], object]
    note: str


class Runtime(Device, Protocol):
    """A device on this machine, which runs a network as often as asked.

    `processor` is the one whose energy that takes.
    """

    processor: Processor

    def ready(self, network: Network) -> AbstractContextManager[Ready]:
        """Load a network, for as long as the context lasts."""
        ...
