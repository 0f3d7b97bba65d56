"""Devices that no one has, for searches under predicted latency."""

from __future__ import annotations

from collections.abc import Callable

from dse.blocks import Block
from dse.cost import count_block
from dse.ir import Shape


class Blocked:
    """A device that adds in blocks of eight channels, as processors do: fewer channels may take
    longer. Its layers take no time at all below a microsecond.
    """

    base_ms = 0.0123

    def block_ms(self, block: Block, inputs: tuple[Shape, ...], classes: int) -> float:
        dies = (True,) * len(inputs)
        output, spent = count_block("block", block, inputs, dies, classes)
        channels = [shape[0] for shape in (*inputs, output)]
        ragged = sum(channel % 8 > 0 for channel in channels)
        moved = sum(shape.size for shape in (*inputs, output))
        return 0.001 + (1 + 0.5 * ragged) * (spent.macs / 20e6 + moved / 30e6)


class Constant:
    """A device on which every network takes as long."""

    def __init__(self, ms: float) -> None:
        self.base_ms = ms

    def block_ms(self, block: Block, inputs: tuple[Shape, ...], classes: int) -> float:
        return 0.0


class ByParams:
    """A device that knows a block by its parameters alone."""

    base_ms = 10.0

    def __init__(self, ms_of: Callable[[int], float]) -> None:
        self._ms_of = ms_of

    def block_ms(self, block: Block, inputs: tuple[Shape, ...], classes: int) -> float:
        dies = (True,) * len(inputs)
        return self._ms_of(count_block("block", block, inputs, dies, classes)[1].params)
