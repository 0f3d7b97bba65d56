"""`dse generate --weights`: other people's weights in our code."""

from __future__ import annotations

import importlib.util
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from dse.presets import load_preset
from tests.implementations import lorna
from tests.runtime.weights.files import model_of, scores_of
from tests.twins import images_of

pytestmark = pytest.mark.usefixtures("one_thread")

ASKED = ("generate", "resnet-18", "--image-size", 64, "--out", "out")
NETWORK = load_preset("resnet-18", input="3x64x64", classes=1000)


@pytest.fixture(scope="module")
def model() -> nn.Module:
    return model_of(lorna("resnet_pytorch", "resnet18"), NETWORK)


@pytest.fixture(scope="module")
def weights(model: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    torch.save({"state_dict": model.float().state_dict(), "epoch": 90}, path)
    return path


def close(scores: Any, model: nn.Module) -> bool:
    """In single precision, which is what an emitted module and its ONNX graph have."""
    expected = scores_of(model, NETWORK).numpy()
    return bool(np.abs(np.asarray(scores) - expected).max() <= 1e-5 * np.abs(expected).max())


def create_model(source: Path, **settings: int) -> nn.Module:
    """As a user has it: the file alone."""
    spec = importlib.util.spec_from_file_location("emitted_for_a_user", source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: nn.Module = module.create_model(**settings)
    return made.eval()


def run(source: str, images: Tensor) -> Any:
    from dse.runtime.onnx.check import open_session

    [scores] = open_session(source).run(None, {"image": images.float().numpy()})
    return scores


def test_code_and_onnx_carry_the_weights(dse: Any, model: nn.Module, weights: Path) -> None:
    said = dse(*ASKED, "--weights", weights, "--onnx")
    assert said.code == 0, said
    *files, loaded, checked = said.out.splitlines()
    *files, predict = files
    assert files == [f"out/resnet_18.{ending}" for ending in ("py", "json", "safetensors", "onnx")]
    assert predict == "out/predict.py"
    assert loaded == f"weights of 41 layers from {weights}, by structure"
    assert checked.startswith("ONNX Runtime against torch")
    images = images_of(NETWORK)
    ours = create_model(Path("out/resnet_18.py"))
    assert str(ours.load_state_dict(load_file("out/resnet_18.safetensors"))).startswith("<All keys")
    with torch.no_grad():
        assert close(ours(images.float()), model)
    assert close(run("out/resnet_18.onnx", images), model)


def test_json_says_what_was_loaded(dse: Any, weights: Path) -> None:
    document = dse(*ASKED, "--classes", 3, "--weights", weights, "--json").json
    assert document["weights"] == "out/resnet_18.safetensors"
    assert document["loaded"] == {
        "file": str(weights),
        "how": "structure",
        "taken": 40,
        "initial": ["classifier"],
        "unused": ["fc"],
    }
    assert load_file(document["weights"])["classifier.weight"].shape == (3, 512)


def test_what_was_written_is_read_again_by_name(dse: Any, weights: Path) -> None:
    dse(*ASKED, "--weights", weights)
    first = Path("out/resnet_18.safetensors").read_bytes()
    said = dse(*ASKED, "--weights", "out/resnet_18.safetensors")
    assert (
        said.out.splitlines()[-1] == "weights of 41 layers from out/resnet_18.safetensors, by name"
    )
    assert Path("out/resnet_18.safetensors").read_bytes() == first


def test_without_weights_there_is_no_file_of_them(dse: Any) -> None:
    document = dse(*ASKED, "--json").json
    assert (document["weights"], document["loaded"]) == (None, None)
    assert not list(Path("out").glob("*.safetensors"))


def test_weights_of_another_network_write_nothing(refused: Any, weights: Path) -> None:
    message = refused("generate", "mobilenet-v2", "--weights", weights, "--out", "out")
    assert re.match(
        r"\S+resnet18\.pth does not fit mobilenet-v2: it has nothing for stem\.", message
    )
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--weights", "absent.pth"), ["absent.pth", "no such file"]),
        (("--weights", "folder"), ["folder", "is a directory"]),
        (
            ("--weights", "hostile.pth"),
            ["hostile.pth", "would run code (posix.system)", "state dict"],
        ),
        (("--weights", "text.pth"), ["text.pth", "damaged or no file of weights"]),
    ],
)
def test_a_file_that_is_none_is_refused(
    refused: Any, arguments: tuple[str, ...], words: list[str]
) -> None:
    import os

    class Hostile:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.system, ("touch made",)

    Path("folder").mkdir()
    Path("text.pth").write_text("weights\n")
    Path("hostile.pth").write_bytes(pickle.dumps({"a": Hostile()}, protocol=2))
    message = refused(*ASKED, *arguments)
    assert [word for word in words if word not in message] == []
    assert not Path("made").exists()


def test_weights_are_for_one_network_that_is_written(refused: Any) -> None:
    assert "every preset" in refused("generate", "--weights", "w.pth")
    assert "--check" in refused("generate", "resnet-18", "--check", "--weights", "w.pth")
