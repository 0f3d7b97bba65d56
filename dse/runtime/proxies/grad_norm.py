"""Gradient norm: how large the gradients of the weights are.

Abdelfattah, Mehrotra, Dudziak, Lane: Zero-Cost Proxies for Lightweight NAS, ICLR 2021, section 3.1:
the Euclidean norms of the gradients of all layers' weights on one batch, summed.
"""

from __future__ import annotations

from dse.runtime.proxies.gradients import gradients
from dse.runtime.proxies.subject import Subject


def measure(subject: Subject) -> float:
    """The sum of the norms."""
    pairs = gradients(subject.module(), subject.images, subject.labels)
    return sum(float(slope.norm()) for _, slope in pairs)
