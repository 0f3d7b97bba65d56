"""Reading back what dse wrote: what a file says of itself, and the weights in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dse.errors import DataError, InvalidValue
from dse.runtime.onnx.graph import CONSTANT, Array


@dataclass(frozen=True, eq=False)
class OnnxFile:
    """An ONNX file of ours.

    Attributes:
        metadata: see `to_onnx` and `Preprocessing.metadata`.
        opset: version of the operators.
        weights: the tensors by their names in the state dict; of a quantised file, which has others
            in their place, None.
    """

    metadata: Mapping[str, str]
    opset: int
    weights: Mapping[str, Array] | None


def read_onnx(content: bytes) -> OnnxFile:
    """What is in a file that dse wrote.

    Raises:
        DataError: it is damaged, or not ONNX.
        InvalidValue: it is, but not of ours.
    """
    import onnx
    from google.protobuf.message import DecodeError
    from onnx import numpy_helper

    try:
        model = onnx.load_from_string(content)
        onnx.checker.check_model(model)
    except (DecodeError, onnx.checker.ValidationError):
        raise DataError("is damaged or no ONNX file") from None
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    if model.producer_name != "dse" or "digest" not in metadata:
        maker = model.producer_name or "an unknown program"
        raise InvalidValue(f"names no design of dse to hold it against; it was written by {maker}")
    weights = {
        tensor.name: numpy_helper.to_array(tensor)
        for tensor in model.graph.initializer
        if not tensor.name.startswith(CONSTANT)
    }
    quantised = any(node.op_type == "QuantizeLinear" for node in model.graph.node)
    return OnnxFile(metadata, model.opset_import[0].version, None if quantised else weights)
