"""What holding a file against a design finds."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from dse.data import Dataset
from dse.errors import InvalidValue
from dse.generate import Generated, generate
from dse.network import Network
from dse.runtime.export.examples import Examples
from dse.runtime.export.preprocessing import Preprocessing
from dse.runtime.export.verify import TOLERANCE, verify
from dse.runtime.onnx import to_onnx
from dse.runtime.weights import save_weights


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
        formats=("int8", "torchscript"),
        module=module,
        preprocessing=prepared,
        examples=examples,
    )


def test_each_file_holds(made: Generated, network: Network, data: Dataset) -> None:
    assert made.onnx is not None
    found = verify(made.onnx, network, data=data)
    assert found.holds
    assert (found.format, found.opset, found.batch) == ("onnx", 17, None)
    assert (found.digest, found.input, found.classes) == (network.digest, "3x16x16", 3)
    assert found.weights == "the file's own"
    assert 0 <= found.max_rel_error < 1e-5
    assert found.tried is not None
    assert (found.tried.agreement, found.tried.dataset) == (1, "colours")
    assert found.tried.accuracy == found.tried.torch_accuracy
    assert found.document() == {**asdict(found), "holds": True}
    [script] = made.exports
    assert verify(script.path, network).holds


def test_int8_is_held_against_the_file_beside_it(
    made: Generated, network: Network, data: Dataset
) -> None:
    assert made.int8 is not None
    assert made.onnx is not None
    path, beside = made.int8
    found = verify(path, network, data=data)
    assert found.holds
    assert found.weights == str(made.onnx)
    assert found.max_rel_error > TOLERANCE, "int8 is not float32"
    assert found.tried is not None
    assert found.tried.agreement == beside.agreement
    assert found.tried.accuracy == pytest.approx(beside.accuracy)
    assert found.tried.torch_accuracy == pytest.approx(beside.float32_accuracy)


def test_int8_alone_needs_weights(
    made: Generated, network: Network, module: nn.Module, tmp_path: Path
) -> None:
    assert made.int8 is not None
    assert made.onnx is not None
    made.onnx.unlink()
    with pytest.raises(InvalidValue, match=r"give --weights, or have small_net[.]onnx beside it"):
        verify(made.int8[0], network)
    save_weights(module, tmp_path / "w.safetensors")
    found = verify(made.int8[0], network, weights=tmp_path / "w.safetensors")
    assert found.weights == str(tmp_path / "w.safetensors")


def test_a_file_of_another_design_says_both_digests(made: Generated, network: Network) -> None:
    assert made.onnx is not None
    wider = network.resized(classes=4)
    with pytest.raises(InvalidValue) as caught:
        verify(made.onnx, wider)
    assert network.digest in str(caught.value)
    assert wider.digest in str(caught.value)


def test_a_graph_that_was_changed(made: Generated, network: Network) -> None:
    assert made.onnx is not None
    model = onnx.load(made.onnx)
    last = [node for node in model.graph.node if node.op_type == "Relu"][-1]
    last.op_type = "Sigmoid"
    onnx.save(model, made.onnx)
    found = verify(made.onnx, network)
    assert not found.holds
    assert found.max_rel_error > 0.01


def test_scores_that_are_not_numbers(network: Network, module: nn.Module, tmp_path: Path) -> None:
    with torch.no_grad():
        module.get_parameter("logits.bias")[1] = float("nan")
    (tmp_path / "nan.onnx").write_bytes(to_onnx(network, module.state_dict()).SerializeToString())
    assert not verify(tmp_path / "nan.onnx", network).holds


def test_other_weights_than_the_file_has(
    made: Generated, network: Network, module: nn.Module, tmp_path: Path
) -> None:
    assert made.onnx is not None
    save_weights(module, tmp_path / "same.safetensors")
    assert verify(made.onnx, network, weights=tmp_path / "same.safetensors").holds
    with torch.no_grad():
        module.get_parameter("logits.bias")[1] += 0.5
    save_weights(module, tmp_path / "other.safetensors")
    assert not verify(made.onnx, network, weights=tmp_path / "other.safetensors").holds


@pytest.mark.parametrize("change", ["shape", "missing"])
def test_weights_that_are_not_the_designs(change: str, made: Generated, network: Network) -> None:
    assert made.onnx is not None
    model = onnx.load(made.onnx)
    [bias] = [t for t in model.graph.initializer if t.name == "logits.bias"]
    if change == "missing":
        bias.name = "bias"
        for node in model.graph.node:
            node.input[:] = ["bias" if i == "logits.bias" else i for i in node.input]
    else:
        bias.CopyFrom(onnx.numpy_helper.from_array(np.zeros((1, 3), np.float32), bias.name))
    onnx.save(model, made.onnx)
    words = "its weights are not (those|of the shapes) of small-net"
    with pytest.raises(InvalidValue, match=words):
        verify(made.onnx, network)


def test_fixed_batches_are_no_ones_of_ours(made: Generated, network: Network) -> None:
    assert made.onnx is not None
    model = onnx.load(made.onnx)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 1
    onnx.save(model, made.onnx)
    with pytest.raises(InvalidValue, match="cannot take 3 images"):
        verify(made.onnx, network)


def test_images_need_a_known_normalisation(
    network: Network, module: nn.Module, data: Dataset, tmp_path: Path
) -> None:
    made = generate(network, tmp_path, formats=("onnx",), module=module)
    assert made.onnx is not None
    with pytest.raises(InvalidValue, match="does not say how its images were normalised"):
        verify(made.onnx, network, data=data)
