"""The optimizer of a recipe."""

from __future__ import annotations

import torch
from torch import nn

from dse.recipes import Recipe


def optimizer_of(model: nn.Module, recipe: Recipe, device: torch.device) -> torch.optim.Optimizer:
    """The recipe's optimizer over the trainable parameters of a model already on its device.

    Weight decay leaves biases and normalisation parameters (all of one dimension) alone unless the
    recipe says `decay_all`: pulling scales to zero shrinks what normalisation has just restored.
    """
    decayed: list[nn.Parameter] = []
    spared: list[nn.Parameter] = []
    for parameter in model.parameters():
        if parameter.requires_grad:
            whole = recipe.decay_all or parameter.ndim > 1
            (decayed if whole else spared).append(parameter)
    groups = [
        {"params": parameters, "weight_decay": decay}
        for parameters, decay in ((decayed, recipe.weight_decay), (spared, 0.0))
        if parameters
    ]
    # One kernel for all parameters; there is none for Apple's GPU in every torch we support.
    fused = device.type in ("cpu", "cuda")
    rate = recipe.learning_rate
    match recipe.optimizer:
        case "sgd":
            return torch.optim.SGD(groups, lr=rate, momentum=recipe.momentum, fused=fused)
        case "adam":
            return torch.optim.Adam(groups, lr=rate, fused=fused)
        case "adamw":
            return torch.optim.AdamW(groups, lr=rate, fused=fused)
        case "radam":
            # torch has no fused kernel for it; decay taken off the weights is its authors' form.
            return torch.optim.RAdam(groups, lr=rate, decoupled_weight_decay=True)
