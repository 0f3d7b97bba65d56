"""Which images make a step together, and how they become the network's input."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from dse.errors import InvalidValue
from dse.recipes import Recipe
from dse.runtime.train.augment import Augmenter
from dse.runtime.train.balance import balanced_order
from dse.runtime.train.pixels import Normalisation, Pixels


def steps_of(images: int, batch_size: int) -> int:
    """How many batches an epoch over `images` has.

    Batches are equally large to within one image, and at most `batch_size`, rather than full ones
    and a rest: batch normalisation fails on a batch of one and misleads on one of a few. Where
    equal batches would still hold a single image there is one batch fewer.
    """
    if images < 2:
        raise InvalidValue(f"training needs at least two images, got {images}")
    return min(-(-images // batch_size), images // 2)


class TrainingBatches:
    """Shuffled, augmented, normalised batches of a part, drawn from one generator.

    The generator is its own, so the order and the augmentation depend on the seed alone and not on
    how much randomness the network uses (dropout, stochastic depth). Its state is all there is to
    save: `restore(state())`, between two epochs, gives the same batches again.
    """

    def __init__(
        self, pixels: Pixels, normalisation: Normalisation, recipe: Recipe, seed: int
    ) -> None:
        self.pixels = pixels
        self.normalisation = normalisation
        self.steps = steps_of(len(pixels), recipe.batch_size)
        self.balanced = recipe.balance == "sampling"
        self.generator = torch.Generator(pixels.values.device).manual_seed(seed)
        self.augmenter = Augmenter(recipe.augment, self.generator)

    def epoch(self) -> Iterator[tuple[Tensor, Tensor]]:
        """One pass: images float32 (B, channels, H, W), channels last, and labels int64 (B,)."""
        for index in torch.tensor_split(self._order(), self.steps):
            images = self.augmenter.gather(self.pixels.values, index).permute(0, 3, 1, 2).float()
            images = self.augmenter.tone(self.augmenter.resample(images))
            yield self.augmenter.erased(self.normalisation.apply(images)), self.pixels.labels[index]

    def state(self) -> Tensor:
        """Where the generator is: uint8, on the CPU."""
        return self.generator.get_state()

    def restore(self, state: Tensor) -> None:
        """Go on from a `state`, of batches on the same kind of device."""
        self.generator.set_state(state)

    def _order(self) -> Tensor:
        if self.balanced:
            return balanced_order(self.pixels.labels, self.generator)
        return torch.randperm(
            len(self.pixels), generator=self.generator, device=self.generator.device
        )


def plain_batches(
    pixels: Pixels, normalisation: Normalisation, batch_size: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """All images in order, unaugmented; shapes as in `TrainingBatches.epoch`."""
    for start in range(0, len(pixels), batch_size):
        images = pixels.values[start : start + batch_size].permute(0, 3, 1, 2).float()
        yield normalisation.apply(images), pixels.labels[start : start + batch_size]
