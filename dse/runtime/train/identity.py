"""Which training a training is: what must be the same for one to go on where another ended."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import torch
from torch import nn

from dse.recipes import Recipe
from dse.runtime.train.part import Part

_BESIDE_THE_TRAINING = {"name", "about", "citation", "ours", "image_size", "folds"}
"""Settings of a recipe that describe it, or that commands read: `fit` does not."""


def identity_of(
    model: nn.Module,
    train: Part,
    val: Part | None,
    recipe: Recipe,
    *,
    classes: int,
    channels: int,
    seed: int,
    tune: str,
    device: torch.device,
) -> dict[str, str]:
    """A digest for each thing that makes a training this one, under the word for it.

    The weights that the model comes with are not among them: a training that goes on replaces
    them. Nor is the number of an accelerator, but its kind is: random numbers differ between kinds.
    """
    recipe_fields = recipe.model_dump(mode="json", exclude=_BESIDE_THE_TRAINING)
    layers = [
        # A module that was built from a network is named after the content of its source.
        type(model).__module__,
        str(model),
        *(f"{name} {tuple(t.shape)} {t.dtype}" for name, t in model.state_dict().items()),
    ]
    data = hashlib.sha256(f"{classes} {channels}".encode())
    for part in (train, val):
        for values in () if part is None else (part.images, part.labels.astype(np.int64)):
            data.update(f"{values.shape}".encode())
            data.update(np.ascontiguousarray(values).data)
    return {
        "recipe": _digest(json.dumps(recipe_fields, sort_keys=True)),
        "network": _digest("\n".join(layers)),
        "data": data.hexdigest()[:16],
        "seed": str(seed),
        "tuning": tune,
        "device": device.type,
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
