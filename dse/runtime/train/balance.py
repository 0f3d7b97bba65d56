"""How rare classes are made to count as much as frequent ones."""

from __future__ import annotations

import torch
from torch import Tensor


def class_weights(labels: Tensor, classes: int) -> Tensor:
    """Inverse frequencies of the classes in `labels`, float32 (classes,), scaled to mean 1.

    A class without images weighs 1 and counts in no mean.
    """
    counts = torch.bincount(labels, minlength=classes).float()
    present = counts > 0
    inverse = 1 / counts.clamp(min=1)
    return torch.where(present, inverse / inverse[present].mean(), 1.0)


def balanced_order(labels: Tensor, generator: torch.Generator) -> Tensor:
    """As many positions as there are labels (N,), drawn so that each class is as frequent.

    Images of a rare class come several times, some of a frequent one not at all; another epoch
    draws others.
    """
    weights = class_weights(labels, int(labels.max()) + 1)[labels]
    return torch.multinomial(weights, len(labels), replacement=True, generator=generator)
