"""End a training that has stopped getting better, and keep its best epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor, nn


@dataclass
class EarlyStopping:
    """The best epoch so far by validation accuracy; of equal ones the first.

    The fields are the whole state: a training that goes on later saves and sets them.

    Attributes:
        patience: how many epochs may pass without a better one.
        epoch: the best one, from 1; 0 before there is any.
        accuracy: what it reached.
        weights: the model's parameters and buffers after it.
    """

    patience: int
    epoch: int = 0
    accuracy: float = -math.inf
    weights: dict[str, Tensor] = field(default_factory=dict)

    def is_over(self, epoch: int, metrics: Mapping[str, float], model: nn.Module) -> bool:
        """Take what was measured after `epoch`; whether patience is at its end."""
        if metrics["accuracy"] > self.accuracy:
            self.epoch, self.accuracy = epoch, metrics["accuracy"]
            self.weights = {
                name: value.detach().clone() for name, value in model.state_dict().items()
            }
        return epoch - self.epoch >= self.patience

    def restore(self, model: nn.Module) -> None:
        """Give the model the weights of the best epoch."""
        model.load_state_dict(self.weights)
