"""Train one network by one recipe."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import nn

from dse.recipes import Recipe
from dse.runtime.train.batches import TrainingBatches
from dse.runtime.train.device import pick_device
from dse.runtime.train.divergence import check_validation
from dse.runtime.train.epoch import train_epoch
from dse.runtime.train.layout import channels_last
from dse.runtime.train.loss import loss_of
from dse.runtime.train.metrics import epoch_metrics
from dse.runtime.train.optimizer import optimizer_of
from dse.runtime.train.part import Part
from dse.runtime.train.pixels import normalisation, on_device
from dse.runtime.train.predict import logits_of
from dse.runtime.train.seeding import seeded

Report = Callable[[int, Mapping[str, float]], None]


@dataclass(frozen=True)
class Fitted:
    """What a training gave, beside the weights in the model.

    `metrics` are those of the last epoch: `accuracy`, `balanced_accuracy` and `loss` on the
    validation part (absent without one) and `train_loss`, the mean of what was minimised.
    `history` holds the same for each epoch, with its `epoch` (from 1) and last `learning_rate`.
    `seconds` is wall time. `mean` and `std`, one number for each input channel with pixels in 0 to
    1, are of the training part: whoever feeds the network later must normalise with them.
    """

    metrics: dict[str, float]
    history: list[dict[str, float]]
    seconds: float
    device: str
    mean: tuple[float, ...]
    std: tuple[float, ...]


def fit(
    model: nn.Module,
    train: Part,
    val: Part | None,
    recipe: Recipe,
    *,
    classes: int,
    channels: int = 3,
    seed: int = 0,
    device: str = "cpu",
    report: Report | None = None,
) -> Fitted:
    """Train `model` in place by `recipe` and measure it on `val` after every epoch.

    The metrics that count are those of the last epoch. Under a schedule that ends at zero they are
    the honest ones: the best epoch on `val` would be a maximum over noise, higher for longer
    trainings, and would make a search prefer luck.

    On a CPU the same seed, model, data and number of threads give the same weights bit for bit;
    seed the model's own initialisation by building it inside `seeded`. The model ends on `device`
    in evaluation mode.

    Args:
        model: Takes float32 (B, channels, H, W) in channels-last layout (so it may `flatten` or
            `reshape`, but not `view` across dimensions) and returns logits (B, classes).
        train: Images to learn from, at least two.
        val: Images to measure on, or None to measure nothing.
        recipe: The training; batches hold at most its `batch_size` images and never a single one.
        classes: Number of classes, the length of the model's output.
        channels: Input channels of the model. Grayscale images fill any number of them, RGB suits
            3, or 1 as luma.
        seed: Of the order, the augmentation and whatever the model draws.
        device: As `pick_device` takes it.
        report: Called after each epoch with its number, from 1, and its metrics. What it raises
            ends the training and passes through.

    Raises:
        DivergedTraining: the loss, in training or on `val`, is infinite or not a number.
        InvalidValue: the data, the device or the model's output does not fit the arguments.
    """
    started = time.perf_counter()
    where = torch.device(pick_device(device))
    train_pixels = on_device(train, classes=classes, channels=channels, device=where)
    val_pixels = (
        None if val is None else on_device(val, classes=classes, channels=channels, device=where)
    )
    normal = normalisation(train_pixels, channels)
    batches = TrainingBatches(train_pixels, normal, recipe, seed)
    loss_function = loss_of(recipe, train_pixels.labels, classes)
    history: list[dict[str, float]] = []
    with seeded(seed, str(where)), channels_last(model, where):
        optimizer = optimizer_of(model, recipe, where)
        for epoch in range(1, recipe.epochs + 1):
            train_loss, rate = train_epoch(
                model, batches, loss_function, optimizer, recipe, epoch=epoch, classes=classes
            )
            metrics = {"train_loss": train_loss}
            if val_pixels is not None:
                logits = logits_of(model, val_pixels, normal, classes=classes)
                metrics |= epoch_metrics(logits, val_pixels.labels.cpu())
                check_validation(metrics["loss"], epoch, rate)
            history.append({"epoch": epoch, "learning_rate": rate, **metrics})
            if report is not None:
                report(epoch, metrics)
    return Fitted(
        metrics, history, time.perf_counter() - started, str(where), normal.mean, normal.std
    )
