"""Every preset computes in ONNX what its emitted module computes in torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dse.cost import cost
from dse.errors import InvalidDesign
from dse.network import Network
from dse.presets import load_preset, preset_names
from dse.runtime.load import build
from dse.runtime.onnx import OnnxCheck, check_onnx, export_onnx, to_onnx

LARGE = 15_000_000
"""Parameters from which on a preset takes its time, however small the image."""


def small(name: str) -> Network:
    """The preset for the smallest images that it takes."""
    for side in (32, 64, 96):
        try:
            return load_preset(name, input=f"3x{side}x{side}", classes=7)
        except InvalidDesign:
            continue
    return load_preset(name, classes=7)


def compared(network: Network, randomised: Any) -> OnnxCheck:
    module = randomised(build(network))
    return check_onnx(to_onnx(network, module.state_dict()).SerializeToString(), module, network)


SMALL = [
    pytest.param(name, marks=[pytest.mark.slow] if cost(small(name)).params > LARGE else [])
    for name in preset_names()
]


@pytest.mark.parametrize("name", SMALL)
def test_preset_for_small_images(name: str, randomised: Any) -> None:
    assert compared(small(name), randomised).max_rel_error < 1e-5


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("hybrid-mobilenet", {"downsample": "fractional", "alpha": 0.25}),
        ("hybrid-mobilenet", {"downsample": "maxpool3", "alpha": 0.25, "delta": 4}),
        ("spp-covid-net", {"input": "3x64x64"}),  # the adaptive pyramid
        ("spp-covid-net", {"input": "3x224x224"}),  # the windows
    ],
)
def test_preset_in_its_variants(name: str, arguments: dict[str, Any], randomised: Any) -> None:
    assert compared(load_preset(name, **arguments), randomised).max_rel_error < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("name", preset_names())
def test_preset_as_a_file_at_full_size(name: str, tmp_path: Path, randomised: Any) -> None:
    network = load_preset(name)
    check = export_onnx(network, randomised(build(network)), tmp_path / f"{name}.onnx")
    assert check.max_rel_error < 1e-5
    assert check.bytes == pytest.approx(4 * cost(network).params_with_buffers, rel=0.05)
