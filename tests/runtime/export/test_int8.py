"""Int8 files: what they hold, and that they still say what float32 does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from torch import nn

from dse.data import Dataset
from dse.errors import InvalidValue, UnknownName
from dse.generate import Generated, generate
from dse.ir import Shape
from dse.network import Network
from dse.runtime.export.examples import CALIBRATION, Examples
from dse.runtime.export.preprocessing import Preprocessing
from dse.runtime.onnx.check import open_session


@pytest.fixture
def made(
    network: Network,
    module: nn.Module,
    prepared: Preprocessing,
    examples: Examples,
    tmp_path: Path,
) -> Generated:
    return generate(
        network,
        tmp_path,
        formats=("int8",),
        module=module,
        preprocessing=prepared,
        examples=examples,
        metadata={"run": "a"},
    )


def model_of(made: Generated) -> tuple[onnx.ModelProto, dict[str, str]]:
    assert made.int8 is not None
    model = onnx.load(made.int8[0])
    return model, {entry.key: entry.value for entry in model.metadata_props}


def test_the_file(made: Generated, network: Network, prepared: Preprocessing) -> None:
    model, notes = model_of(made)
    onnx.checker.check_model(model, full_check=True)
    assert made.int8 is not None
    assert made.int8[0].name == "small_net.int8.onnx"
    assert made.onnx is not None, "float32 lies beside it"
    assert (model.producer_name, model.opset_import[0].version) == ("dse", 17)
    assert notes["digest"] == network.digest
    assert notes["run"] == "a"
    assert Preprocessing.read(notes) == prepared
    assert notes["quantised_from"] == made.onnx.name
    assert json.loads(notes["beside_float32"]) == made.int8[1].document()


def test_weights_are_quantised_channel_by_channel_to_seven_bits(made: Generated) -> None:
    model, _ = model_of(made)
    tensors = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    weights = [v for v in tensors.values() if v.dtype == np.int8 and v.ndim == 4]
    convolutions = sum(node.op_type == "Conv" for node in model.graph.node)
    assert len(weights) == convolutions > 5
    assert all(int(v.min()) >= -64 and int(v.max()) <= 64 for v in weights)
    scales = tensors["stem.conv.weight_scale"]
    assert scales.shape == (8,)
    assert len(set(scales.tolist())) == 8
    assert not any(node.op_type == "BatchNormalization" for node in model.graph.node)


def test_it_agrees_with_float32(made: Generated, examples: Examples, module: nn.Module) -> None:
    assert made.int8 is not None
    path, beside = made.int8
    assert made.onnx is not None
    both = [
        open_session(str(file)).run(None, {"image": examples.images})[0]
        for file in (path, made.onnx)
    ]
    spread = np.abs(both[1]).max()
    assert 0 < np.abs(both[0] - both[1]).max() < 0.1 * spread
    ours, theirs = (scores.argmax(axis=1) for scores in both)
    assert beside.agreement == (ours == theirs).mean() > 0.8
    assert beside.accuracy == pytest.approx((ours == examples.labels).mean())
    assert beside.float32_accuracy == pytest.approx((theirs == examples.labels).mean())
    assert beside.images == len(examples.labels)
    assert beside.float32_bytes == made.onnx.stat().st_size
    assert beside.ms > 0 < beside.float32_ms


def test_sentences_say_which_is_faster(made: Generated) -> None:
    from dataclasses import replace

    assert made.int8 is not None
    beside = made.int8[1]
    assert str(replace(beside, ms=1.0, float32_ms=2.0)).endswith(", 2.00 times as fast")
    assert str(replace(beside, ms=3.0, float32_ms=2.0)).endswith(", 1.50 times as slow")


def test_calibration_images_are_of_the_training_part(
    data: Dataset, network: Network, prepared: Preprocessing
) -> None:
    split = data.splits()
    found = Examples.of(data, split, network, prepared)
    again = Examples.of(data, split, network, prepared)
    assert np.array_equal(found.calibration, again.calibration)
    assert len(found.calibration) == min(CALIBRATION, len(split.train))
    training = {image.tobytes() for image in prepared.apply(data, split.train, network)}
    assert {image.tobytes() for image in found.calibration} <= training
    assert np.array_equal(found.images, prepared.apply(data, split.val, network))


@pytest.mark.parametrize("opset", [13, 21])
def test_other_opsets(
    opset: int, network: Network, module: nn.Module, examples: Examples, tmp_path: Path
) -> None:
    made = generate(
        network, tmp_path, formats=("int8",), opset=opset, module=module, examples=examples
    )
    model, _ = model_of(made)
    assert model.opset_import[0].version == opset
    assert made.int8 is not None
    assert made.int8[1].agreement > 0.8


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"formats": ("int8",)}, InvalidValue, "give a data set"),
        ({"formats": ("int",)}, UnknownName, "no format is called 'int'; did you mean 'int8'"),
        ({"formats": ("onnx",), "opset": 10}, InvalidValue, "an opset is 11 to 26, got 10"),
        ({"formats": ("torchscript",), "opset": 17}, InvalidValue, "ask for onnx or int8"),
        ({"opset": 17}, InvalidValue, "ask for onnx or int8"),
    ],
)
def test_what_is_refused_leaves_nothing(
    arguments: dict[str, Any],
    error: type[Exception],
    words: str,
    network: Network,
    tmp_path: Path,
) -> None:
    with pytest.raises(error, match=words):
        generate(network, tmp_path / "out", **arguments)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"classes": ("red", "green")}, "know the classes red, green, the data set colours has"),
        ({"grayscale": True}, "for gray images, those of colours are RGB"),
    ],
)
def test_images_of_another_kind(
    change: dict[str, Any],
    words: str,
    data: Dataset,
    network: Network,
    prepared: Preprocessing,
) -> None:
    from dataclasses import replace

    with pytest.raises(InvalidValue, match=words):
        Examples.of(data, data.splits(), network, replace(prepared, **change))


def test_images_of_another_size(data: Dataset, network: Network, prepared: Preprocessing) -> None:
    wide = network.resized(input=Shape((3, 16, 32)))
    with pytest.raises(InvalidValue, match="of colours are 16x16, small-net takes 3x16x32"):
        Examples.of(data, data.splits(), wide, prepared)
