"""NASWOT: how differently a network's rectifiers switch on different images.

Mellor, Turner, Storkey, Crowley: Neural Architecture Search without Training, ICML 2021, equations
1 and 2. Each image has a binary code, one bit for each of the N rectified units: whether its input
is above zero. With d(i, j) the Hamming distance of two codes,

    K[i, j] = N - d(i, j),    score = log |det K|

Smooth rectifiers, which the paper does not have, count by the same sign; the gates of attention do
not rectify and are left out. One is added to the diagonal, which is nothing beside N in the tens of
thousands, but keeps the score finite where a tiny network gives two images one code.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from dse.runtime.proxies.activations import RECTIFIERS, Intercepted
from dse.runtime.proxies.subject import Subject


def measure(subject: Subject) -> float:
    """The score of a design on its images; 0 if nothing in it rectifies."""
    return log_determinant(kernel(subject.module(), subject.images))


def kernel(model: nn.Module, images: Tensor) -> Tensor:
    """For each two images the number of units on which they agree: float64 (B, B)."""
    agree = torch.zeros(len(images), len(images), dtype=torch.float64)

    def compare(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        code = (x.flatten(1) > 0).float()
        # Counts up to 2^24 are exact in float32; the sum over layers is not held in it.
        agree.add_(code @ code.T + (1 - code) @ (1 - code.T))
        return function(x)

    with torch.no_grad(), Intercepted(RECTIFIERS, compare):
        model(images)
    return agree


def log_determinant(agree: Tensor) -> float:
    """Of a kernel with one added to its diagonal."""
    _, value = torch.linalg.slogdet(agree + torch.eye(len(agree), dtype=agree.dtype))
    return float(value)
