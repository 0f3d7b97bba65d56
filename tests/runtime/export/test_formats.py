"""The formats beside ONNX: what they hold, that they compute the same, and what is missing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from dse.errors import DataError, InvalidValue, MissingExtra, UnknownName
from dse.generate import generate
from dse.network import Network, read_network
from dse.presets import load_preset
from dse.runtime.export.formats import format_names, format_of, open_file, pack, suffix_of, unpack
from dse.runtime.export.write import write_export
from dse.runtime.load import build
from tests.modules import randomised

OURS = ("torch-export", "torchscript")
OPTIONAL = {
    "executorch": ("executorch", ("executorch.exir", "executorch.runtime")),
    "litert": ("litert-torch", ("litert_torch", "ai_edge_litert.interpreter")),
}
NOTES = {"digest": "d", "mean": "[0.5]", "class_names": '["ä", "b"]'}

WIDE: dict[str, Any] = {
    "name": "many-ops",
    "input": "3x23x23",
    "classes": 4,
    "nodes": [
        {"name": "stem", "conv": {"channels": 8, "stride": 2, "activation": "hard_swish"}},
        {"name": "shuffle", "shuffle": {"channels": 16, "groups": 2, "stride": 2}},
        {"name": "inverted", "inverted": {"channels": 16, "attention": {"eca": {}}}},
        {"name": "fractional", "fractional_pool": {}},
        {"name": "se", "squeeze_excite": {"reduction": 4}},
        {"name": "norm", "local_norm": {}},
        {"name": "blur", "blur_pool": {}},
        {"name": "dense", "dense_layer": {"growth": 4}},
        {"name": "a", "residual": {"channels": 20}},
        {"name": "join", "fusion": {}, "inputs": ["dense", "a"]},
        {"name": "pyramid", "adaptive_pyramid": {"levels": [1, 3]}},
        {"name": "logits", "classifier": {"dropout": 0.2}},
    ],
}


@pytest.fixture(scope="module")
def wide() -> Network:
    return read_network(WIDE)


@pytest.mark.parametrize("name", OURS)
def test_a_file_holds_what_was_put_in(
    name: str, network: Network, module: nn.Module, tmp_path: Path
) -> None:
    module.train()
    made = write_export(name, network, module, tmp_path / "new" / "small", NOTES)
    assert module.training, "the module is left as it was"
    assert made.path == tmp_path / "new" / f"small{suffix_of(name)}"
    assert list(made.path.parent.iterdir()) == [made.path]
    assert made.bytes == made.path.stat().st_size
    assert made.max_rel_error <= 1e-5
    assert format_of(made.path) == name
    opened = open_file(made.path)
    assert NOTES.items() - opened.metadata.items() == {("digest", "d")} - opened.metadata.items()
    assert opened.metadata["input"] == "3x16x16"
    assert opened.weights is not None
    state = module.state_dict()
    assert all(torch.equal(value, opened.weights[key]) for key, value in state.items())


@pytest.mark.parametrize("name", OURS)
def test_every_batch_computes_what_torch_does(name: str, wide: Network) -> None:
    module = randomised(build(wide), seed=1).eval()
    opened = unpack(name, pack(name, module, wide, NOTES))
    for batch in (1, 2, 5):
        images = np.random.default_rng(batch).standard_normal((batch, *wide.input), np.float32)
        with torch.no_grad():
            expected = module(torch.from_numpy(images)).numpy()
        np.testing.assert_allclose(
            opened.scores(images), expected, atol=1e-5 * np.abs(expected).max()
        )


@pytest.mark.slow
@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize(
    "preset", ["mobilenet-v3-small", "shufflenet-v1", "googlenet", "spp-covid-net", "hl-cnn"]
)
def test_presets(name: str, preset: str) -> None:
    network = load_preset(preset, input="3x64x64", classes=3)
    module = randomised(build(network)).eval()
    opened = unpack(name, pack(name, module, network, NOTES))
    images = np.random.default_rng(0).standard_normal((3, *network.input), np.float32)
    with torch.no_grad():
        expected = module(torch.from_numpy(images)).numpy()
    np.testing.assert_allclose(opened.scores(images), expected, rtol=0, atol=1e-5 * expected.max())


@pytest.mark.parametrize("name", format_names())
def test_what_is_no_file_of_the_format(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"x{suffix_of(name)}"
    with pytest.raises(DataError, match=f"{path.name}: the file cannot be read: no such file"):
        open_file(path)
    for content in (b"", b"text\n", bytes(range(256)) * 4):
        path.write_bytes(content)
        with pytest.raises((DataError, InvalidValue, MissingExtra)) as caught:
            open_file(path)
        if not isinstance(caught.value, MissingExtra):
            assert str(caught.value).startswith(f"{path}: ")
            assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", OURS)
def test_a_file_that_dse_did_not_write(name: str, network: Network, module: nn.Module) -> None:
    with pytest.raises(InvalidValue, match="names no design of dse"):
        unpack(name, pack(name, module, network, {}))


@pytest.mark.parametrize("name", OPTIONAL)
def test_a_package_that_is_not_installed(
    name: str, network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package, modules = OPTIONAL[name]
    for each in modules:
        monkeypatch.setitem(sys.modules, each, None)
    with pytest.raises(MissingExtra, match=f"needs the package '{package}': pip install {package}"):
        generate(network, tmp_path / "out", formats=(name,))
    assert not (tmp_path / "out").exists()
    with pytest.raises(MissingExtra, match="needs the package"):
        unpack(name, b"")


@pytest.mark.parametrize("name", OPTIONAL)
def test_a_package_that_is(name: str, network: Network, module: nn.Module) -> None:
    pytest.importorskip(OPTIONAL[name][1][0])
    opened = unpack(name, pack(name, module, network, NOTES))
    assert opened.metadata == NOTES
    assert opened.batch == 1
    images = np.random.default_rng(0).standard_normal((3, *network.input), np.float32)
    with torch.no_grad():
        expected = module(torch.from_numpy(images)).numpy()
    np.testing.assert_allclose(opened.scores(images), expected, atol=1e-4 * np.abs(expected).max())


def test_names_and_suffixes(tmp_path: Path) -> None:
    assert {format_of(tmp_path / f"a.b{suffix_of(name)}") for name in format_names()} == set(
        format_names()
    )
    with pytest.raises(UnknownName, match="'torchscript'"):
        suffix_of("torchscrip")
    with pytest.raises(InvalidValue, match=r"ends in one of \.onnx, .* got a\.pth"):
        format_of(Path("a.pth"))
