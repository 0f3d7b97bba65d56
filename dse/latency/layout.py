"""What an inference runtime does on a kind of processor, as far as its choice of kernels goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Layout:
    """How a target lays maps out, and what it joins into one call.

    ONNX Runtime keeps maps in blocks of channels (NCHWc) where it can: a convolution that reads and
    writes whole blocks needs no copy of its input. Channels that do not fill a block are padded.

    Attributes:
        block: channels of a block: 8 with AVX2, 16 with AVX-512, 1 where there is no such layout.
        joins_hard_swish: whether convolutions in that layout apply a hard swish in the same call,
            as those of recent versions do.
    """

    block: int = 8
    joins_hard_swish: bool = True

    def blocks(self, shape: Sequence[int]) -> bool:
        """Whether a value of this shape usually lies in blocks: a map with channels to fill one.

        The blocked kernels copy channels in fours, so other numbers stay in rows.
        """
        return self.block > 1 and len(shape) == 3 and shape[0] >= self.block and not shape[0] % 4
