"""SNIP: how much the loss hangs on the weights.

Lee, Ajanthan, Torr: SNIP: Single-shot Network Pruning based on Connection Sensitivity, ICLR 2019,
equation 6, summed over the network as Abdelfattah et al. (ICLR 2021) do:

    score = sum over weights | w * dL/dw |
"""

from __future__ import annotations

from dse.runtime.proxies.gradients import gradients
from dse.runtime.proxies.subject import Subject


def measure(subject: Subject) -> float:
    """The sum of the sensitivities."""
    pairs = gradients(subject.module(), subject.images, subject.labels)
    return sum(float((weight * slope).abs().sum()) for weight, slope in pairs)
