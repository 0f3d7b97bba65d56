"""Chosen opsets: each that is offered computes the same, and what is too low is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from dse.errors import InvalidValue
from dse.network import Network, read_network
from dse.runtime.load import build
from dse.runtime.onnx import OPSET, check_onnx, check_opset, to_onnx
from dse.runtime.onnx.check import open_session
from dse.runtime.onnx.opset import HIGHEST, LOWEST

SWISH = {"name": "swish", "conv": {"channels": 4, "activation": "hard_swish"}}


def network(*nodes: dict[str, Any]) -> Network:
    """Every op that has another form in another opset, and those around it."""
    return read_network(
        {
            "name": "forms",
            "input": "3x11x11",
            "classes": 4,
            "nodes": [
                {"name": "stem", "conv": {"channels": 8, "activation": "relu6"}},
                {"name": "blur", "blur_pool": {}},
                {"name": "local", "depthwise": {"channels": 8}},
                *nodes,
                {"name": "pyramid", "adaptive_pyramid": {"levels": [1, 2, 4]}},
                {"name": "logits", "classifier": {}},
            ],
        }
    )


@pytest.mark.parametrize("opset", range(LOWEST, HIGHEST + 1))
def test_each_opset_computes_what_torch_does(opset: int, randomised: Any) -> None:
    nodes = [SWISH] if opset >= 14 else []
    design = network(*nodes)
    module = randomised(build(design))
    model = to_onnx(design, module.state_dict(), opset=opset)
    kinds = {node.op_type for node in model.graph.node}
    assert {"Clip", "Pad", "ReduceMax", "Gemm"} <= kinds
    check = check_onnx(model.SerializeToString(), module, design)
    assert check.opset == opset
    assert check.max_rel_error < 1e-5


def test_the_format_is_as_old_as_the_opset(randomised: Any) -> None:
    design = network()
    state = randomised(build(design)).state_dict()
    versions = [to_onnx(design, state, opset=opset).ir_version for opset in (11, 13, OPSET, 21)]
    assert versions == [6, 7, 8, 10]


def test_an_op_that_came_later_is_named() -> None:
    design = network(SWISH)
    message = r"forms needs opset 14, which brought HardSwish \(/swish/hard_swish\); got opset 13"
    with pytest.raises(InvalidValue, match=message):
        to_onnx(design, build(design).state_dict(), opset=13)


@pytest.mark.parametrize("opset", [LOWEST - 1, HIGHEST + 1])
def test_an_opset_outside_the_range(opset: int) -> None:
    with pytest.raises(InvalidValue, match=f"an opset is {LOWEST} to {HIGHEST}, got {opset}"):
        check_opset(opset)


def test_int8_needs_a_later_one() -> None:
    check_opset(12)
    with pytest.raises(InvalidValue, match=r"int8 needs opset 13, .*; got opset 12"):
        check_opset(12, quantised=True)


def test_folded_normalisations_compute_the_same(randomised: Any, error: Any) -> None:
    nodes = [
        {"name": "res", "residual": {"channels": 8}},
        {"name": "dense", "dense_layer": {"growth": 4}},
    ]
    design = network(*nodes)
    module = randomised(build(design))
    plain = to_onnx(design, module.state_dict())
    folded = to_onnx(design, module.state_dict(), folded=True)
    images = np.random.default_rng(1).standard_normal((3, 3, 11, 11), np.float32)
    [ours] = open_session(folded.SerializeToString()).run(None, {"image": images})
    with torch.no_grad():
        assert error(ours, module(torch.from_numpy(images))) < 1e-5
    left = [node.name for node in folded.graph.node if node.op_type == "BatchNormalization"]
    assert len(left) < sum(node.op_type == "BatchNormalization" for node in plain.graph.node)
    # In a dense block a normalisation reads what others read too: it stays as it is.
    assert left
    assert all("dense" in name for name in left)
    assert {t.name for t in folded.graph.initializer} < {t.name for t in plain.graph.initializer}
