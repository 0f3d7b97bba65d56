"""Batch normalisations made part of the convolutions before them, as runtimes do on loading."""

from __future__ import annotations

from collections import Counter

import numpy as np

from dse.runtime.onnx.graph import CONSTANT, Graph, Node


def fold_norms(graph: Graph, result: str) -> None:
    """Fold, in place, every batch normalisation that alone reads a convolution.

    Its scale multiplies the convolution's weights, which keep their name; what it adds becomes the
    convolution's bias, under the name of its own. `result` is the value that the graph computes.
    """
    readers = Counter([result, *(source for node in graph.nodes for source in node.inputs)])
    makers = {node.output: node for node in graph.nodes if node.kind == "Conv"}
    kept: list[Node] = []
    for node in graph.nodes:
        conv = makers.get(node.inputs[0]) if node.kind == "BatchNormalization" else None
        if conv is None or readers[conv.output] > 1 or _is_shared(conv):
            kept.append(node)
            continue
        _fold(graph, conv, node)
        graph.shapes.pop(conv.output, None)
        conv.output = node.output  # what read the normalisation reads the convolution
    graph.nodes = kept
    used = {source for node in kept for source in node.inputs}
    graph.initializers = {key: graph.initializers[key] for key in graph.initializers if key in used}


def _is_shared(conv: Node) -> bool:
    """A blur's kernel is a constant that other blurs may read."""
    return conv.inputs[1].startswith(CONSTANT)


def _fold(graph: Graph, conv: Node, norm: Node) -> None:
    scale, shift, mean, variance = (graph.initializers[name] for name in norm.inputs[1:])
    epsilon = norm.attributes["epsilon"]
    assert isinstance(epsilon, float)
    factor = scale / np.sqrt(variance + np.float32(epsilon))
    weight, *bias = conv.inputs[1:]
    before = graph.initializers[bias[0]] if bias else np.zeros_like(mean)
    graph.initializers[weight] = graph.initializers[weight] * factor[:, None, None, None]
    graph.initializers[norm.inputs[2]] = (before - mean) * factor + shift
    conv.inputs = [conv.inputs[0], weight, norm.inputs[2]]
