"""Train one network by one recipe."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import torch
from torch import nn

from dse.errors import InvalidValue, UnknownName
from dse.recipes import Recipe
from dse.runtime.train.checkpoint import Checkpoint
from dse.runtime.train.convolutions import fast_convolutions
from dse.runtime.train.device import pick_device
from dse.runtime.train.identity import identity_of
from dse.runtime.train.layout import channels_last
from dse.runtime.train.log import logged
from dse.runtime.train.part import Part
from dse.runtime.train.pixels import normalisation, on_device
from dse.runtime.train.range_test import RangeTest
from dse.runtime.train.seeding import seeded
from dse.runtime.train.training import Training
from dse.runtime.train.tune import Tune

Report = Callable[[int, Mapping[str, float]], None]


@dataclass(frozen=True)
class Fitted:
    """What a training gave, beside the weights in the model.

    `metrics` are those of the last epoch, or under early stopping and gradual tuning of the best
    one: those of `epoch_metrics` on the validation part (absent without one) and `train_loss`, the
    mean of what was minimised. `history` holds the same for each epoch, with its
    `epoch` (from 1) and last `learning_rate`. `range_test` is the one that found the rate, if the
    recipe asks. `seconds` is wall time, of all processes that had a part in the training. `tuned`
    names the children of the model that learned, from input to classifier. `mean` and `std`, one
    number for each input channel with pixels in 0 to 1, are of the training part: whoever feeds the
    network later must normalise with them. `over` is false where the training was asked to pause.
    """

    metrics: dict[str, float]
    history: list[dict[str, float]]
    seconds: float
    device: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    tuned: tuple[str, ...]
    range_test: RangeTest | None
    over: bool


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
    tune: Tune = "all",
    checkpoint: Path | None = None,
    log: Path | None = None,
    until: int | None = None,
) -> Fitted:
    """Train `model` in place by `recipe` and measure it on `val` after every epoch.

    The metrics that count are those of the last epoch. Under a schedule that ends at zero they are
    the honest ones: the best epoch on `val` would be a maximum over noise, higher for longer
    trainings, and would make a search prefer luck. A recipe with `early_stopping` and gradual
    tuning ask for just that: their accuracy is a maximum over epochs, to be compared with its like
    alone. Without `val` there is nothing to stop by, and all epochs are trained.

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
            ends the training and passes through, after the epoch was saved.
        tune: What learns: the whole model; the head alone, the rest staying as it came; or, as
            `Tuning` has it, ever more stages from the head for as long as that helps on `val`.
        checkpoint: A folder, of this training alone, in which each epoch is saved. What it holds is
            gone on from, whatever the weights that `model` came with: the result is that of a
            training never interrupted, on a CPU bit for bit. A training that is over is read.
        log: A folder for an event file that TensorBoard shows: losses, accuracies, learning rate
            and speed of each epoch.
        until: Pause after this epoch, with the metrics so far. Called again with the same
            `checkpoint`, the training goes on as one that never paused: the schedule is that of all
            the recipe's epochs.

    Raises:
        DivergedTraining: the loss, in training or on `val`, is infinite or not a number.
        InvalidValue: the data, the device or the model's output does not fit the arguments; gradual
            tuning without `val`; a checkpoint of another training, or one in use.
        DataError: the checkpoint or the log cannot be written, for one because the disk is full;
            the checkpoint cannot be read.
    """
    started = time.perf_counter()
    if tune not in get_args(Tune):
        raise UnknownName("tuning", tune, get_args(Tune))
    if tune == "gradual" and val is None:
        raise InvalidValue(
            "gradual tuning opens stages while the validation accuracy improves: it needs a "
            "validation part, got none"
        )
    where = torch.device(pick_device(device))
    train_pixels = on_device(train, classes=classes, channels=channels, device=where)
    val_pixels = (
        None if val is None else on_device(val, classes=classes, channels=channels, device=where)
    )
    normal = normalisation(train_pixels, channels)
    kept = None
    if checkpoint is not None:
        identity = identity_of(
            model,
            train,
            val,
            recipe,
            classes=classes,
            channels=channels,
            seed=seed,
            tune=tune,
            device=where,
        )
        kept = Checkpoint(checkpoint, identity)
    with (
        seeded(seed, str(where)),
        channels_last(model, where),
        fast_convolutions(model, where),
        nullcontext() if kept is None else kept.locked(),
    ):
        training = Training(
            model, train_pixels, val_pixels, normal, recipe, classes=classes, seed=seed, tune=tune
        )
        saved = None if kept is None else kept.load()
        if saved is not None:
            training.restore(saved)
        before = training.seconds
        with training.tuning.applied(), logged(log, training.rows) as add_row:
            while not training.over and (until is None or len(training.history) < until):
                metrics = training.advance()
                training.seconds = before + time.perf_counter() - started
                if kept is not None:
                    kept.save(training.saved())
                add_row(training.rows[-1])
                if report is not None:
                    report(len(training.history), metrics)
        metrics = training.finish()
    return Fitted(
        metrics=metrics,
        history=training.history,
        seconds=before + time.perf_counter() - started,
        device=str(where),
        mean=normal.mean,
        std=normal.std,
        tuned=training.tuning.names(),
        range_test=training.range_test,
        over=training.over,
    )
