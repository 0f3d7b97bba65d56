"""What a trained network is worth on a part of a data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from dse.errors import InvalidValue
from dse.runtime.train.device import pick_device
from dse.runtime.train.metrics import confusion_of, epoch_metrics
from dse.runtime.train.part import Part
from dse.runtime.train.pixels import Normalisation, on_device
from dse.runtime.train.predict import EVALUATION_BATCH, logits_of

BOOTSTRAP_SAMPLES = 10_000


@dataclass(frozen=True)
class ClassScore:
    """One class against the rest; a ratio without cases is 0. `support` is its number of images."""

    recall: float
    precision: float
    f1: float
    support: int


@dataclass(frozen=True)
class Score:
    """Metrics of a network on `n` images.

    `interval` is the 95 % bootstrap percentile interval of the accuracy: images are resampled, the
    network is not retrained, and images of one patient count as independent, so it is the narrowest
    reading of the doubt. `loss` is plain cross entropy in nats. `confusion` has a row for each true
    class and a column for each predicted one. `auroc` is the macro average of one class against the
    rest, None where a class has no images.
    """

    accuracy: float
    balanced_accuracy: float
    loss: float
    interval: tuple[float, float]
    per_class: tuple[ClassScore, ...]
    confusion: list[list[int]]
    auroc: float | None
    n: int


def score(
    model: nn.Module,
    part: Part,
    *,
    classes: int,
    mean: Sequence[float],
    std: Sequence[float],
    channels: int = 3,
    device: str = "cpu",
    batch_size: int = EVALUATION_BATCH,
) -> Score:
    """Measure a trained model on a part of a data set.

    `mean` and `std` are those of its training (`Fitted.mean`, `Fitted.std`): a part normalised by
    its own would be another problem than the network learned. The model moves to `device` and
    keeps its mode.

    Raises:
        InvalidValue: the data, the device or the model's output does not fit the arguments.
    """
    if len(mean) != channels or len(std) != channels:
        raise InvalidValue(
            f"mean and std need one number for each of {channels} channels, "
            f"got {len(mean)} and {len(std)}"
        )
    where = torch.device(pick_device(device))
    pixels = on_device(part, classes=classes, channels=channels, device=where)
    logits = logits_of(
        model.to(where),
        pixels,
        Normalisation(tuple(mean), tuple(std)),
        classes=classes,
        batch_size=batch_size,
    )
    labels = pixels.labels.cpu()
    truth, predicted = labels.numpy(), logits.argmax(dim=1).numpy()
    confusion = confusion_of(predicted, truth, classes)
    return Score(
        **epoch_metrics(logits, labels),
        interval=accuracy_interval(int(confusion.trace()), len(truth)),
        per_class=_per_class(truth, predicted, classes),
        confusion=confusion.tolist(),
        auroc=_auroc(truth, logits.double().softmax(dim=1).numpy()),
        n=len(truth),
    )


def accuracy_interval(correct: int, n: int, seed: int = 0) -> tuple[float, float]:
    """The 95 % bootstrap percentile interval of an accuracy of `correct` out of `n` images.

    Resampling n hits and misses with replacement and counting the hits is a draw from a binomial
    distribution, so the samples are drawn from that. All right or all wrong gives no width.
    """
    hits = np.random.default_rng(seed).binomial(n, correct / n, size=BOOTSTRAP_SAMPLES)
    low, high = np.percentile(hits / n, (2.5, 97.5))
    return float(low), float(high)


def _per_class(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], classes: int
) -> tuple[ClassScore, ...]:
    # Imported here: it takes half a second that a search, which only fits, need not spend.
    from sklearn.metrics import precision_recall_fscore_support

    columns = precision_recall_fscore_support(
        truth, predicted, labels=np.arange(classes), zero_division=0.0
    )
    return tuple(
        ClassScore(float(recall), float(precision), float(f1), int(support))
        for precision, recall, f1, support in zip(*columns, strict=True)
    )


def _auroc(truth: NDArray[np.int64], probabilities: NDArray[np.float64]) -> float | None:
    from sklearn.metrics import roc_auc_score

    classes = probabilities.shape[1]
    if classes < 2 or len(np.unique(truth)) < classes:
        return None
    if classes == 2:
        return float(roc_auc_score(truth, probabilities[:, 1]))
    return float(roc_auc_score(truth, probabilities, multi_class="ovr", average="macro"))
