"""Weights on disk."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from dse.atomic import atomically


def save_weights(module: nn.Module, path: Path) -> None:
    """Write a state dict in one step; ``torch.load(path, weights_only=True)`` reads it."""
    with atomically(path) as draft:
        torch.save(module.state_dict(), draft)
