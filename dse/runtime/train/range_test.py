"""The learning-rate range test: which rate suits a network, found by trying all.

Source: Smith, Cyclical Learning Rates for Training Neural Networks, WACV 2017, section 3.3; the
range, the smoothing and the choice from the curve (its `valley`) are fastai's.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from torch import Tensor, nn

from dse.recipes import Recipe
from dse.runtime.train.batches import TrainingBatches
from dse.runtime.train.epoch import train_step
from dse.runtime.train.loss import loss_of
from dse.runtime.train.optimizer import optimizer_of
from dse.runtime.train.pixels import Normalisation, Pixels
from dse.runtime.train.seeding import seeded
from dse.runtime.train.tune import set_modes

LOWEST, HIGHEST = 1e-7, 10.0
STEPS = 100
_SMOOTHING = 0.98  # share of the past in the running mean of the loss
_DIVERGED = 4  # times the lowest loss
_SETTLING = 10  # steps whose running mean is still the noise of a few batches


@dataclass(frozen=True)
class RangeTest:
    """A learning rate, and the curve it was read from.

    `rate` is the found one. `losses` are running means of the loss, of steps at the `rates`, which
    rise by a constant factor; both end early where the training diverged.
    """

    rate: float
    rates: tuple[float, ...]
    losses: tuple[float, ...]


def range_test(
    model: nn.Module,
    pixels: Pixels,
    normalisation: Normalisation,
    recipe: Recipe,
    *,
    classes: int,
    seed: int,
) -> RangeTest:
    """Train a copy of the model for a hundred steps at ever higher rates, and choose one.

    The rate is that in the valley of the curve, the recipe's own where the loss never falls. It
    errs on the safe side: of trainings of four epochs on a thousand CIFAR images (four networks by
    RAdam, AdamW and momentum, two seeds) the best one's rate was 2.5 times as high in the median,
    and 0.3 to 18 times in eight of ten. Model, random state and later batches are left as they
    were, and the same seed finds the same rate.
    """
    device = pixels.values.device
    trial = copy.deepcopy(model)
    set_modes(trial)
    batches = TrainingBatches(pixels, normalisation, recipe, seed)
    loss_function = loss_of(recipe, pixels.labels, classes)
    optimizer = optimizer_of(trial, recipe, device)
    rates: list[float] = []
    losses: list[float] = []
    mean = 0.0
    with seeded(seed, str(device)):
        for step, (images, labels) in enumerate(islice(_endless(batches), STEPS)):
            rate = LOWEST * (HIGHEST / LOWEST) ** (step / (STEPS - 1))
            loss = train_step(
                trial, images, labels, loss_function, optimizer, recipe, rate=rate, classes=classes
            ).item()
            mean = _SMOOTHING * mean + (1 - _SMOOTHING) * loss
            smooth = mean / (1 - _SMOOTHING ** (step + 1))  # of what there is, at the start
            if not math.isfinite(loss) or smooth > _DIVERGED * min(losses, default=math.inf):
                break
            rates.append(rate)
            losses.append(round(smooth, 6))  # what falls by less does not fall
    at = valley(losses)
    rate = recipe.learning_rate if at is None else rates[at]
    return RangeTest(rate, tuple(rates), tuple(losses))


def valley(losses: Sequence[float]) -> int | None:
    """Where in a range test's curve to take the rate: in the middle of its longest fall.

    The fall is the longest falling subsequence, of equally long ones the first, and the middle half
    its length before its end. The first steps do not count, nor does what comes after the highest
    point past the lowest: a curve that falls again there is of a network that has died. None where
    nothing falls.
    """
    settled = list(losses[_SETTLING:])
    if not settled:
        return None
    lowest = settled.index(min(settled))
    highest = settled.index(max(settled[lowest:]), lowest)
    length = [1] * (highest + 1)
    for i in range(highest + 1):
        length[i] += max((length[j] for j in range(i) if settled[i] < settled[j]), default=0)
    longest = max(length)
    return None if longest == 1 else _SETTLING + length.index(longest) - longest // 2


def _endless(batches: TrainingBatches) -> Iterator[tuple[Tensor, Tensor]]:
    while True:
        yield from batches.epoch()
