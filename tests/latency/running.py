"""What ONNX Runtime really runs on this machine, told in the words of our kernels."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

from dse.devices.observe import Signature, expected, probe, seen_layout, signature
from dse.devices.weights import constant_weights
from dse.ir import Scope
from dse.latency.kernel import CONVOLUTIONS, Kernel
from dse.latency.layout import Layout
from dse.runtime.onnx import program_to_onnx

Call = tuple[Signature, str, tuple[int, ...], bool]
"""How a call looks in a profile, its activation, its strides, and whether it is a blocked one."""

_FUSED = {
    "": "none",
    "Clip": "relu6",
    "HardSigmoid": "hard_sigmoid",
    "HardSwish": "hard_swish",
    "LeakyRelu": "leaky_relu",
    "Relu": "relu",
    "Sigmoid": "sigmoid",
}

_WINDOWED = (*CONVOLUTIONS, "max_pool", "average_pool")
_WITH_BLOCKED_FORM = (
    *_WINDOWED,
    "global_average_pool",
    "global_max_pool",
    "reorder_input",
    "reorder_output",
)
"""Kinds that are other operators in blocks of channels; the rest are the same on other data."""


def run(program: Scope) -> tuple[list[dict[str, Any]], dict[str, onnx.NodeProto]]:
    """The events of one run, and the nodes of the optimised graph by their names."""
    rng = np.random.default_rng(0)  # equal branches with equal weights would be run once
    weights = {
        name: np.asarray(value * rng.uniform(0.5, 1.5, value.shape), np.float32)
        for name, value in constant_weights(program).items()
    }
    model = program_to_onnx(program, weights).SerializeToString()
    with tempfile.TemporaryDirectory() as folder:
        optimised = Path(folder) / "optimised.onnx"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        options.optimized_model_filepath = str(optimised)
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        image = np.zeros((1, *program.inputs[0].shape), np.float32)
        session.run(None, {session.get_inputs()[0].name: image})
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
        graph = onnx.load(optimised).graph
    nodes = [e for e in events if e["name"].endswith("_kernel_time")]
    return nodes, {node.name: node for node in graph.node}


@cache
def layout_here() -> Layout:
    """The layout of this machine, as a profile would find it out."""
    return seen_layout(run(probe())[0])


def really_run(program: Scope) -> Counter[Call]:
    """The calls that ONNX Runtime makes, free ones apart."""
    events, nodes = run(program)
    calls: Counter[Call] = Counter()
    for event in events:
        looks = signature(event)
        if looks is None:
            continue
        # What is written out when the session starts is not in the file: it has no attributes.
        node = nodes.get(event["name"].removesuffix("_kernel_time"), onnx.NodeProto())
        settings = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        activation = _FUSED[settings.get("activation", b"").decode()]
        strides = tuple(settings.get("strides", (1, 1)))
        calls[looks, activation, strides, "nchwc" in node.domain] += 1
    return calls


def told(kernels: Iterable[Kernel]) -> Counter[Call]:
    """The calls that kernels stand for."""
    layout = layout_here()
    return Counter(
        (
            expected(kernel, layout),
            kernel.activation,
            kernel.strides if kernel.kind in _WINDOWED else (1, 1),
            kernel.blocked and kernel.kind in _WITH_BLOCKED_FORM,
        )
        for kernel in kernels
    )
