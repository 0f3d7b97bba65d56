"""A recipe's dropout, put into a design."""

from __future__ import annotations

from dse.errors import InvalidDesign
from dse.network import Network


def with_dropout(network: Network, probability: float) -> Network:
    """A copy of `network` with this dropout before its classifier, in place of its own.

    Dropout has no weights, so those of the copy fit the original.

    Raises:
        InvalidDesign: the network's last block has no dropout to set.
    """
    last = network.nodes[-1]
    if "dropout" not in type(last.block).model_fields:
        raise InvalidDesign(
            "a recipe's dropout needs a network that ends in a classifier or conv_classifier, "
            f"got {last.block.kind} in {network.name}"
        )
    block = last.block.model_copy(update={"dropout": probability})
    return network.replaced(nodes=(*network.nodes[:-1], last.model_copy(update={"block": block})))
