"""ONNX, in float32 or quantised, run by ONNX Runtime."""

from __future__ import annotations

import numpy as np

from dse.errors import DataError
from dse.runtime.export.formats import Array, Opened
from dse.runtime.onnx import read_onnx
from dse.runtime.onnx.check import open_session


def unpack(content: bytes) -> Opened:
    """See `formats.unpack`."""
    file = read_onnx(content)
    try:
        session = open_session(content)
    except Exception as error:  # ONNX Runtime has an exception for each kind of fault
        reason = str(error).partition("\n")[0]
        raise DataError(f"ONNX Runtime cannot load it: {reason}") from None
    [image] = session.get_inputs()

    def run(images: Array) -> Array:
        [scores] = session.run(None, {image.name: images})
        return np.asarray(scores)

    return Opened(run, file.metadata, file.weights, opset=file.opset)
