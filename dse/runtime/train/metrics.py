"""The metrics followed while a network trains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F


def epoch_metrics(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """Accuracy, balanced accuracy and loss of logits (N, classes) against labels (N,), and
    `recall.K`, `precision.K` and `f1.K` of each class K that occurs.

    Balanced accuracy is the mean recall of the classes that occur. The loss is plain cross entropy
    in nats, without smoothing or class weights, so that recipes can be compared by it. A class that
    is never predicted has a precision of 0.
    """
    confusion = confusion_of(logits.argmax(dim=1).numpy(), labels.numpy(), logits.shape[1])
    support = confusion.sum(axis=1)
    hits = confusion.diagonal()
    seen = support > 0
    said = confusion.sum(axis=0)
    each = {}
    for k in np.flatnonzero(seen):
        each[f"recall.{k}"] = float(hits[k] / support[k])
        each[f"precision.{k}"] = float(hits[k] / max(said[k], 1))
        each[f"f1.{k}"] = float(2 * hits[k] / (support[k] + said[k]))
    return {
        "accuracy": float(hits.sum() / support.sum()),
        "balanced_accuracy": float((hits[seen] / support[seen]).mean()),
        "loss": float(F.cross_entropy(logits, labels)),
        **each,
    }


def by_class_name(metrics: Mapping[str, float], classes: Sequence[str]) -> dict[str, float]:
    """The same metrics with those of class K under its name, as in `recall.covid`."""
    named = {}
    for name, value in metrics.items():
        metric, dot, k = name.partition(".")
        named[f"{metric}.{classes[int(k)]}" if dot else name] = value
    return named


def confusion_of(
    predicted: NDArray[np.int64], labels: NDArray[np.int64], classes: int
) -> NDArray[np.int64]:
    """Counts (classes, classes): row the true class, column the predicted one."""
    cells = np.bincount(labels * classes + predicted, minlength=classes * classes)
    return cells.reshape(classes, classes)
