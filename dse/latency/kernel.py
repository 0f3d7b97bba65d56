"""One unit of work of an inference runtime: what ONNX Runtime runs in one go.

After its graph optimisations a convolution, the batch normalisation behind it, its activation and
often a residual sum are one call. The time of that call depends on what is noted here and on
nothing else, so a kernel is the key of a table of measurements.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

Dims = tuple[int, ...]
"""A shape without its batch axis."""

FLOAT_BYTES = 4

CONVOLUTIONS = ("conv", "pointwise", "depthwise", "grouped")


@dataclass(frozen=True, slots=True)
class Kernel:
    """A call of the runtime.

    Attributes:
        kind: what runs, see `dse.latency.fuse`; convolutions have one of `CONVOLUTIONS`.
        inputs: shapes of what it reads, weights and constants apart; a residual sum comes last.
        output: shape of what it writes.
        window: height and width of a convolution's or pool's window.
        strides: vertical and horizontal.
        groups: of a convolution.
        activation: applied to the result in the same call, or ``none``.
        sums: whether a convolution adds another map, its last input, to its result.
        blocked: whether it reads and writes maps in blocks of channels.
    """

    kind: str
    inputs: tuple[Dims, ...]
    output: Dims
    window: tuple[int, int] = (1, 1)
    strides: tuple[int, int] = (1, 1)
    groups: int = 1
    activation: str = "none"
    sums: bool = False
    blocked: bool = False

    @property
    def kernel(self) -> int:
        """Height of the window."""
        return self.window[0]

    @property
    def stride(self) -> int:
        """Vertical stride."""
        return self.strides[0]

    @property
    def macs(self) -> int:
        """Multiply-adds of a convolution or matrix product; 0 for what has none."""
        if self.kind in CONVOLUTIONS:
            return prod(self.output) * (self.inputs[0][0] // self.groups) * prod(self.window)
        if self.kind == "linear":
            return self.inputs[0][0] * self.output[0]
        return 0

    @property
    def weight_bytes(self) -> int:
        """Of the weights that one call reads, biases apart."""
        if self.kind in CONVOLUTIONS:
            channels = self.inputs[0][0] // self.groups
            return FLOAT_BYTES * self.output[0] * channels * prod(self.window)
        if self.kind == "linear":
            return FLOAT_BYTES * self.inputs[0][0] * self.output[0]
        return 0

    @property
    def input_bytes(self) -> int:
        """Of all maps and vectors that it reads."""
        return FLOAT_BYTES * sum(prod(shape) for shape in self.inputs)

    @property
    def output_bytes(self) -> int:
        """Of the map or vector that it writes."""
        return FLOAT_BYTES * prod(self.output)
