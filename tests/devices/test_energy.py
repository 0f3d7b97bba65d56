"""Energy per image, from counters made of files and of a pretended library."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from dse.devices.base import Latency, Spread
from dse.devices.energy import Counter, Energy, energy_of
from dse.devices.inference import Inference, measure_inference
from dse.devices.measurer import Measurer
from dse.errors import InvalidValue, UnknownName
from dse.network import Network
from dse.presets import load_preset

ENERGY = import_module("dse.devices.energy")
SMALL = load_preset("squeezenet-1.1", classes=3, input="3x32x32")


class Machine:
    """A clock and a power meter: each image takes its time and its energy."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, powercap: Path) -> None:
        self.now = 0.0
        self.images = 0
        self.zones: dict[Path, tuple[int, int]] = {}
        monkeypatch.setattr(ENERGY, "time", self)
        monkeypatch.setattr(ENERGY, "_POWERCAP", powercap)
        self.powercap = powercap

    def perf_counter(self) -> float:
        return self.now

    def zone(self, path: str, name: str, *, per_image: int, start: int = 0) -> None:
        folder = self.powercap / path
        folder.mkdir(parents=True)
        (folder / "name").write_text(f"{name}\n")
        (folder / "max_energy_range_uj").write_text("9999\n")
        (folder / "energy_uj").write_text(f"{start}\n")
        self.zones[folder / "energy_uj"] = (start, per_image)

    def infer(self) -> None:
        self.now += 0.5
        self.images += 1
        for file, (start, per_image) in self.zones.items():
            file.write_text(f"{(start + per_image * self.images) % 10_000}\n")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    return Machine(monkeypatch, tmp_path)


def test_packages_are_summed_and_their_parts_are_not(machine: Machine) -> None:
    machine.zone("intel-rapl:0", "package-0", per_image=700)
    machine.zone("intel-rapl:1", "package-1", per_image=300)
    machine.zone("intel-rapl:0:0", "core", per_image=500)
    machine.zone("intel-rapl:2", "psys", per_image=5_000)
    machine.zone("dtpm:0", "package-9", per_image=5_000)
    # Two seconds of half a second each, after one image that does not count.
    assert energy_of(machine.infer, "cpu") == Energy(
        1.0, 4, "package-0 (RAPL) and package-1 (RAPL)"
    )
    assert machine.images == 5


def test_a_counter_that_wraps_is_read_across(machine: Machine) -> None:
    machine.zone("intel-rapl:0", "package-0", per_image=700, start=8_000)
    found = energy_of(machine.infer, "cpu")
    assert found is not None
    assert found.millijoules == pytest.approx(0.7)


def test_a_slow_image_is_enough(machine: Machine) -> None:
    machine.zone("intel-rapl:0", "package-0", per_image=100)

    def slow() -> None:
        machine.infer()
        machine.now += 60

    assert energy_of(slow, "cpu") == Energy(0.1, 1, "package-0 (RAPL)")


def test_counters_that_are_not_there_or_may_not_be_read_give_none(machine: Machine) -> None:
    assert energy_of(machine.infer, "cpu") is None
    machine.zone("intel-rapl:0", "package-0", per_image=1)
    (machine.powercap / "intel-rapl:0" / "energy_uj").unlink()
    (machine.powercap / "intel-rapl:0" / "energy_uj").mkdir()  # for root too a file it cannot read
    assert energy_of(machine.infer, "cpu") is None
    assert machine.images == 0


def test_a_counter_without_wraps_is_subtracted() -> None:
    assert Counter("x", lambda: 0).between(5, 12) == 7
    assert Counter("x", lambda: 0, wraps=99).between(95, 5) == 10


class Nvml:
    """NVIDIA's library on a machine of two GPUs, of which torch sees the second."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def nvmlInit(self) -> None:
        pass

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> str:
        return {"GPU-one": "first", "GPU-two": "second"}[uuid]

    def nvmlDeviceGetName(self, handle: str) -> str:
        return f"the {handle}"

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: str) -> int:
        return {"first": 50, "second": 3}[handle] * self.machine.images


def test_a_gpu_is_asked_for_what_it_took(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.zone("intel-rapl:0", "package-0", per_image=100)
    monkeypatch.setitem(sys.modules, "pynvml", Nvml(machine))
    second = SimpleNamespace(uuid="two")
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: second)
    assert energy_of(machine.infer, "cuda") == Energy(3.0, 4, "the second (NVML)")


def test_without_the_library_or_the_gpu_there_is_none(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)  # an import of it fails
    assert energy_of(machine.infer, "cuda") is None
    monkeypatch.setitem(sys.modules, "pynvml", Nvml(machine))
    gone: Any = SimpleNamespace(uuid="three")
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: gone)
    assert energy_of(machine.infer, "cuda") is None


def test_time_and_energy_of_a_network_are_measured_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def counted(measurer: Measurer, network: Network) -> Energy:
        asked.append(network.name)
        return Energy(12.5, 3, "package-0 (RAPL)")

    monkeypatch.setattr(Measurer, "energy", counted)
    found = measure_inference(SMALL)
    assert asked == [SMALL.name]
    assert found.device == "onnxruntime-cpu"
    assert 0 < found.latency.median_ms <= found.latency.p95_ms
    assert "12.5 mJ of package-0 (RAPL); onnxruntime-cpu: onnxruntime" in str(found)
    assert "1 thread" in str(found)


def test_energy_is_counted_where_the_network_runs() -> None:
    with Measurer() as measurer:
        energy = measurer.energy(SMALL)
    # What this machine counts is for this machine to say.
    assert (energy is None) == (energy_of(lambda: None, "cpu") is None)
    assert energy is None or energy.millijoules > 0


def test_energy_that_no_one_counts_is_said_not_to_be_available() -> None:
    spread = Spread(2.0, 1.5, 2.5, 3.0)
    latency = Latency(2.0, 1.5, 2.5, 3.0, 20, "torch 2, 1 thread", "cpu", spread, spread)
    assert str(Inference("torch-cpu", latency, None)) == (
        "2 ms (1.5 to 2.5; 95th percentile 3), energy not available; torch-cpu: torch 2, 1 thread"
    )


def test_a_device_that_is_unknown_or_not_here_is_named() -> None:
    with pytest.raises(UnknownName, match="no device is called 'onnx'"):
        measure_inference(SMALL, "onnx")
    if not torch.cuda.is_available():
        with pytest.raises(InvalidValue, match="torch finds no CUDA GPU here"):
            measure_inference(SMALL, "torch-cuda")
