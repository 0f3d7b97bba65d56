"""The optimizer of a recipe."""

from __future__ import annotations

import inspect
from typing import TypeVar

import torch
from torch import nn

from dse.recipes import Recipe

T = TypeVar("T", bound=torch.optim.Optimizer)


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
            return _light(torch.optim.SGD)(groups, lr=rate, momentum=recipe.momentum, fused=fused)
        case "adam":
            return _light(torch.optim.Adam)(groups, lr=rate, fused=fused)
        case "adamw":
            return _light(torch.optim.AdamW)(groups, lr=rate, fused=fused)
        case "radam":
            # torch has no fused kernel for it; decay taken off the weights is its authors' form.
            return _light(torch.optim.RAdam)(groups, lr=rate, decoupled_weight_decay=True)


def _light(kind: type[T]) -> type[T]:
    """The same optimizer without torch's compiler, which nothing here uses.

    torch wraps some methods to tell the compiler to leave them alone, and imports it for that: two
    seconds of processor time, nearly as long as torch itself takes.
    """
    names = ("add_param_group", "zero_grad", "state_dict", "load_state_dict")
    methods = {name: inspect.unwrap(getattr(kind, name)) for name in names}
    methods["step"] = torch.no_grad()(inspect.unwrap(kind.step))
    return type(kind.__name__, (kind,), methods)
