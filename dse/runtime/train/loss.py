"""What a training minimises."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dse.recipes import Recipe


def class_weights(labels: Tensor, classes: int) -> Tensor:
    """Inverse frequencies of the classes in `labels`, float32 (classes,), scaled to mean 1.

    A class without images weighs 1 and counts in no mean.
    """
    counts = torch.bincount(labels, minlength=classes).float()
    present = counts > 0
    inverse = 1 / counts.clamp(min=1)
    return torch.where(present, inverse / inverse[present].mean(), 1.0)


def loss_of(recipe: Recipe, labels: Tensor, classes: int) -> nn.CrossEntropyLoss:
    """Cross entropy as the recipe has it, for a training part with these labels."""
    weight = class_weights(labels, classes) if recipe.class_weights else None
    return nn.CrossEntropyLoss(weight=weight, label_smoothing=recipe.label_smoothing)
