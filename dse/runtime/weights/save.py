"""Writing weights."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save
from torch import nn

from dse.atomic import atomically


def save_weights(module: nn.Module, path: Path) -> None:
    """Write a state dict in one step.

    ``safetensors.torch.load_file(path)`` reads one whose name ends in ``.safetensors``,
    ``torch.load(path, weights_only=True)`` any other.
    """
    state = module.state_dict()
    with atomically(path) as draft:
        if path.suffix == ".safetensors":
            draft.write_bytes(save({name: value.contiguous() for name, value in state.items()}))
        else:
            torch.save(state, draft)
