"""From a file to a flat mapping of names to tensors, without running what is in it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from dse.errors import DataError

_WRAPPERS = ("state_dict", "model_state_dict", "model")
"""Under these, trainings keep the weights beside optimizer and epoch."""

_PREFIXES = ("module.", "model.", "_orig_mod.")
"""Put before every name by data parallelism, trainers and ``torch.compile``."""


def read_weights(path: Path) -> dict[str, Tensor]:
    """The floating-point tensors of a safetensors file or of one that torch saved.

    Weights inside a checkpoint are found, and a prefix that all names share is taken off.

    Raises:
        DataError: the file is absent, damaged, holds no weights, or would have to run code to be
            read.
    """
    found = _open(path)
    for _ in range(len(_WRAPPERS)):
        if not isinstance(found, Mapping):
            break
        inner = [found[key] for key in _WRAPPERS if isinstance(found.get(key), Mapping)]
        if not inner:
            break
        found = inner[0]
    tensors = found.items() if isinstance(found, Mapping) else ()
    state = {
        name: tensor
        for name, tensor in tensors
        if isinstance(name, str) and isinstance(tensor, Tensor) and tensor.is_floating_point()
    }
    if not state:
        raise DataError(f"{path}: holds no weights: a state dict maps names to tensors")
    while prefix := next((p for p in _PREFIXES if all(n.startswith(p) for n in state)), ""):
        state = {name.removeprefix(prefix): tensor for name, tensor in state.items()}
    return state


def _open(path: Path) -> object:
    try:
        with path.open("rb") as file:
            start = file.read(9)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DataError(f"{path}: the weights cannot be read: {reason}") from None
    try:
        if start[8:] == b"{":  # after its length, the header of safetensors is JSON
            return load_file(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # Damaged bytes make the readers raise nearly anything.
        raise DataError(f"{path}: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    text = str(error)
    code = re.search(r"unsupported (?:global|class)\W+(?:GLOBAL )?([\w.]+)", text, re.IGNORECASE)
    if code is not None:
        return (
            f"reading it would run code ({code[1]}), which is never done; "
            "save its state dict alone, with torch.save(model.state_dict(), ...) or as safetensors"
        )
    if "TorchScript" in text:
        return "is a scripted module, not a file of weights; save its state_dict()"
    return "is damaged or no file of weights, which are read from safetensors and torch's files"
