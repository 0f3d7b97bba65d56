"""TorchScript: the module as libtorch runs it without Python. Torch calls it deprecated, and
programs that embed it are still about.
"""

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
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        scripted = torch.jit.script(module)
        extra = {_METADATA: json.dumps(dict(metadata))}
        buffer = io.BytesIO()
        torch.jit.save(scripted, buffer, _extra_files=extra)
    return buffer.getvalue()


def unpack(content: bytes) -> Opened:
    """See `formats.unpack`."""
    extra = {_METADATA: ""}
    try:
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            module = torch.jit.load(  # type: ignore[no-untyped-call]
                io.BytesIO(content), map_location="cpu", _extra_files=extra
            )
    except (RuntimeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(f"is no TorchScript module: {reason}") from None

    def run(images: Array) -> Array:
        with torch.no_grad():
            scores: Array = module(torch.from_numpy(images)).numpy()
        return scores

    return Opened(run, json.loads(extra[_METADATA] or "{}"), module.state_dict())
