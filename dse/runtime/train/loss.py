"""What a training minimises."""

from __future__ import annotations

from torch import Tensor, nn

from dse.recipes import Recipe
from dse.runtime.train.balance import class_weights


def loss_of(recipe: Recipe, labels: Tensor, classes: int) -> nn.CrossEntropyLoss:
    """Cross entropy as the recipe has it, for a training part with these labels."""
    weight = class_weights(labels, classes) if recipe.balance == "weights" else None
    return nn.CrossEntropyLoss(weight=weight, label_smoothing=recipe.label_smoothing)
