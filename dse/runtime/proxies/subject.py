"""What a proxy looks at: a network, and a batch of training images."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from dse.network import Network
from dse.runtime.load import build
from dse.runtime.train import seeded


@dataclass(frozen=True, eq=False)
class Subject:
    """A design, and the images to look at it with.

    Attributes:
        network: the design.
        images: float32 (B, C, H, W), normalised; B is 0 for proxies that read none.
        labels: int64 (B,).
        seed: of the weights.
    """

    network: Network
    images: Tensor
    labels: Tensor
    seed: int = 0

    def module(self) -> nn.Module:
        """The network with fresh weights, each time the same and no one else's.

        It normalises by the batch, as in training, but drops nothing out: a proxy is of the
        design, not of one draw of its dropout.
        """
        with seeded(self.seed):
            model = build(self.network)
        model.train()
        for part in model.modules():
            if isinstance(part, nn.Dropout):
                part.eval()
        return model


def weights_of(model: nn.Module) -> list[Tensor]:
    """The weights of all convolutions and linear layers: what the proxies of pruning look at.

    Biases and the scales of batch normalisation are left out, as in all of their papers.
    """
    return [part.weight for part in model.modules() if isinstance(part, nn.Conv2d | nn.Linear)]
