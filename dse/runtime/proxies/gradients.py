"""The gradients of a loss by the weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dse.runtime.proxies.subject import weights_of


def gradients(model: nn.Module, images: Tensor, labels: Tensor) -> list[tuple[Tensor, Tensor]]:
    """The weights of each layer and the gradient of the batch's cross entropy by them.

    A weight that the loss does not hang on has a gradient of zero.
    """
    weights = weights_of(model)
    loss = F.cross_entropy(model(images), labels)
    slopes = torch.autograd.grad(loss, weights, allow_unused=True)
    return [
        (weight.detach(), torch.zeros_like(weight) if slope is None else slope)
        for weight, slope in zip(weights, slopes, strict=True)
    ]
