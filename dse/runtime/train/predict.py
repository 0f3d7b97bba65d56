"""What a network says about images."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dse.errors import InvalidValue
from dse.runtime.train.batches import plain_batches
from dse.runtime.train.device import precision
from dse.runtime.train.pixels import Normalisation, Pixels

# Measured on a CPU, larger batches are no faster; smaller ones keep the memory of a search low.
EVALUATION_BATCH = 64


def logits_of(
    model: nn.Module,
    pixels: Pixels,
    normalisation: Normalisation,
    *,
    classes: int,
    batch_size: int = EVALUATION_BATCH,
) -> Tensor:
    """Logits float32 (N, classes) on the CPU, in evaluation mode; the model's mode is kept."""
    device = pixels.values.device
    training = model.training
    model.eval()
    try:
        with torch.inference_mode(), precision(device):
            logits = [
                checked(model(images), len(labels), classes)
                for images, labels in plain_batches(pixels, normalisation, batch_size)
            ]
        return torch.cat(logits).float().cpu()
    finally:
        model.train(training)


def checked(logits: object, images: int, classes: int) -> Tensor:
    """Logits of the shape a classifier of `classes` gives, or InvalidValue saying what it is."""
    if isinstance(logits, Tensor) and logits.shape == (images, classes):
        return logits
    found = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
    raise InvalidValue(
        f"a network for {classes} classes must return logits of shape {(images, classes)}, "
        f"got {found}"
    )
