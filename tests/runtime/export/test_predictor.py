"""``predict.py``: clean code, and the pixels and probabilities of the training."""

from __future__ import annotations

import ast
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from dse.data import load_dataset
from dse.data.dataset import Dataset
from dse.data.decode import decode_file
from dse.generate import Generated, generate
from dse.ir import Shape
from dse.network import Network
from dse.runtime.export.predictor import write_predictor
from dse.runtime.export.preprocessing import measured
from dse.runtime.onnx import export_onnx

SELECTED = "E,F,W,I,UP,B,SIM,RUF,C4,PIE,PT,RET"


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_predictor(tmp_path_factory.mktemp("emitted") / "model.onnx")


def imported(path: Path) -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("emitted_predict", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def predict(script: Path) -> ModuleType:
    return imported(script)


def told(*command: str) -> str:
    """What a tool has to complain about; nothing if it is content."""
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stdout + done.stderr


# -- the code --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_it_is_clean_by_the_usual_tools(script: Path, pytestconfig: pytest.Config) -> None:
    settings = ["--isolated", "--line-length=88", "--no-cache"]
    rules = ["--target-version=py311", f"--extend-select={SELECTED}"]
    assert told("ruff", "check", *settings, *rules, str(script)) == ""
    assert told("ruff", "format", "--diff", *settings, str(script)) == ""
    cache = pytestconfig.cache.mkdir("mypy")
    types = ["--strict", "--config-file=", f"--cache-dir={cache}", "--follow-imports=silent"]
    assert told("mypy", *types, "--ignore-missing-imports", str(script)) == ""


def test_it_needs_three_packages_alone(script: Path) -> None:
    tops = set()
    for node in ast.walk(ast.parse(script.read_text())):
        if isinstance(node, ast.Import):
            tops |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            tops.add((node.module or "").partition(".")[0])
    assert tops - sys.stdlib_module_names == {"numpy", "onnxruntime", "PIL"}


# -- pixels ----------------------------------------------------------------------------------------

NOISE = np.random.default_rng(0).integers(0, 256, (150, 200, 4)).astype(np.uint8)
RGB = Image.fromarray(NOISE[..., :3])
GRAY = Image.fromarray(NOISE[..., 0])
OPAQUE = Image.fromarray(np.dstack([NOISE[..., :3], np.full((150, 200), 255, np.uint8)]))
DEEP = Image.fromarray(NOISE[..., 0].astype(np.uint16) * 256 + NOISE[..., 1])

PICTURES: dict[str, tuple[Image.Image, str, dict[str, Any]]] = {
    "colour jpeg": (RGB, "jpg", {"quality": 90}),
    "gray jpeg": (GRAY, "jpg", {"quality": 90}),
    "cmyk jpeg": (RGB.convert("CMYK"), "jpg", {}),
    "turned jpeg": (
        RGB,
        "jpg",
        {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"},
    ),
    "colour": (RGB, "png", {}),
    "gray": (GRAY, "png", {}),
    "transparent": (Image.fromarray(NOISE), "png", {}),
    "opaque": (OPAQUE, "png", {}),
    "gray with alpha": (Image.fromarray(NOISE[..., :2]), "png", {}),
    "gray, one of it clear": (GRAY, "png", {"transparency": 7}),
    "palette": (RGB.quantize(32), "png", {}),
    "palette, one of it clear": (RGB.quantize(32), "png", {"transparency": 3}),
    "black and white": (GRAY.convert("1"), "png", {}),
    "16 bits": (DEEP, "png", {}),
    "8 of 32 bits": (Image.fromarray(NOISE[..., 0].astype(np.int32)), "tif", {}),
    "webp": (RGB, "webp", {"quality": 80}),
}


@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("size", [16, 64, 224])
def test_pixels_are_those_of_the_training(
    picture: str, size: int, predict: ModuleType, tmp_path: Path
) -> None:
    image, suffix, options = PICTURES[picture]
    path = tmp_path / f"picture.{suffix}"
    image.save(path, **options)
    expected = decode_file(path, path.name, size)
    assert isinstance(expected, np.ndarray), expected
    if expected.ndim == 2:
        expected = np.repeat(expected[..., None], 3, axis=2)
    np.testing.assert_array_equal(predict.read_rgb(path, size, size), expected)


def test_the_turned_picture_is_turned(predict: ModuleType, tmp_path: Path) -> None:
    image, suffix, options = PICTURES["turned jpeg"]
    image.save(tmp_path / f"a.{suffix}", **options)
    image.save(tmp_path / f"b.{suffix}")
    turned, plain = (predict.read_rgb(tmp_path / f"{n}.{suffix}", 16, 16) for n in "ab")
    assert not np.array_equal(turned, plain)


# -- probabilities ---------------------------------------------------------------------------------


def exported(data: Dataset, network: Network, module: nn.Module, folder: Path) -> Generated:
    prepared = measured(data, data.splits().train, network)
    return generate(network, folder, formats=("onnx",), module=module, preprocessing=prepared)


def in_training(data: Dataset, network: Network, module: nn.Module) -> np.ndarray:
    """What dse itself makes of all images of a data set."""
    prepared = measured(data, data.splits().train, network)
    images = prepared.apply(data, np.arange(len(data.labels)), network)
    with torch.no_grad():
        return module(torch.from_numpy(images)).double().softmax(dim=1).numpy()


def test_real_images_get_the_probabilities_of_the_training(
    xrays: Path, network: Network, module: nn.Module, tmp_path: Path
) -> None:
    data = load_dataset(xrays, image_size=16)
    assert data.files is not None
    made = exported(data, network, module, tmp_path)
    assert made.predict == tmp_path / "predict.py"
    module_of = imported(made.predict)
    classifier = module_of.Classifier(made.onnx)
    ours = classifier.probabilities([xrays / file for file in data.files])
    theirs = in_training(data, network, module)
    assert classifier.classes == list(data.classes)
    assert theirs.std(axis=0).max() > 0.01, "the images are told apart"
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_colour_and_gray_networks(channels: int, network: Network, tmp_path: Path) -> None:
    """Colour images in a network of 3 channels, or as luma in one of 1."""
    from dse.runtime.load import build
    from tests.modules import randomised

    rng = np.random.default_rng(1)
    for number in range(12):
        for name in ("a", "b", "c"):
            (tmp_path / "images" / name).mkdir(parents=True, exist_ok=True)
            pixels = rng.integers(0, 256, (40, 30, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "images" / name / f"{number}.png")
    data = load_dataset(tmp_path / "images", image_size=16)
    assert data.files is not None
    network = network.resized(input=Shape((channels, 16, 16)))
    module = randomised(build(network), seed=3).eval()
    made = exported(data, network, module, tmp_path / "out")
    assert made.predict is not None
    classifier = imported(made.predict).Classifier(made.onnx)
    ours = classifier.probabilities([tmp_path / "images" / file for file in data.files])
    np.testing.assert_allclose(ours, in_training(data, network, module), atol=1e-5)


# -- as a program ----------------------------------------------------------------------------------


def run(script: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_program(data: Dataset, network: Network, module: nn.Module, tmp_path: Path) -> None:
    made = exported(data, network, module, tmp_path)
    assert made.predict is not None
    picture = tmp_path / "one.png"
    Image.fromarray(data.images[0]).save(picture)
    [found] = json.loads(run(made.predict, picture, "--json").stdout)
    assert found["image"] == str(picture)
    expected = dict(zip(data.classes, in_training(data, network, module)[0], strict=True))
    assert found["probabilities"] == pytest.approx(expected, abs=1e-5)
    name, *ranked = run(made.predict, picture).stdout.strip().split("  ")
    assert name == str(picture)
    best = max(expected, key=lambda key: expected[key])
    assert ranked[0] == f"{best} {expected[best]:.3f}"
    (tmp_path / "text.png").write_text("no picture")
    refused = run(made.predict, picture, tmp_path / "text.png")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith(f"error: {tmp_path / 'text.png'}: ")
    assert refused.stderr.count("\n") == 1


def test_a_model_of_unknown_normalisation(
    predict: ModuleType, network: Network, module: nn.Module, tmp_path: Path
) -> None:
    made = generate(network, tmp_path, formats=("onnx",), module=module)
    with pytest.raises(ValueError, match="how its images were normalised: give --mean and --std"):
        predict.Classifier(made.onnx)
    with pytest.raises(ValueError, match="mean and std need 3 numbers each, got 1 and 3"):
        predict.Classifier(made.onnx, mean=[0.5], std=[0.2] * 3)
    classifier = predict.Classifier(made.onnx, mean=[0.5] * 3, std=[0.25] * 3)
    assert classifier.classes == ["0", "1", "2"]
    Image.fromarray(np.full((4, 4), 255, np.uint8)).save(tmp_path / "white.png")
    assert classifier.input_of(tmp_path / "white.png") == pytest.approx(np.full((1, 3, 16, 16), 2))


def test_a_model_of_others(
    predict: ModuleType, network: Network, module: nn.Module, tmp_path: Path
) -> None:
    export_onnx(network, module, tmp_path / "bare.onnx")  # without what `generate` notes
    with pytest.raises(ValueError, match="does not say what its input is"):
        predict.Classifier(tmp_path / "bare.onnx")
