"""Where latency comes from."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
import torch

from dse.devices import Latency, device_names, find_device
from dse.errors import UnknownName
from dse.presets import load_preset

SMALL = load_preset("squeezenet-1.1", classes=3, input="3x32x32")
LARGE = load_preset("squeezenet", classes=3, input="3x224x224")


class Clock:
    """A clock by which each call takes what it is told to."""

    def __init__(self, *milliseconds: float) -> None:
        self.now = 0.0
        self.calls = 0
        self._takes = milliseconds

    def perf_counter(self) -> float:
        return self.now

    def call(self) -> None:
        self.now += 1e-3 * self._takes[self.calls % len(self._takes)]
        self.calls += 1


def timed(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Latency:
    timing = import_module("dse.devices.timing")
    monkeypatch.setattr(timing, "time", clock)
    found: Latency = timing.timed(clock.call, "a clock")
    return found


def test_the_median_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(2.0, 2.0, 2.0, 2.0, 90.0)
    found = timed(clock, monkeypatch)
    assert found.median_ms == pytest.approx(2.0)
    assert found.p95_ms > found.median_ms
    assert found.runs == clock.calls - 5  # the warm-up does not count
    assert found.note == "a clock"


def test_slow_calls_are_repeated_twenty_times_and_fast_ones_oftener(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert timed(Clock(1_000.0), monkeypatch).runs == 20
    assert timed(Clock(0.1), monkeypatch).runs == pytest.approx(3_000, abs=1)


def test_the_warm_up_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(*[500.0] * 5, *[1.0] * 1_000)
    assert timed(clock, monkeypatch).p95_ms == pytest.approx(1.0)


HERE = [name for name in device_names() if name != "torch-cuda" or torch.cuda.is_available()]


@pytest.mark.parametrize("name", HERE)
def test_every_device_measures(name: str) -> None:
    device = find_device(name)
    assert device.name == name
    small, large = device.latency(SMALL), device.latency(LARGE)
    assert 0 < small.median_ms <= small.p95_ms
    assert small.runs >= 20
    assert "1 thread" in small.note
    # A hundredfold of multiply-adds takes longer anywhere.
    assert large.median_ms > small.median_ms


def test_measuring_leaves_torchs_threads_alone() -> None:
    before = torch.get_num_threads()
    find_device("torch-cpu").latency(SMALL)
    assert torch.get_num_threads() == before


def test_the_same_network_is_measured_on_the_same_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the call differs between devices: both are given one image of the network's size."""
    seen: list[Any] = []

    def note(call: Any, text: str) -> Latency:
        seen.append(text)
        call()
        return Latency(1, 1, 1, text)

    for name in HERE:
        module = import_module(f"dse.devices.{name.replace('-', '_')}")
        monkeypatch.setattr(module, "timed", note)
        assert find_device(name).latency(SMALL).median_ms == 1
    assert [text.split()[0] for text in seen][:2] == ["onnxruntime", "torch"]


def test_an_unknown_device() -> None:
    with pytest.raises(UnknownName, match="did you mean 'torch-cpu'"):
        find_device("torch-cpus")
