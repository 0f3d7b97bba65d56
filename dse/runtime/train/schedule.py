"""The learning rate over a training."""

from __future__ import annotations

import math

from dse.recipes import Recipe


def learning_rate(recipe: Recipe, progress: float) -> float:
    """The rate at `progress`, the epochs done so far, fractions included.

    Warm-up rises linearly over at most half of the training, so that a recipe shortened to one
    epoch still learns; cosine then falls to zero at the end.
    """
    warmup = min(recipe.warmup_epochs, recipe.epochs / 2)
    if progress < warmup:
        return recipe.learning_rate * progress / warmup
    match recipe.schedule:
        case "constant":
            return recipe.learning_rate
        case "step":
            return recipe.learning_rate * recipe.step_factor ** int(progress // recipe.step_epochs)
        case "cosine":
            done = (progress - warmup) / (recipe.epochs - warmup)
            return recipe.learning_rate * (1 + math.cos(math.pi * done)) / 2
