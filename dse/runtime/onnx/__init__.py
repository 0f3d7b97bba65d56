"""A network as an ONNX file: one more backend over the lowered program, and the check that it
computes the same.

The graph is written op by op from the program, with the weights of the module's state dict; torch's
exporter has no part in it. `ONNX_OPS` says how each primitive is written. Importing this package
imports neither `onnx` nor `onnxruntime`; its functions do.
"""

from dse.runtime.onnx import activations, layers, pooling  # noqa: F401 - they fill ONNX_OPS
from dse.runtime.onnx.check import OnnxCheck, check_onnx
from dse.runtime.onnx.export import export_onnx, facts_of, program_to_onnx, to_onnx
from dse.runtime.onnx.opset import OPSET, check_opset
from dse.runtime.onnx.read import OnnxFile, read_onnx
from dse.runtime.onnx.table import ONNX_OPS

__all__ = [
    "ONNX_OPS",
    "OPSET",
    "OnnxCheck",
    "OnnxFile",
    "check_onnx",
    "check_opset",
    "export_onnx",
    "facts_of",
    "program_to_onnx",
    "read_onnx",
    "to_onnx",
]
