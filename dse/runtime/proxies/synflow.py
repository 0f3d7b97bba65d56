"""SynFlow: how much flows through all paths of weights from the image to the scores.

Tanaka, Kunin, Yamins, Ganguli: Pruning neural networks without any data by iteratively conserving
synaptic flow, NeurIPS 2020, equation 2, summed over the network as Abdelfattah et al. (ICLR 2021)
do. With all weights |w| and an image of ones, R is the sum of the scores, and

    score = log sum over weights |w| * dR/d|w|

The paper's network is made of products and sums alone. Here rectifiers are left away, which change
nothing where all is positive but would saturate as ReLU6 does; so is local response normalisation;
batch normalisation is the identity, as in Abdelfattah et al.; the gates of attention stay. The
logarithm ranks as the sum does, which grows beyond float64 in deep networks.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from dse.runtime.proxies.activations import RECTIFIERS, Intercepted
from dse.runtime.proxies.subject import Subject, weights_of

_LEFT_AWAY = RECTIFIERS | {"local_response_norm", "batch_norm"}


def measure(subject: Subject) -> float:
    """The score of a design; it reads no images."""
    shape = subject.network.input
    return score(subject.module(), (shape.channels, shape.height, shape.width))


def score(model: nn.Module, shape: tuple[int, int, int]) -> float:
    """The score of a network for images of a shape; its weights are changed."""
    model.double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.abs_()
    weights = weights_of(model)
    with Intercepted(_LEFT_AWAY, lambda function, x: x):
        flow = model(torch.ones(1, *shape, dtype=torch.float64)).sum()
    slopes = torch.autograd.grad(flow, weights, allow_unused=True)
    total = sum(
        float((weight.detach() * slope).sum())
        for weight, slope in zip(weights, slopes, strict=True)
        if slope is not None
    )
    return math.log(total) if total > 0 else -math.inf
