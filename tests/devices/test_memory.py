"""Peak activation memory, beside what runtimes really allocate."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.memory import eager
from dse.cost import cost
from dse.presets import load_preset
from tests.devices.eager import eager_peak

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize(
    ("name", "input"),
    [
        ("darkcovidnet", "3x256x256"),
        ("densenet-169", "3x64x64"),
        ("hl-cnn", "3x64x64"),
        ("hybrid-mobilenet", "3x64x64"),
        ("mobilenet-v1", "3x96x96"),
        ("shufflenet-v1", "3x96x96"),
        ("spp-covid-net", "3x128x128"),
        ("squeezenet", "3x96x96"),
        ("squeezenet-1.1", "3x96x96"),
    ],
)
def test_eager_torch_allocates_what_the_program_says(
    name: str, input: str, one_thread: None
) -> None:
    """The shapes and the order of the program are those of the emitted module; eager torch only
    keeps more of them alive than `Cost` does, as it works nowhere in place.
    """
    network = load_preset(name, classes=3, input=input)
    measured, expected = eager(network), eager_peak(network.lower())
    assert measured == pytest.approx(expected, rel=0.1)
    assert cost(network).peak_activation_bytes <= expected


@pytest.mark.parametrize("name", ["googlenet", "mobilenet-v3-large", "resnet-18", "squeezenet-1.1"])
def test_onnx_runtime_plans_as_many_bytes_as_the_cost_says(name: str) -> None:
    """Where its plan leaves no gaps between tensors, and the peak is after the image's last use."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.memory", "block", name],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) == cost(load_preset(name)).peak_activation_bytes
