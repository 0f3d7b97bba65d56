"""How much do trivial cues tell?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dse.data.audit.finding import Finding
from dse.data.audit.trivial import Cue, guessing, linear_cue

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dse.data.dataset import Dataset, Pixels, Split

    Floats = NDArray[np.floating[Any]]

THUMBNAIL = 8
BINS = 32
FRAMED = 64
"""The side at which the border is cut, or the images' own if that is smaller."""
BORDER = 16
"""The border is this part of the side: 4 pixels of 64."""
TELLING = 0.25
"""A cue that closes this much of the gap between guessing and certainty is worth a look."""
TELLING_THUMBNAIL = 0.5
"""As much for the thumbnail, in which a little of what the image shows is left."""


def check_cues(data: Dataset, split: Split, size: Cue | None) -> Finding:
    """Accuracy on the test part by thumbnail, histogram and border alone, beside guessing.

    Thumbnail: the means of 8x8 fields. Histogram: 32 bins a channel. Border: the outer 4 pixels at
    64x64. Each is given to a logistic regression that learns on train and val. `size` is what the
    size of the files told, where sizes differ.
    """
    guess = guessing(data, split)
    thumbnail = f"{THUMBNAIL}x{THUMBNAIL} thumbnail"
    cues = [
        linear_cue(thumbnail, _thumbnails(data.images), data, split),
        linear_cue(f"{BINS}-bin histogram", _histograms(data.images), data, split),
        linear_cue("border", _borders(data.images), data, split),
    ]
    if size is not None:
        cues.append(size)
    telling = [
        cue
        for cue in cues
        if cue.low > guess
        and cue.accuracy - guess
        >= (TELLING_THUMBNAIL if cue.name == thumbnail else TELLING) * (1 - guess)
    ]
    where = "the test part" if split.fold is None else f"fold {split.fold}"
    number = len(split.test)
    if telling:
        most = max(telling, key=lambda cue: cue.accuracy)
        said = (
            f"on {where} ({number:,} images) the {most.name} alone tells the class of "
            f"{most.accuracy:.0%}, where guessing is right for {guess:.0%}"
        )
        advice = (
            "a network has to beat these to have seen more; if border, histogram or size cannot "
            "show the class, see whether the classes come from different sources"
        )
    else:
        said = (
            f"on {where} ({number:,} images) no cue is far above guessing, which is right for "
            f"{guess:.0%}"
        )
        advice = ""
    wide = max(len(cue.name) for cue in cues)
    details = [
        f"{'cue':<{wide}}  accuracy  95 % interval",
        f"{'guessing':<{wide}}  {guess:8.2f}",
        *(
            f"{cue.name:<{wide}}  {cue.accuracy:8.2f}  {cue.low:.2f} to {cue.high:.2f}"
            for cue in cues
        ),
    ]
    facts = {
        "fold": split.fold,
        "test_images": number,
        "guessing": round(guess, 4),
        "cues": [cue.document() for cue in cues],
    }
    return Finding("cues", "look" if telling else "ok", said, advice, tuple(details), facts)


def _thumbnails(images: Pixels) -> Floats:
    return _means(images, THUMBNAIL).reshape(len(images), -1)


def _histograms(images: Pixels) -> Floats:
    flat = images.reshape(len(images), -1, 1 if images.ndim == 3 else 3)
    bins = flat // (256 // BINS) + np.arange(flat.shape[2], dtype=np.uint8) * BINS
    counted = [np.bincount(one.ravel(), minlength=BINS * flat.shape[2]) for one in bins]
    return np.asarray(counted, dtype=np.float32) / flat.shape[1]


def _borders(images: Pixels) -> Floats:
    side = min(FRAMED, images.shape[1])
    framed = _means(images, side)
    outer = np.ones((side, side), dtype=np.bool_)
    depth = max(1, side // BORDER)
    outer[depth:-depth, depth:-depth] = False
    return framed[:, outer].reshape(len(images), -1)


def _means(images: Pixels, side: int) -> Floats:
    """The means of side x side equal fields, unrounded: (N, side, side, channels)."""
    number, size = images.shape[:2]
    edges = np.arange(side + 1) * size / side
    # Fields may begin and end within a pixel.
    pixel = np.arange(size)
    shared = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    weights = (np.clip(shared, 0, None) * side / size).astype(np.float32)
    means = np.empty((number, side, side, 1 if images.ndim == 3 else 3), dtype=np.float32)
    for start in range(0, number, 1024):
        block = images[start : start + 1024].reshape(-1, size, size, means.shape[3])
        rows = np.einsum("ih,nhwc->niwc", weights, block.astype(np.float32), optimize=True)
        means[start : start + 1024] = np.einsum("jw,niwc->nijc", weights, rows, optimize=True)
    return means
