"""The metrics followed while a network trains."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F


def epoch_metrics(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """Accuracy, balanced accuracy and loss of logits (N, classes) against labels (N,).

    Balanced accuracy is the mean recall of the classes that occur. The loss is plain cross entropy
    in nats, without smoothing or class weights, so that recipes can be compared by it.
    """
    confusion = confusion_of(logits.argmax(dim=1).numpy(), labels.numpy(), logits.shape[1])
    support = confusion.sum(axis=1)
    hits = confusion.diagonal()
    seen = support > 0
    return {
        "accuracy": float(hits.sum() / support.sum()),
        "balanced_accuracy": float((hits[seen] / support[seen]).mean()),
        "loss": float(F.cross_entropy(logits, labels)),
    }


def confusion_of(
    predicted: NDArray[np.int64], labels: NDArray[np.int64], classes: int
) -> NDArray[np.int64]:
    """Counts (classes, classes): row the true class, column the predicted one."""
    cells = np.bincount(labels * classes + predicted, minlength=classes * classes)
    return cells.reshape(classes, classes)
