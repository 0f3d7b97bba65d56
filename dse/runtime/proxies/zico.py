"""ZiCo: how large the gradients of the weights are beside how they differ between batches.

Li, Yang, Bhardwaj, Marculescu: ZiCo: Zero-shot NAS via Inverse Coefficient of Variation on
Gradients, ICLR 2023, definition 1. Of the gradients g of a layer's weights on several batches,

    score = sum over layers log ( sum over weights mean |g| / std g )

Two batches, the deviation of the signed gradients with the batches' number as divisor, weights
whose gradient does not vary left out: all as in the authors' code.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from dse.runtime.proxies.gradients import gradients
from dse.runtime.proxies.subject import Subject

_BATCHES = 2


def measure(subject: Subject) -> float:
    """The score of a design; each half of its images is a batch."""
    model = subject.module()
    batches = [
        [slope for _, slope in gradients(model, images, labels)]
        for images, labels in zip(
            subject.images.chunk(_BATCHES), subject.labels.chunk(_BATCHES), strict=True
        )
    ]
    return score(torch.stack(slopes) for slopes in zip(*batches, strict=True))


def score(layers: Iterable[Tensor]) -> float:
    """The score of gradients (batches, ...) of each layer; one that never varies counts nothing."""
    total = 0.0
    for slopes in layers:
        values = slopes.double()
        std, mean = values.std(dim=0, correction=0), values.abs().mean(dim=0)
        ratio = float((mean[std > 0] / std[std > 0]).sum())
        if ratio > 0:
            total += math.log(ratio)
    return total
