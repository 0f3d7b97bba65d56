"""`dse generate` with exports, and `dse verify`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import onnx
import pytest

from dse.presets import load_preset
from dse.runtime.load import build
from dse.runtime.onnx import read_onnx
from dse.runtime.weights import save_weights
from tests.modules import randomised

pytestmark = pytest.mark.usefixtures("one_thread")

DESIGN = {
    "name": "tiny",
    "input": "3x16x16",
    "classes": 3,
    "nodes": [
        {"name": "stem", "conv": {"channels": 8, "stride": 2, "activation": "hard_swish"}},
        {"name": "pool", "global_pool": {}},
        {"name": "logits", "classifier": {}},
    ],
}


@pytest.fixture
def design(dse: Any) -> Path:
    """In the folder that `dse` runs in."""
    path = Path("tiny.json")
    path.write_text(json.dumps(DESIGN))
    return path


def notes(path: str) -> dict[str, str]:
    return dict(read_onnx(Path(path).read_bytes()).metadata)


def test_onnx_at_an_opset_comes_with_predict(dse: Any, design: Path) -> None:
    said = dse("generate", design, "--onnx", "--opset", 15, "--json")
    document = said.json
    assert document["check"]["opset"] == 15
    assert onnx.load(document["onnx"]).opset_import[0].version == 15
    assert document["predict"] == "generated/predict.py"
    assert 'MODEL = "tiny.onnx"' in Path(document["predict"]).read_text()
    assert (document["int8"], document["exports"]) == (None, [])
    kept = notes(document["onnx"])
    assert kept["weights"] == "fresh, not trained"
    assert (kept["resize"], kept["channel_order"], kept["pixel_range"]) == (
        "lanczos",
        "RGB",
        "[0, 1]",
    )
    assert "mean" not in kept


def test_a_data_set_gives_classes_size_and_normalisation(dse: Any, digits_folder: Path) -> None:
    said = dse(
        "generate", "squeezenet-1.1", "--onnx", "--dataset", digits_folder, "--image-size", 32
    )
    assert said.code == 0, said
    kept = notes("generated/squeezenet_1_1.onnx")
    assert kept["input"] == "3x32x32"
    assert kept["class_names"] == "is0,is1,is2"
    assert kept["channel_order"] == "gray"
    mean, std = ([float(x) for x in kept[key].split(",")] for key in ("mean", "std"))
    assert len(mean) == len(std) == 3
    assert 0 < mean[0] < 1
    assert 0 < std[0] < 0.6
    assert kept["dataset"] == digits_folder.name


def test_int8_is_printed_and_noted(dse: Any, design: Path, digits_folder: Path) -> None:
    said = dse("generate", design, "--int8", "--dataset", digits_folder)
    assert said.code == 0, said
    *files, checked, beside = said.out.splitlines()
    assert files == [
        f"generated/{name}"
        for name in ("tiny.py", "tiny.json", "tiny.onnx", "tiny.int8.onnx", "predict.py")
    ]
    assert checked.startswith("ONNX Runtime against torch")
    assert beside.startswith("int8 beside float32: ")
    document = dse("generate", design, "--int8", "--dataset", digits_folder, "--json").json["int8"]
    assert document.pop("path") == "generated/tiny.int8.onnx"
    assert json.loads(notes("generated/tiny.int8.onnx")["beside_float32"]) == document
    assert document["images"] > 0


def test_other_formats(dse: Any, design: Path) -> None:
    document = dse("generate", design, "--format", "torchscript", "--json").json
    [export] = document["exports"]
    assert (export["format"], export["path"]) == ("torchscript", "generated/tiny.ts.pt")
    assert export["max_abs_error"] < 1e-5
    assert document["onnx"] is None
    said = dse("verify", "generated/tiny.ts.pt", "--against", design, "--json")
    assert said.code == 0
    assert said.json["holds"] is True
    assert said.json["format"] == "torchscript"


def test_verify_takes_a_preset_for_the_files_images(dse: Any) -> None:
    dse("generate", "squeezenet-1.1", "--classes", 4, "--image-size", 48, "--onnx")
    said = dse("verify", "generated/squeezenet_1_1.onnx", "--against", "squeezenet-1.1")
    assert said.code == 0, said
    assert "3x48x48, 4 classes, batches of any size" in said.out
    assert said.out.endswith("the file computes what the design does\n")


def test_verify_on_images(dse: Any, design: Path, digits_folder: Path) -> None:
    dse("generate", design, "--int8", "--dataset", digits_folder)
    said = dse(
        "verify", "generated/tiny.int8.onnx", "--against", design, "--dataset", digits_folder
    )
    assert said.code == 0, said
    assert "same class as torch" in said.out
    assert f"validation part of {digits_folder.name}" in said.out


def test_a_file_that_differs_ends_with_1(dse: Any, design: Path) -> None:
    dse("generate", design, "--onnx")
    model = onnx.load("generated/tiny.onnx")
    [node] = [node for node in model.graph.node if node.op_type == "HardSwish"]
    node.op_type = "Relu"
    onnx.save(model, "generated/tiny.onnx")
    said = dse("verify", "generated/tiny.onnx", "--against", design, "--json")
    assert said.code == 1
    assert said.json["holds"] is False


def test_given_weights_are_noted(dse: Any, tmp_path: Path) -> None:
    network = load_preset("squeezenet-1.1", input="3x32x32", classes=3)
    save_weights(randomised(build(network)), tmp_path / "w.safetensors")
    asked = ("squeezenet-1.1", "--classes", 3, "--image-size", 32)
    document = dse("generate", *asked, "--weights", "w.safetensors", "--onnx", "--json").json
    assert notes(document["onnx"])["weights"] == "w.safetensors"


# -- mistakes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--onnx", "--opset", 13), "tiny needs opset 14, which brought HardSwish"),
        (("--onnx", "--opset", 10), "an opset is 11 to 26, got 10"),
        (("--opset", 17), "ask for onnx or int8 too"),
        (("--format", "torchscript", "--opset", 17), "got torchscript"),
        (("--int8",), "int8 needs images"),
        (("--format", "tflite"), "no format is called 'tflite'"),
        (("--onnx", "--dataset", "nowhere"), "nowhere"),
        (("--onnx", "--dataset", "digits", "--classes", 3), "digits has 10 classes, got 3"),
    ],
)
def test_exports_that_cannot_be(
    refused: Any, design: Path, arguments: tuple[Any, ...], words: str
) -> None:
    assert words in refused("generate", design, *arguments)
    assert not Path("generated").exists()


def test_a_data_set_is_of_one_network(refused: Any) -> None:
    assert "every preset" in refused("generate", "--dataset", "digits")


def test_a_file_that_is_not_ours(refused: Any, design: Path) -> None:
    helper = onnx.helper
    value = [helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, ["b", 3]) for n in "xy"]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", value[:1], value[1:])
    onnx.save(helper.make_model(graph, producer_name="somebody"), "theirs.onnx")
    message = refused("verify", "theirs.onnx", "--against", design)
    assert message.startswith("theirs.onnx: names no design of dse")
    assert message.endswith("it was written by somebody")
    Path("text.onnx").write_text("text\n")
    assert refused("verify", "text.onnx", "--against", design).startswith("text.onnx: is damaged")
    assert "cannot be read" in refused("verify", "absent.onnx", "--against", design)
    assert "ends in one of .onnx" in refused("verify", "tiny.json", "--against", design)


def test_a_file_of_another_design(dse: Any, refused: Any, design: Path) -> None:
    dse("generate", design, "--onnx")
    digest = notes("generated/tiny.onnx")["digest"]
    message = refused("verify", "generated/tiny.onnx", "--against", "hl-cnn")
    assert digest in message
    assert message.count("3x16x16, 3 classes") == 2


def test_int8_of_a_search_that_trains_nothing(refused: Any) -> None:
    message = refused(
        "search", "--evaluate", "proxy:snip", "--dataset", "digits", "--int8", "--trials", 1
    )
    assert "--int8 quantises trained weights" in message
