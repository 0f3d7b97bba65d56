"""How far the metrics of a test could have come out otherwise, had other images been drawn."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
_AT_ONCE = 1 << 21
"""Weights held at a time: what fits a processor's cache is summed several times as fast."""

Interval = tuple[float, float]


def intervals(
    truth: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    groups: NDArray[np.generic] | None = None,
    seed: int = 0,
) -> dict[str, Interval]:
    """95 % bootstrap percentile intervals of accuracy, balanced accuracy, AUROC and mIoU.

    Images are drawn with replacement, as many as there are; with `groups` (N,), one name for each
    image, whole groups are, because images of one patient resemble each other and tell less than
    as many of different ones. The network is not trained again. A class that a resample lacks
    counts in none of its means, and leaves its AUROC undefined: that resample is then passed over
    for the AUROC. Without images of every class there is no AUROC at all.

    Args:
        truth: the class of each image (N,).
        probabilities: of each class for each image (N, classes); the largest is the prediction.
    """
    classes = probabilities.shape[1]
    cells = truth * classes + probabilities.argmax(axis=1)
    _, members = np.unique(np.arange(len(truth)) if groups is None else groups, return_inverse=True)
    defined = classes > 1 and len(np.unique(truth)) == classes
    sampled: dict[str, list[NDArray[np.float64]]] = {}
    for weights in _weights(members, np.random.default_rng(seed)):
        values = _by_confusion(_confusions(cells, weights, classes))
        if defined:
            values["auroc"] = _auroc(truth, probabilities, weights)
        for name, found in values.items():
            sampled.setdefault(name, []).append(found)
    bounds = {
        name: np.nanpercentile(np.concatenate(parts), (2.5, 97.5))
        for name, parts in sampled.items()
    }
    return {name: (float(low), float(high)) for name, (low, high) in bounds.items()}


def miou(confusion: NDArray[np.int64]) -> float:
    """Mean intersection over union of the classes in a confusion matrix (true, predicted).

    Of one class: images that are both it and called it, over images that are either. A class that
    neither occurs nor is predicted counts not.
    """
    return float(_by_confusion(confusion[..., None])["miou"][0])


def _weights(members: NDArray[np.intp], draw: np.random.Generator) -> Iterator[NDArray[np.float32]]:
    """How often each image is in each resample, (images, resamples), some resamples at a time."""
    groups = int(members.max()) + 1
    at_once = max(1, min(RESAMPLES, _AT_ONCE // len(members)))
    for start in range(0, RESAMPLES, at_once):
        resamples = min(at_once, RESAMPLES - start)
        drawn = draw.integers(groups, size=(resamples, groups))
        drawn += groups * np.arange(resamples)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=resamples * groups)
        yield counts.reshape(resamples, groups).T.astype(np.float32)[members]


def _confusions(
    cells: NDArray[np.int64], weights: NDArray[np.float32], classes: int
) -> NDArray[np.float32]:
    """Confusion matrices (classes, classes, resamples) of images in the `cells` of one."""
    sums = _summed(cells, np.arange(len(cells)), classes * classes, weights)
    return sums.reshape(classes, classes, -1)


def _by_confusion(confusions: NDArray[np.generic]) -> dict[str, NDArray[np.float64]]:
    """Metrics (resamples,) of confusion matrices (classes, classes, resamples)."""
    counts = confusions.astype(np.float64)
    hits = np.einsum("iib->ib", counts)
    support, predicted = counts.sum(axis=1), counts.sum(axis=0)
    with np.errstate(invalid="ignore"):  # 0 / 0 is a class that is not there
        recall, overlap = hits / support, hits / (support + predicted - hits)
    return {
        "accuracy": hits.sum(axis=0) / support.sum(axis=0),
        "balanced_accuracy": np.nanmean(recall, axis=0),
        "miou": np.nanmean(overlap, axis=0),
    }


def _auroc(
    truth: NDArray[np.int64], probabilities: NDArray[np.float64], weights: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Macro AUROC of one class against the rest in each resample; NaN where it lacks a class.

    Of one class: the share of pairs of an image of it and another in which the first scores
    higher, ties counting half.
    """
    classes = probabilities.shape[1]
    areas = []
    for cls in range(classes) if classes > 2 else (1,):
        ours, others = np.flatnonzero(truth == cls), np.flatnonzero(truth != cls)
        scores, place = np.unique(probabilities[ours, cls], return_inverse=True)
        # Bins of the others, by the distinct scores of ours: 2k lies below the k-th, 2k + 1 on it.
        bins = np.searchsorted(scores, probabilities[others, cls], side="left")
        bins += np.searchsorted(scores, probabilities[others, cls], side="right")
        up_to = np.cumsum(_summed(bins, others, 2 * len(scores) + 1, weights), axis=0)
        mine = _summed(place, ours, len(scores), weights)
        pairs = mine.sum(axis=0, dtype=np.float64) * up_to[-1]
        wins = np.einsum("kb,kb->b", mine, up_to[:-1:2] + up_to[1::2], dtype=np.float64) / 2
        with np.errstate(invalid="ignore"):
            areas.append(wins / pairs)
    macro: NDArray[np.float64] = np.mean(areas, axis=0)
    return macro


def _summed(
    bins: NDArray[np.integer], images: NDArray[np.intp], count: int, weights: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Sums (count, resamples) of the weights of `images`, each of which falls in one of `bins`."""
    from scipy.sparse import csr_array

    ones = np.ones(len(images), np.float32)
    sums: NDArray[np.float32] = csr_array((ones, (bins, images)), (count, len(weights))) @ weights
    return sums
