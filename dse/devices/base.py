"""What a device is: a runtime of this machine that infers by a network as often as asked."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from dse.network import Network

Processor = Literal["cpu", "cuda"]
Clock = Literal["cpu", "gpu", "wall"]


@dataclass(frozen=True)
class Spread:
    """Milliseconds of calls by one clock, over rounds that are apart in time.

    Attributes:
        median_ms: the median of the rounds' medians.
        low_ms: of a hundred rounds, 95 have their median between this
        high_ms: and this. The median of another run falls there too, unless the machine does
            something else by then that it did not do at any time of this run.
        p95_ms: 95 % of the calls took less, each round having the same weight.
    """

    median_ms: float
    low_ms: float
    high_ms: float
    p95_ms: float


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one call, which infers a batch of images.

    Attributes:
        median_ms, low_ms, high_ms, p95_ms: see `Spread`; by the clock that is the headline.
        runs: how many calls were counted, after a warm-up.
        note: library, version, threads.
        clock: the headline: ``cpu``, the time that the process has the processor, which other
            programs hardly lengthen; ``gpu``, that of the GPU; ``wall`` where several threads share
            the work.
        wall: by the clock on the wall.
        processor: by that of the processor, summed over threads; of the GPU where one computes.
        batch: images of a call.
        threads: how many compute; of the process that commands a GPU, 1.
    """

    median_ms: float
    low_ms: float
    high_ms: float
    p95_ms: float
    runs: int
    note: str
    clock: Clock
    wall: Spread
    processor: Spread
    batch: int = 1
    threads: int = 1

    @property
    def images_per_second(self) -> float:
        """What the median comes to."""
        return 1e3 * self.batch / self.median_ms


class Taken(NamedTuple):
    """What one call took, in milliseconds: on the wall, and of the processor."""

    wall: float
    processor: float


@dataclass(frozen=True)
class Ready:
    """A network loaded where it runs.

    Attributes:
        call: infers a batch of random images.
        taken: calls once and says how long that took.
        note: by what: library, version, threads.
    """

    call: Callable[[], object]
    taken: Callable[[], Taken]
    note: str


class Runtime(Protocol):
    """A device of this machine.

    Attributes:
        name: see `device_names`.
        processor: the one whose energy a call takes.
        libraries: packages whose versions decide how fast it is.
    """

    name: str
    processor: Processor
    libraries: tuple[str, ...]

    def absent(self) -> str | None:
        """Why it cannot run on this machine; None where it can."""
        ...

    def pack(self, network: Network) -> bytes:
        """A network as `ready` takes it, with any weights: values do not change the time."""
        ...

    def ready(self, packed: bytes, *, batch: int, threads: int) -> AbstractContextManager[Ready]:
        """Load a network, for as long as the context lasts, in a process with no other runtime.

        Raises:
            DseError: it cannot be run so.
        """
        ...
