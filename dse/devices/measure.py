"""Several networks measured in turn, so that what else the machine does falls on all of them.

A measurement is a few sittings. Each begins a fresh process for every runtime, as where a process
happens to lie in memory moves its times by percents, loads all networks there and calls them in
rounds, A B C A B C, that are spread over the seconds that the sitting has.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

from dse.devices import find_device
from dse.devices.base import Latency, Taken
from dse.devices.machine import core_count
from dse.devices.measurer import Measurer
from dse.devices.rounds import Ratio, latency_of, ratio_of
from dse.errors import InvalidValue
from dse.network import Network

_SITTINGS = 3
_LEAST_ROUNDS = 10
"""Of a sitting, however long they take."""
_ROUND_MS = 40.0
_PAUSE = 0.02
"""Seconds between rounds: a process that waits now and then is preempted less in between."""

Progress = Callable[[float], None]
"""Told the share of the time that is over."""


@dataclass(frozen=True)
class Measured:
    """A network's latency in one way.

    Attributes:
        name: what the network was called.
        device: see `device_names`.
        latency: of a call.
        rounds: over how many rounds.
        ratio: to the first network on the same device with the same batch.
    """

    name: str
    device: str
    latency: Latency
    rounds: int
    ratio: Ratio

    def document(self) -> dict[str, Any]:
        """As `dse device measure --json` has it: the fields of `Latency` beside the others."""
        return {
            "name": self.name,
            "device": self.device,
            **asdict(self.latency),
            "images_per_second": self.latency.images_per_second,
            "rounds": self.rounds,
            "ratio": asdict(self.ratio),
        }


def measure(
    networks: Sequence[tuple[str, Network | bytes]],
    *,
    devices: Sequence[str] = ("onnxruntime-cpu",),
    batches: Sequence[int] = (1,),
    threads: int = 1,
    seconds: float = 20.0,
    progress: Progress = lambda share: None,
) -> list[Measured]:
    """Measure every network on every device with every batch, in turn.

    Args:
        networks: what each is called, and a network or, for ONNX Runtime, the bytes of a file.
        devices: see `device_names`.
        batches: images of a call.
        threads: that compute.
        seconds: of calling in all, if that gives enough rounds; starting and loading come on top.
        progress: told how far it is.

    Returns:
        one entry for each, the batches of a device beside each other, then the next device.

    Raises:
        UnknownName: there is no such device.
        InvalidValue: this machine lacks it, or an argument is outside what it may be.
        DseError: a network cannot be run, or the process died of it.
    """
    if not 1 <= threads <= core_count():
        raise InvalidValue(
            f"threads are from 1 to the cores of this machine, {core_count()}; got {threads}"
        )
    subjects = [
        _Subject(position, device, batch)
        for device in devices
        for batch in batches
        for position in range(len(networks))
    ]
    packed = {
        (position, device): _packed(device, name, network)
        for device in devices
        for position, (name, network) in enumerate(networks)
    }
    rounds: dict[_Subject, list[list[Taken]]] = {subject: [] for subject in subjects}
    notes: dict[_Subject, str] = {}
    for sitting in range(_SITTINGS):
        with ExitStack() as stack:
            measurers = {
                name: stack.enter_context(Measurer(name, threads=threads)) for name in devices
            }
            for subject in subjects:
                graph = packed[subject.position, subject.device]
                name = networks[subject.position][0]
                note = measurers[subject.device].load(subject.key(name), graph, batch=subject.batch)
                notes[subject] = note
            began, turn = time.monotonic(), 0
            while (share := _share(turn, time.monotonic() - began, seconds / _SITTINGS)) < 1:
                progress((sitting + share) / _SITTINGS)
                for number in range(len(subjects)):
                    subject = subjects[(number + turn) % len(subjects)]
                    key = subject.key(networks[subject.position][0])
                    rounds[subject].append(measurers[subject.device].round(key, _ROUND_MS))
                turn += 1
                time.sleep(_PAUSE)
    progress(1.0)
    found = []
    for subject in subjects:
        own = rounds[subject]
        latency = latency_of(
            own,
            notes[subject],
            processor=find_device(subject.device).processor,
            batch=subject.batch,
            threads=threads,
        )
        first = rounds[_Subject(0, subject.device, subject.batch)]
        ratio = ratio_of(own, first, latency.clock)
        found.append(
            Measured(networks[subject.position][0], subject.device, latency, len(own), ratio)
        )
    return found


@dataclass(frozen=True)
class _Subject:
    """A network by its position, a device and a batch."""

    position: int
    device: str
    batch: int

    def key(self, name: str) -> str:
        """What a measurer calls it, also in errors."""
        numbered = f"{name} ({self.position + 1})"
        return numbered if self.batch == 1 else f"{numbered} in batches of {self.batch}"


def _packed(device: str, name: str, network: Network | bytes) -> bytes:
    runtime = find_device(device)
    if isinstance(network, Network):
        return runtime.pack(network)
    if not device.startswith("onnxruntime"):
        raise InvalidValue(f"{name}: an ONNX file is measured by onnxruntime-cpu, got {device}")
    return network


def _share(turn: int, spent: float, seconds: float) -> float:
    """How much of a sitting is over, by its time and by its rounds."""
    return min(spent / seconds, turn / _LEAST_ROUNDS)
