"""Energy per image, on machines that count it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dse.devices.base import Processor

_POWERCAP = Path("/sys/class/powercap")
_SECONDS = 2.0
"""Counters move in steps, the slowest every tenth of a second."""


@dataclass(frozen=True)
class Energy:
    """Millijoules per image at batch 1.

    Attributes:
        millijoules: all that the counted parts took meanwhile, also for other programs and to stay
            awake, over the images.
        images: how many were inferred.
        note: what was counted, and by what.
    """

    millijoules: float
    images: int
    note: str


@dataclass(frozen=True)
class Counter:
    """Microjoules since some time in the past.

    Attributes:
        what: the part of the machine, and what counts.
        read: the count now.
        wraps: the largest count, after which it begins at zero; None where it never does.
    """

    what: str
    read: Callable[[], int]
    wraps: int | None = None

    def between(self, before: int, after: int) -> int:
        """Microjoules from one count to a later one, at most one wrap apart."""
        return after - before if self.wraps is None else (after - before) % (self.wraps + 1)


def energy_of(call: Callable[[], object], processor: Processor) -> Energy | None:
    """Energy that each `call` takes, over about two seconds; None where the machine does not say.

    What it takes besides is in it: measure on a machine that does nothing else.
    """
    counters = _gpu() if processor == "cuda" else _packages(_POWERCAP)
    if not counters:
        return None
    call()
    before = [counter.read() for counter in counters]
    images, end = 0, time.perf_counter() + _SECONDS
    while not images or time.perf_counter() < end:
        call()
        images += 1
    counted = [
        counter.between(old, counter.read()) for counter, old in zip(counters, before, strict=True)
    ]
    note = " and ".join(counter.what for counter in counters)
    return Energy(sum(counted) / images / 1000, images, note)


def _packages(powercap: Path) -> list[Counter]:
    """The processor's packages, by Intel's RAPL (which AMD's processors have as well)."""
    counters = []
    for zone in sorted(powercap.glob("intel-rapl:*")):
        try:
            name = (zone / "name").read_text().strip()
            wraps = int((zone / "max_energy_range_uj").read_text())
            read = _reader(zone / "energy_uj")
            read()
        except (OSError, ValueError):
            continue  # most systems let only root read it
        # A package's zone holds those of its cores and memory: those would count twice.
        if name.startswith("package"):
            counters.append(Counter(f"{name} (RAPL)", read, wraps))
    return counters


def _reader(path: Path) -> Callable[[], int]:
    return lambda: int(path.read_text())


def _gpu() -> list[Counter]:
    """torch's first GPU, by NVIDIA's library, if `pynvml` is installed and the GPU counts."""
    try:
        import pynvml
        import torch

        pynvml.nvmlInit()
        # Not by number: the library counts GPUs that this process may not see, torch does not.
        uuid = torch.cuda.get_device_properties(0).uuid
        handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")
        pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
        name = pynvml.nvmlDeviceGetName(handle)
    except Exception:
        # No such package, no driver, or a GPU too old to count: each raises its own.
        return []
    # Millijoules since the driver was loaded.
    return [
        Counter(
            f"{name} (NVML)",
            lambda: 1000 * int(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)),
        )
    ]
