"""Ops with weights, and those that join or reshape values."""

from __future__ import annotations

import numpy as np

from dse.ir import ops
from dse.runtime.onnx.graph import Graph
from dse.runtime.onnx.table import Place, writes

_EPSILON = 1e-5
"""Torch's default, which emitted code leaves as it is."""


@writes(ops.Conv)
def conv(graph: Graph, op: ops.Conv, at: Place) -> str:
    size = int(op.kernel)
    channels = at.shapes[0].channels // op.groups
    weights = [graph.weight(f"{at.path}.weight", op.channels, channels, size, size)]
    if op.bias:
        weights.append(graph.weight(f"{at.path}.bias", op.channels))
    return graph.node(
        "Conv",
        at.name,
        at.x,
        *weights,
        kernel_shape=[size, size],
        strides=[op.stride, op.stride],
        pads=[op.padding] * 4,
        group=op.groups,
    )


@writes(ops.BatchNorm)
def batch_norm(graph: Graph, op: ops.BatchNorm, at: Place) -> str:
    # Not folded into the convolution before it: runtimes do that when they load the file, and the
    # file keeps the tensors of the state dict, one for one.
    channels = at.shapes[0].channels
    tensors = ("weight", "bias", "running_mean", "running_var")
    weights = [graph.weight(f"{at.path}.{tensor}", channels) for tensor in tensors]
    return graph.node("BatchNormalization", at.name, at.x, *weights, epsilon=_EPSILON)


@writes(ops.LocalResponseNorm)
def local_response_norm(graph: Graph, op: ops.LocalResponseNorm, at: Place) -> str:
    settings = {"alpha": 1e-4, "beta": 0.75, "bias": 1.0}
    return graph.node("LRN", f"{at.name}/lrn", at.x, size=op.size, **settings)


@writes(ops.ChannelShuffle)
def channel_shuffle(graph: Graph, op: ops.ChannelShuffle, at: Place) -> str:
    channels, height, width = at.shapes[0]
    grouped = np.array([0, op.groups, channels // op.groups, height * width], np.int64)
    whole = np.array([0, channels, height, width], np.int64)
    y = at.x
    y = graph.node("Reshape", f"{at.name}/groups", y, graph.constant(_sizes(grouped), grouped))
    y = graph.node("Transpose", f"{at.name}/shuffle", y, perm=[0, 2, 1, 3])
    return graph.node("Reshape", f"{at.name}/joined", y, graph.constant(_sizes(whole), whole))


def _sizes(shape: np.ndarray) -> str:
    return f"sizes/{'x'.join(map(str, shape[1:]))}"


@writes(ops.ChannelConv)
def channel_conv(graph: Graph, op: ops.ChannelConv, at: Place) -> str:
    weight = graph.weight(f"{at.path}.weight", 1, 1, op.kernel, 1)
    across = graph.node("Transpose", f"{at.name}/channels_to_rows", at.x, perm=[0, 2, 1, 3])
    border = op.kernel // 2
    y = graph.node(
        "Conv",
        at.name,
        across,
        weight,
        kernel_shape=[op.kernel, 1],
        pads=[border, 0, border, 0],
    )
    return graph.node("Transpose", f"{at.name}/rows_to_channels", y, perm=[0, 2, 1, 3])


@writes(ops.Linear)
def linear(graph: Graph, op: ops.Linear, at: Place) -> str:
    weights = [graph.weight(f"{at.path}.weight", op.features, at.shapes[0].channels)]
    if op.bias:
        weights.append(graph.weight(f"{at.path}.bias", op.features))
    return graph.node("Gemm", at.name, at.x, *weights, transB=1)


@writes(ops.Parameter)
def parameter(graph: Graph, op: ops.Parameter, at: Place) -> str:
    return graph.weight(at.path)


@writes(ops.Dropout)
def dropout(graph: Graph, op: ops.Dropout, at: Place) -> str:
    return at.x


@writes(ops.Flatten)
def flatten(graph: Graph, op: ops.Flatten, at: Place) -> str:
    return graph.node("Flatten", f"{at.name}/flatten", at.x, axis=1)


@writes(ops.Add)
def add(graph: Graph, op: ops.Add, at: Place) -> str:
    return graph.node("Add", f"{at.name}/add", *at.inputs)


@writes(ops.Mul)
def mul(graph: Graph, op: ops.Mul, at: Place) -> str:
    return graph.node("Mul", f"{at.name}/mul", *at.inputs)


@writes(ops.Cat)
def cat(graph: Graph, op: ops.Cat, at: Place) -> str:
    return graph.node("Concat", f"{at.name}/cat", *at.inputs, axis=1)
