"""`torch.export`: the graph of the module with its weights, for torch and what compiles it."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Mapping

import torch
from torch import nn

from dse.errors import DataError
from dse.network import Network
from dse.runtime.export.formats import Array, Opened

_METADATA = "metadata.json"


def pack(module: nn.Module, network: Network, metadata: Mapping[str, str]) -> bytes:
    """See `formats.pack`."""
    program = traced(module, network, batch=torch.export.Dim("batch"))
    buffer = io.BytesIO()
    torch.export.save(program, buffer, extra_files={_METADATA: json.dumps(dict(metadata))})
    return buffer.getvalue()


def traced(
    module: nn.Module, network: Network, batch: torch.export.Dim | None = None
) -> torch.export.ExportedProgram:
    """The exported program of a module in evaluation mode, for single images or any batch."""
    # An example of one image would fix the batch at one.
    image = torch.zeros(2 if batch else 1, *network.input)
    return torch.export.export(
        module, (image,), dynamic_shapes=None if batch is None else ({0: batch},)
    )


def unpack(content: bytes) -> Opened:
    """See `formats.unpack`."""
    extra = {_METADATA: ""}
    try:
        with warnings.catch_warnings(action="ignore"):
            program = torch.export.load(io.BytesIO(content), extra_files=extra)
    except Exception as error:
        # Damaged archives make torch's reader raise nearly anything.
        reason = str(error).partition("\n")[0]
        raise DataError(f"is no program that torch.export saved: {reason}") from None
    module = program.module()

    def run(images: Array) -> Array:
        with torch.no_grad():
            scores: Array = module(torch.from_numpy(images)).numpy()
        return scores

    return Opened(run, json.loads(extra[_METADATA] or "{}"), program.state_dict)
