"""Writes a finished graph down as an ONNX model. Imports `onnx`, and so is imported late itself."""

from __future__ import annotations

from collections.abc import Mapping

import onnx
from onnx import TensorProto, helper

from dse.ir import Shape
from dse.runtime.onnx.graph import Array, Graph, Node

INPUT, OUTPUT, BATCH = "image", "logits", "batch"


def write_model(
    graph: Graph,
    name: str,
    about: str,
    image: Shape,
    logits: Shape,
    version: str,
    metadata: Mapping[str, str],
) -> onnx.ModelProto:
    """The model; equal arguments give equal bytes."""
    opset = helper.make_opsetid("", graph.opset)
    made = helper.make_graph(
        [_node(node) for node in graph.nodes],
        name,
        [_value(INPUT, image)],
        [_value(OUTPUT, logits)],
        value_info=[
            _value(key, shape) for key, shape in graph.shapes.items() if key not in (INPUT, OUTPUT)
        ],
    )
    model: onnx.ModelProto = helper.make_model(
        made,
        producer_name="dse",
        producer_version=version,
        doc_string=about,
        opset_imports=[opset],
        # The file format that came with the opset: `onnx` would write its own newest, which older
        # runtimes refuse.
        ir_version=helper.find_min_ir_version_for([opset]),
    )
    helper.set_model_props(model, dict(metadata))
    # Added last and in place: every list given to a helper is copied, weights and all.
    for key, values in graph.initializers.items():
        _fill(model.graph.initializer.add(), key, values)
    return model


def _node(node: Node) -> onnx.NodeProto:
    made: onnx.NodeProto = helper.make_node(node.kind, node.inputs, [node.output], name=node.name)
    made.attribute.extend(helper.make_attribute(*item) for item in node.attributes.items())
    return made


def _value(name: str, shape: Shape) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, [BATCH, *shape])


def _fill(tensor: onnx.TensorProto, name: str, values: Array) -> None:
    tensor.name = name
    tensor.dims.extend(values.shape)
    tensor.data_type = helper.np_dtype_to_tensor_dtype(values.dtype)
    tensor.raw_data = values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
