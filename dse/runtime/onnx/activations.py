"""Activations and gates."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dse.ir import ops
from dse.runtime.onnx.graph import Graph
from dse.runtime.onnx.table import Place, writes

_TORCH_SLOPE = 0.01
"""The slope of torch's leaky_relu where the op leaves it open."""


def _relu6(graph: Graph, x: str, name: str) -> str:
    low = graph.constant("relu6/min", np.array(0, np.float32))
    high = graph.constant("relu6/max", np.array(6, np.float32))
    return graph.node("Clip", name, x, low, high)


def _silu(graph: Graph, x: str, name: str) -> str:
    return graph.node("Mul", name, x, graph.node("Sigmoid", f"{name}/sigmoid", x))


def _hard_sigmoid(graph: Graph, x: str, name: str) -> str:
    return graph.node("HardSigmoid", name, x, alpha=1 / 6, beta=0.5)


_FUNCTIONS: dict[str, Callable[[Graph, str, str], str]] = {
    "relu": lambda graph, x, name: graph.node("Relu", name, x),
    "relu6": _relu6,
    "hard_swish": lambda graph, x, name: graph.node("HardSwish", name, x),
    "silu": _silu,
    "sigmoid": lambda graph, x, name: graph.node("Sigmoid", name, x),
    "hard_sigmoid": _hard_sigmoid,
}


@writes(ops.Act)
def act(graph: Graph, op: ops.Act, at: Place) -> str:
    name = f"{at.name}/{op.function}"
    if op.function == "leaky_relu":
        slope = _TORCH_SLOPE if op.slope is None else op.slope
        return graph.node("LeakyRelu", name, at.x, alpha=slope)
    return _FUNCTIONS[op.function](graph, at.x, name)
