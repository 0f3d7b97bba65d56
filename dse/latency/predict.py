"""How long a network will take on a device that was measured, without running it.

A network takes a constant and the sum of its blocks; a block takes the sum of its kernels. So a
search remembers blocks, and bounds sums of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dse.blocks import Block
from dse.ir import Shape
from dse.latency.kernel import Kernel
from dse.latency.kernels import block_kernels
from dse.latency.model import KernelModel
from dse.latency.profile import Profile
from dse.latency.whole import Part, fit_whole
from dse.network import Network


@dataclass(frozen=True, slots=True)
class Prediction:
    """Milliseconds per image at batch 1.

    Attributes:
        ms: expected.
        low_ms: of ten networks like those that were measured, nine take from this
        high_ms: to this.
        unseen: kinds of kernels that the profile never saw; their times are guesses by their work.
    """

    ms: float
    low_ms: float
    high_ms: float
    unseen: tuple[str, ...]


class Predictor:
    """Predicts networks for one device.

    Attributes:
        profile: of the device.
        base_ms: what a network takes besides its blocks.
    """

    def __init__(self, profile: Profile) -> None:
        from threadpoolctl import threadpool_limits

        self.profile = profile
        with threadpool_limits(1):  # small matrices, which several threads only wait for
            self._fit(profile)
        self._kernels: dict[Kernel, Part] = {}
        self._blocks: dict[tuple[Block, tuple[Shape, ...], int], tuple[Shape, Part]] = {}

    def _fit(self, profile: Profile) -> None:
        self._model = KernelModel(profile.kernels, profile.layout)
        known = list(dict.fromkeys(k for network in profile.networks for k, _ in network.kernels))
        guesses = dict(zip(known, self._model(known), strict=True))
        self._whole = fit_whole(profile.networks, guesses, profile.profiler_us, profile.layout)
        self.base_ms = self._whole.base_ms

    def network(self, network: Network) -> Prediction:
        """What a network takes.

        Raises:
            InvalidDesign: its blocks do not fit each other.
        """
        total = Part.of(self.parts(network))
        ms = self.base_ms + total.ms
        return Prediction(ms, *self._whole.interval(ms, total.doubt_ms), total.unseen)

    def parts(self, network: Network) -> list[Part]:
        """What each node of a network adds, in order; with `base_ms` they sum up to its time.

        Raises:
            InvalidDesign: its blocks do not fit each other.
        """
        parts = []
        classes = network.classes
        if not any(node.inputs for node in network.nodes):
            # A chain, as most networks are, and read a third faster as one.
            shape = network.input
            for node in network.nodes:
                shape, part = self._block(node.block, (shape,), classes)
                parts.append(part)
            return parts
        shapes: list[Shape] = []
        for node, sources in zip(network.nodes, network.sources(), strict=True):
            inputs = tuple([shapes[i] if i >= 0 else network.input for i in sources])
            shape, part = self._block(node.block, inputs, classes)
            shapes.append(shape)
            parts.append(part)
        return parts

    def block_ms(self, block: Block, inputs: tuple[Shape, ...], classes: int) -> float:
        """What a block adds to a network's time, wherever it stands.

        Raises:
            InvalidDesign: it cannot take such inputs.
        """
        return self._block(block, inputs, classes)[1].ms

    def _block(self, block: Block, inputs: tuple[Shape, ...], classes: int) -> tuple[Shape, Part]:
        key = block, inputs, classes
        known = self._blocks.get(key)
        if known is None:
            shape, kernels = block_kernels(block, inputs, classes, self.profile.layout)
            known = self._blocks[key] = shape, self._sum(kernels)
        return known

    def _sum(self, kernels: Sequence[Kernel]) -> Part:
        fresh = [kernel for kernel in dict.fromkeys(kernels) if kernel not in self._kernels]
        self._kernels.update(zip(fresh, self._whole.parts(fresh, self._model(fresh)), strict=True))
        return Part.of([self._kernels[kernel] for kernel in kernels])
