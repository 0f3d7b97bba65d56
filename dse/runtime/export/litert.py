"""LiteRT, once TensorFlow Lite: for phones and boards, one image at a time."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Mapping
from contextlib import redirect_stdout
from typing import Any

import numpy as np
import torch
from torch import nn

from dse.errors import DataError, MissingExtra
from dse.network import Network
from dse.runtime.export.formats import Array, Opened

_METADATA = "dse"
"""The entry of the file's table of metadata."""

_IDENTIFIER = b"TFL3"


def pack(module: nn.Module, network: Network, metadata: Mapping[str, str]) -> bytes:
    """See `formats.pack`."""
    # It warns of what of its own code and of torch's is deprecated, and tells on stdout, which is
    # our result's, how far it is.
    with warnings.catch_warnings(action="ignore"), redirect_stdout(sys.stderr):
        try:
            import litert_torch
        except ImportError:
            raise MissingExtra("litert-torch", "writing a LiteRT model") from None

        converted = litert_torch.convert(module, (torch.zeros(1, *network.input),))
        content = converted.model_content()
    return _noted(content, json.dumps(dict(metadata)))


def unpack(content: bytes) -> Opened:
    """See `formats.unpack`."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        raise MissingExtra("ai-edge-litert", "running a LiteRT model") from None

    if content[4:8] != _IDENTIFIER:
        raise DataError("is no LiteRT model")
    try:
        interpreter = Interpreter(model_content=content, num_threads=1)
        interpreter.allocate_tensors()
        metadata = _notes(content)
    except Exception as error:  # a cut file breaks its readers in many ways
        reason = str(error).partition("\n")[0]
        raise DataError(f"is no LiteRT model: {reason}") from None
    [image], [scores] = interpreter.get_input_details(), interpreter.get_output_details()

    def run(images: Array) -> Array:
        interpreter.set_tensor(image["index"], images)
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(scores["index"]))

    return Opened(run, metadata, batch=1)


def _noted(content: bytes, text: str) -> bytes:
    """The model with an entry more in its table of metadata."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model: Any = schema.ModelT.InitFromPackedBuf(content, 0)
    buffer, entry = schema.BufferT(), schema.MetadataT()
    buffer.data = list(text.encode())
    model.buffers.append(buffer)
    entry.name, entry.buffer = _METADATA, len(model.buffers) - 1
    model.metadata = [*(model.metadata or []), entry]
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), _IDENTIFIER)
    return bytes(builder.Output())


def _notes(content: bytes) -> dict[str, str]:
    from ai_edge_litert import schema_py_generated as schema

    model: Any = schema.ModelT.InitFromPackedBuf(content, 0)
    for entry in model.metadata or []:
        if entry.name == _METADATA.encode():
            found: dict[str, str] = json.loads(bytes(model.buffers[entry.buffer].data))
            return found
    return {}
