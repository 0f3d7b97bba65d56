"""Notice that a training has diverged, and say where."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from dse.errors import DivergedTraining


class Losses:
    """The losses of an epoch's batches, refused as soon as one is infinite or not a number.

    On a CPU each is looked at when it is added; elsewhere all of them when the epoch ends, because
    reading one makes the processor wait for the accelerator.
    """

    def __init__(self, epoch: int, device: torch.device) -> None:
        self.epoch = epoch
        self.at_once = device.type == "cpu"
        self._losses: list[Tensor] = []
        self._rates: list[float] = []

    def add(self, loss: Tensor, rate: float) -> None:
        """Take the loss of the next batch and the learning rate of its step."""
        self._losses.append(loss.detach())
        self._rates.append(rate)
        if self.at_once:
            self._check(len(self._losses), loss.item())

    def mean(self) -> float:
        """Mean over the batches."""
        values = torch.stack(self._losses).tolist()
        for batch, value in enumerate(values, start=1):
            self._check(batch, value)
        return math.fsum(values) / len(values)

    def _check(self, batch: int, loss: float) -> None:
        if not math.isfinite(loss):
            raise DivergedTraining(
                f"the training diverged: the loss is {loss} in epoch {self.epoch}, batch {batch}, "
                f"at learning rate {self._rates[batch - 1]:.3g}; a lower learning rate or "
                "clip_grad_norm may help"
            )


def check_validation(loss: float, epoch: int, rate: float) -> None:
    """Raise DivergedTraining where the validation loss after `epoch` is not finite."""
    if not math.isfinite(loss):
        raise DivergedTraining(
            f"the training diverged: the validation loss is {loss} after epoch {epoch}, at "
            f"learning rate {rate:.3g}; a lower learning rate or clip_grad_norm may help"
        )
