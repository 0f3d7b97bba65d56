"""What a trained network is worth on a part of a data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from dse.errors import InvalidValue
from dse.runtime.train.bootstrap import Interval, intervals, miou
from dse.runtime.train.device import pick_device
from dse.runtime.train.part import Part
from dse.runtime.train.pixels import Normalisation, on_device
from dse.runtime.train.predict import EVALUATION_BATCH, logits_of


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

    Attributes:
        accuracy: share of the images whose class is the most probable one.
        balanced_accuracy: mean recall of the classes that occur.
        top2_accuracy: share of the images whose class is among the two most probable; None where
            there are only two.
        auroc: macro average over the areas of one class against the rest; None where a class has
            no images.
        miou: mean intersection over union of the classes, as `bootstrap.miou` has it.
        loss: plain cross entropy in nats.
        intervals: of accuracy, balanced_accuracy, miou and, where there is one, auroc: 95 %
            bootstrap intervals, as `bootstrap.intervals` has them.
        per_class: each class by itself.
        confusion: a row for each true class, a column for each predicted one.
        probabilities: of each class for each image (n, classes), in the order of the part.
    """

    n: int
    accuracy: float
    balanced_accuracy: float
    top2_accuracy: float | None
    auroc: float | None
    miou: float
    loss: float
    intervals: dict[str, Interval]
    per_class: tuple[ClassScore, ...]
    confusion: list[list[int]]
    probabilities: NDArray[np.float64] = field(repr=False, compare=False)

    @property
    def interval(self) -> Interval:
        """That of the accuracy."""
        return self.intervals["accuracy"]


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
    groups: NDArray[np.generic] | None = None,
) -> Score:
    """Measure a trained model on a part of a data set.

    `mean` and `std` are those of its training (`Fitted.mean`, `Fitted.std`): a part normalised by
    its own would be another problem than the network learned. The model moves to `device` and
    keeps its mode. `groups` (N,) names the patient of each image: the intervals then resample
    patients, where they would else take images of one patient for independent and be too narrow.

    Raises:
        InvalidValue: the data, the device or the model's output does not fit the arguments.
    """
    if len(mean) != channels or len(std) != channels:
        raise InvalidValue(
            f"mean and std need one number for each of {channels} channels, "
            f"got {len(mean)} and {len(std)}"
        )
    if groups is not None and groups.shape != part.labels.shape:
        raise InvalidValue(
            f"groups must be of shape {part.labels.shape}, one for each image, got {groups.shape}"
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
    return _score(
        labels.numpy(),
        logits.double().softmax(dim=1).numpy(),
        loss=float(F.cross_entropy(logits, labels)),
        groups=groups,
    )


def _score(
    truth: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    *,
    loss: float,
    groups: NDArray[np.generic] | None,
) -> Score:
    # Imported here: it takes half a second that a search, which only fits, need not spend.
    from sklearn.metrics import (
        accuracy_score,
        confusion_matrix,
        precision_recall_fscore_support,
        roc_auc_score,
        top_k_accuracy_score,
    )

    classes = probabilities.shape[1]
    names = np.arange(classes)
    predicted = probabilities.argmax(axis=1)
    confusion = confusion_matrix(truth, predicted, labels=names)
    precision, recall, f1, support = precision_recall_fscore_support(
        truth, predicted, labels=names, zero_division=0.0
    )
    top2 = auroc = None
    if classes > 2:
        top2 = float(top_k_accuracy_score(truth, probabilities, k=2, labels=names))
    if classes > 1 and support.all():
        scores = probabilities if classes > 2 else probabilities[:, 1]
        auroc = float(roc_auc_score(truth, scores, multi_class="ovr", average="macro"))
    return Score(
        n=len(truth),
        accuracy=float(accuracy_score(truth, predicted)),
        balanced_accuracy=float(recall[support > 0].mean()),
        top2_accuracy=top2,
        auroc=auroc,
        miou=miou(confusion),
        loss=loss,
        intervals=intervals(truth, probabilities, groups),
        per_class=tuple(
            ClassScore(float(r), float(p), float(f), int(n))
            for r, p, f, n in zip(recall, precision, f1, support, strict=True)
        ),
        confusion=confusion.tolist(),
        probabilities=probabilities,
    )
