"""Jacobian covariance: how little the gradients of different images by their pixels correlate.

Mellor, Turner, Storkey, Crowley: Neural Architecture Search without Training, first version (2020),
equation 4, in the form of Abdelfattah et al.: Zero-Cost Proxies for Lightweight NAS, ICLR 2021. J
has a row for each image, the gradient of the sum of its scores by its pixels; of the eigenvalues v
of the rows' correlation matrix,

    score = - sum_i ( log(v_i + k) + 1 / (v_i + k) ),    k = 1e-5

which is greatest where no two rows correlate.
"""

from __future__ import annotations

import torch
from torch import Tensor

from dse.runtime.proxies.subject import Subject

_K = 1e-5


def measure(subject: Subject) -> float:
    """The score of a design on its images."""
    images = subject.images.clone().requires_grad_()
    (jacobian,) = torch.autograd.grad(subject.module()(images).sum(), images)
    return score(jacobian.flatten(1))


def score(jacobian: Tensor) -> float:
    """The score of gradients (B, pixels); an image without any correlates with none."""
    rows = jacobian.double()
    rows = torch.nn.functional.normalize(rows - rows.mean(dim=1, keepdim=True), dim=1)
    correlations = rows @ rows.T
    correlations.fill_diagonal_(1)
    # Rounding may leave an eigenvalue of zero slightly below it, and the logarithm without value.
    values = torch.linalg.eigvalsh(correlations).clamp(min=0)
    return -float((torch.log(values + _K) + 1 / (values + _K)).sum())
