"""The cost of a point of a space, fast: chains of blocks are added up from what each block cost
before.

`dse.cost` remembers costs by the block's content, which takes longer to hash than to add up. The
blocks of a space are made once each, so that here the block itself is the key.
"""

from __future__ import annotations

from dse.blocks import Block
from dse.cost import Cost, Memo, cost
from dse.ir import Shape
from dse.network import Network, check_scores

_MAX_KEPT = 200_000


class Counter:
    """Counts networks for one number of classes."""

    def __init__(self) -> None:
        self._memo: Memo = {}
        # The block stands in the value as well: as long as it lives, no other can have its
        # identity.
        self._parts: dict[tuple[int, Shape], tuple[Block, Shape, Cost]] = {}

    def count(self, network: Network, chain: bool) -> Cost:
        """The cost of `network`; `chain` says that every block reads just the one before it.

        Raises:
            InvalidDesign: the blocks do not fit each other; says where.
        """
        if not chain:
            return cost(network, self._memo)
        params = buffers = macs = peak = 0
        shape, parts = network.input, self._parts
        for node in network.nodes:
            known = parts.get((id(node.block), shape))
            if known is None or known[0] is not node.block:
                known = self._learn(network, node.block, shape)
            _, shape, part = known
            params += part.params
            buffers += part.buffers
            macs += part.macs
            if part.peak_activation_bytes > peak:
                peak = part.peak_activation_bytes
        check_scores(shape, network.classes, network.nodes[-1].name)
        return Cost(params, buffers, macs, peak)

    def _learn(self, network: Network, block: Block, shape: Shape) -> tuple[Block, Shape, Cost]:
        key = (block, (shape,), (True,), network.classes)
        if key not in self._memo:
            cost(network, self._memo)  # counts every block of it
        if len(self._parts) >= _MAX_KEPT:
            self._parts.clear()
        output, part = self._memo[key]
        known = self._parts[id(block), shape] = (block, output, part)
        return known
