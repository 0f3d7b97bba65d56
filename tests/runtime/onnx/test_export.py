"""What the ONNX file says, what is refused, and what the check notices."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from dse.errors import InvalidDesign, InvalidValue
from dse.network import Network, read_network
from dse.runtime.load import build
from dse.runtime.onnx import check_onnx, export_onnx, to_onnx

DOCUMENT: dict[str, Any] = {
    "name": "tiny-net",
    "about": "A net for tests.",
    "input": "3x12x12",
    "classes": 4,
    "nodes": [
        {"name": "stem", "conv": {"channels": 8}},
        {"name": "image", "fire": {"squeeze": 2, "expand1x1": 4, "expand3x3": 4}},
        {"name": "other", "conv": {"channels": 8, "norm": False}, "inputs": ["image"]},
        {"name": "join", "fusion": {}, "inputs": ["image", "other"]},
        {"name": "stage.0", "residual": {"channels": 8}},
        {"name": "stage.1", "blur_pool": {}},
        {"name": "pool", "global_pool": {}},
        {"name": "logits", "classifier": {"dropout": 0.3}},
    ],
}


@pytest.fixture(scope="module")
def network() -> Network:
    return read_network(DOCUMENT)


@pytest.fixture
def module(network: Network, randomised: Any) -> nn.Module:
    made: nn.Module = randomised(build(network))
    return made


@pytest.fixture
def state(module: nn.Module) -> dict[str, torch.Tensor]:
    return dict(module.state_dict())


# -- what the file says ----------------------------------------------------------------------------


def test_input_and_output(network: Network, state: Any) -> None:
    graph = to_onnx(network, state).graph
    described = [
        (value.name, [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim])
        for value in (*graph.input, *graph.output)
    ]
    assert described == [("image", ["batch", 3, 12, 12]), ("logits", ["batch", 4])]


def test_nodes_and_weights_are_named_by_their_paths(network: Network, state: Any) -> None:
    graph = to_onnx(network, state).graph
    names = [node.name for node in graph.node]
    assert len(set(names)) == len(names)
    assert names[:3] == ["/stem/conv", "/stem/bn", "/stem/relu"]
    assert names[3:10] == [
        "/image/squeeze",
        "/image/relu",
        "/image/expand1x1",
        "/image/relu_1",
        "/image/expand3x3",
        "/image/relu_2",
        "/image/cat",
    ]
    assert names[-1] == "/logits"
    weights = {tensor.name for tensor in graph.initializer if "constant/" not in tensor.name}
    assert weights == {name for name in state if "num_batches" not in name}
    assert all(tensor.HasField("raw_data") for tensor in graph.initializer)


def test_values_carry_their_shapes(network: Network, state: Any) -> None:
    shapes = {
        value.name: [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
        for value in to_onnx(network, state).graph.value_info
    }
    assert shapes["/image/squeeze"] == ["batch", 2, 12, 12]
    assert shapes["/stage/1"] == ["batch", 8, 6, 6]


def test_a_false_shape_does_not_pass_the_check(network: Network, module: nn.Module) -> None:
    model = to_onnx(network, module.state_dict())
    model.graph.value_info[0].type.tensor_type.shape.dim[1].dim_value += 1
    with pytest.raises(onnx.shape_inference.InferenceError):
        check_onnx(model.SerializeToString(), module, network)


def test_what_is_noted(network: Network, state: Any) -> None:
    model = to_onnx(network, state, metadata={"dataset": "digits"})
    notes = {entry.key: entry.value for entry in model.metadata_props}
    assert notes.pop("dse_version") == model.producer_version != ""
    assert notes == {
        "digest": network.digest,
        "classes": "4",
        "input": "3x12x12",
        "dataset": "digits",
    }
    assert (model.producer_name, model.graph.name) == ("dse", "tiny-net")
    assert model.doc_string == "A net for tests."
    # What ONNX Runtime 1.12 of 2022 still reads.
    assert (model.ir_version, model.opset_import[0].version) == (8, 17)


def test_equal_weights_give_equal_bytes(network: Network, state: Any) -> None:
    backwards = dict(reversed(state.items()))
    first, second = (to_onnx(network, s).SerializeToString() for s in (state, backwards))
    assert first == second


def test_another_process_gives_the_same_bytes_and_onnx_is_imported_late(tmp_path: Path) -> None:
    (tmp_path / "design.json").write_text(read_network(DOCUMENT).to_json())
    program = """if True:
        import hashlib, sys
        from pathlib import Path
        import dse.runtime.onnx
        assert not {"onnx", "onnxruntime", "torch"} & sys.modules.keys()
        import numpy as np
        from dse.network import parse_network
        network = parse_network(Path(sys.argv[1]).read_text(), "design")
        shapes = eval(sys.argv[2])
        state = {name: np.full(shape, 0.5, np.float32) for name, shape in shapes.items()}
        model = dse.runtime.onnx.to_onnx(network, state)
        assert not {"onnxruntime", "torch"} & sys.modules.keys()
        print(hashlib.sha256(model.SerializeToString()).hexdigest())
    """
    shapes = {n: tuple(t.shape) for n, t in build(read_network(DOCUMENT)).state_dict().items()}
    command = [sys.executable, "-c", program, str(tmp_path / "design.json"), repr(shapes)]
    digests = [
        subprocess.run(
            command, env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    ]
    assert len(digests[0]) == 65
    assert digests[0] == digests[1]


def test_weights_may_be_arrays_of_any_precision(network: Network, state: Any) -> None:
    expected = to_onnx(network, {n: t.bfloat16().float() for n, t in state.items()})
    narrow = to_onnx(network, {n: t.bfloat16() for n, t in state.items()})
    wide = to_onnx(network, {n: t.bfloat16().double().numpy() for n, t in state.items()})
    assert narrow.SerializeToString() == wide.SerializeToString() == expected.SerializeToString()


def test_weights_need_not_lie_in_order(network: Network, module: nn.Module) -> None:
    expected = to_onnx(network, module.state_dict()).SerializeToString()
    strided = module.to(memory_format=torch.channels_last).state_dict()
    assert not strided["stem.conv.weight"].is_contiguous()
    assert to_onnx(network, strided).SerializeToString() == expected


# -- what is refused -------------------------------------------------------------------------------


def test_a_missing_tensor(network: Network, state: Any) -> None:
    del state["stage.0.bn2.running_var"]
    with pytest.raises(InvalidDesign, match=r"'stage\.0\.bn2\.running_var' of shape 8$"):
        to_onnx(network, state)


def test_a_tensor_of_another_shape(network: Network, state: Any) -> None:
    state["image.squeeze.weight"] = torch.zeros(2, 8, 3, 3)
    message = r"'image\.squeeze\.weight' must have shape 2x8x1x1, got 2x8x3x3"
    with pytest.raises(InvalidDesign, match=message):
        to_onnx(network, state)


def test_a_scalar_of_another_shape(network: Network, state: Any) -> None:
    state["join.alpha"] = np.zeros(1, np.float32)
    with pytest.raises(InvalidDesign, match=r"'join\.alpha' must have shape scalar, got 1$"):
        to_onnx(network, state)


def test_a_tensor_that_the_network_does_not_have(network: Network, state: Any) -> None:
    state["stem.conv.bias"] = torch.zeros(8)
    with pytest.raises(InvalidDesign, match=r"no tensor 'stem\.conv\.bias', got one of shape 8"):
        to_onnx(network, state)


def test_metadata_that_contradicts(network: Network, state: Any) -> None:
    with pytest.raises(InvalidValue, match=r"dse_version, digest.*got 'digest'"):
        to_onnx(network, state, metadata={"digest": "0"})


# -- files -----------------------------------------------------------------------------------------


def test_export_writes_the_model_and_measures_it(
    network: Network, module: nn.Module, tmp_path: Path
) -> None:
    path = tmp_path / "new" / "tiny.onnx"
    check = export_onnx(network, module.train(), path, metadata={"run": "a"})
    model = to_onnx(network, module.state_dict(), metadata={"run": "a"})
    assert path.read_bytes() == model.SerializeToString()
    assert list(path.parent.iterdir()) == [path]
    assert (check.bytes, check.nodes) == (path.stat().st_size, len(model.graph.node))
    assert check.opset == 17
    assert 0 <= check.max_rel_error < 1e-5
    assert module.training, "the module is left as it was"


def test_a_failed_export_leaves_the_file_as_it_was(
    network: Network, module: nn.Module, tmp_path: Path
) -> None:
    def fail(*_: Any) -> None:
        raise ArithmeticError

    path = tmp_path / "tiny.onnx"
    path.write_bytes(b"before")
    module.register_forward_pre_hook(fail)
    with pytest.raises(ArithmeticError):
        export_onnx(network, module, path)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("place", ["file/tiny.onnx", "folder"])
def test_a_place_that_cannot_be_written(
    place: str, network: Network, module: nn.Module, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(InvalidValue, match=f"{place} cannot be written: "):
        export_onnx(network, module, tmp_path / place)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


# -- what the check notices ------------------------------------------------------------------------


def test_a_weight_that_changed(network: Network, module: nn.Module) -> None:
    model = to_onnx(network, module.state_dict()).SerializeToString()
    with torch.no_grad():
        module.get_parameter("logits.bias")[1] += 0.5
    check = check_onnx(model, module, network)
    assert check.max_abs_error == pytest.approx(0.5, abs=1e-4)
    with torch.no_grad():
        largest = module(
            torch.from_numpy(np.random.default_rng(0).standard_normal((2, 3, 12, 12), np.float32))
        ).abs()
    assert check.max_rel_error == pytest.approx(0.5 / float(largest.max()), rel=1e-3)


def test_scores_that_are_not_numbers(network: Network, module: nn.Module) -> None:
    with torch.no_grad():
        module.get_parameter("logits.bias")[1] = float("nan")
    model = to_onnx(network, module.state_dict()).SerializeToString()
    assert np.isnan(check_onnx(model, module, network).max_abs_error)


def test_a_file_of_another_network(network: Network, module: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "tiny.onnx"
    path.write_bytes(to_onnx(network, module.state_dict()).SerializeToString())
    assert check_onnx(str(path), module, network) == check_onnx(path, module, network)
    wider = network.replaced(classes=5)
    with pytest.raises(InvalidDesign, match=r"\[3, 12, 12\] -> \[5\].* got \[3, 12, 12\] -> \[4\]"):
        check_onnx(path, module, wider)
