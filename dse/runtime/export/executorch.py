"""ExecuTorch: for phones and boards, with XNNPACK's kernels, one image at a time."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from dse.errors import DataError, MissingExtra
from dse.network import Network
from dse.runtime.export.formats import Array, Opened
from dse.runtime.export.torch_export import traced

_METADATA = "dse_metadata"
"""A method of the program, beside ``forward``, that returns them: the format has no other place."""


def pack(module: nn.Module, network: Network, metadata: Mapping[str, str]) -> bytes:
    """See `formats.pack`."""
    try:
        from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
        from executorch.exir import to_edge_transform_and_lower
    except ImportError:
        raise MissingExtra("executorch", "writing an ExecuTorch program") from None

    # It logs what of its own code and of torch's is deprecated.
    with warnings.catch_warnings(action="ignore"):
        program = to_edge_transform_and_lower(
            traced(module, network),
            partitioner=[XnnpackPartitioner()],
            constant_methods={_METADATA: json.dumps(dict(metadata))},
        ).to_executorch()
    return bytes(program.buffer)


def unpack(content: bytes) -> Opened:
    """See `formats.unpack`."""
    try:
        from executorch.runtime import Runtime
    except ImportError:
        raise MissingExtra("executorch", "running an ExecuTorch program") from None

    try:
        program: Any = Runtime.get().load_program(content)
        program.load_method("forward")
        found = program.method_names
    except Exception as error:  # its loader raises RuntimeError, or its own kinds
        reason = str(error).partition("\n")[0]
        raise DataError(f"is no ExecuTorch program: {reason}") from None
    metadata = {}
    if _METADATA in found:
        [text] = program.load_method(_METADATA).execute([])
        metadata = json.loads(text)

    def run(images: Array) -> Array:
        # Loaded anew: a method does not keep its program alive, and crashes without it.
        forward = program.load_method("forward")
        [scores] = forward.execute([torch.from_numpy(np.ascontiguousarray(images))])
        return np.array(scores)  # a copy: the program reuses its memory

    return Opened(run, metadata, batch=1)
