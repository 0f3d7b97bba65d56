"""Images that come as arrays in an .npz file, with their test part apart."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.data.dataset import Dataset, assemble
from dse.data.decode import resize_stack
from dse.errors import DataError

if TYPE_CHECKING:
    from dse.data.dataset import Integers, Pixels

ARRAYS = ("x_train", "y_train", "x_test", "y_test")


def load_npz(path: Path, *, size: int | None, name: str, note: str) -> Dataset:
    """x_train, y_train, x_test, y_test and optionally class_names; never a pickle.

    Images are uint8, (N, H, W) or (N, H, W, 3); `size` None keeps theirs, which must be square.
    Raises DataError for a missing array, another type or shape, or a label outside the classes.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays: dict[str, Any] = {
                key: stored[key] for key in (*ARRAYS, "class_names") if key in stored.files
            }
    except (OSError, ValueError, TypeError, EOFError, zlib.error, zipfile.BadZipFile) as fault:
        raise DataError(
            f"an .npz data set must be readable without pickle: {fault}, {path}"
        ) from None
    for key in ARRAYS:
        if key not in arrays:
            raise DataError(f"an .npz data set needs {', '.join(ARRAYS)}; {key} is not in {path}")
    names = arrays.get("class_names")
    classes = None if names is None else tuple(str(each) for each in names.ravel())
    return join_parts(
        (arrays["x_train"], arrays["y_train"]),
        (arrays["x_test"], arrays["y_test"]),
        classes,
        size=size,
        name=name,
        note=note,
        place=path,
    )


def join_parts(
    train: tuple[Any, Any],
    test: tuple[Any, Any],
    classes: tuple[str, ...] | None,
    *,
    size: int | None,
    name: str,
    note: str,
    place: Path,
) -> Dataset:
    """One data set of a training and a test part, each images and labels, after checking both."""
    (x_train, y_train), (x_test, y_test) = _checked(*train, place), _checked(*test, place)
    if x_train.shape[1:] != x_test.shape[1:]:
        raise DataError(
            f"train and test images must have one shape, got {x_train.shape[1:]} and "
            f"{x_test.shape[1:]}, {place}"
        )
    joined = np.concatenate([y_train, y_test])
    if classes is None:
        classes = tuple(str(label) for label in range(int(joined.max()) + 1))
    if joined.min() < 0 or joined.max() >= len(classes):
        raise DataError(
            f"labels must be 0 to {len(classes) - 1}, got {joined.min()} to {joined.max()}, {place}"
        )
    missing = [each for i, each in enumerate(classes) if not (joined == i).any()]
    if missing or len(classes) < 2:
        raise DataError(f"at least two classes, each with an image; none of {missing}, {place}")
    pixels = np.concatenate([x_train, x_test])
    return assemble(
        name,
        resize_stack(pixels, size or int(pixels.shape[1])),
        joined,
        classes,
        test=np.arange(len(joined)) >= len(y_train),
        note=note,
    )


def _checked(images: Any, labels: Any, place: Path) -> tuple[Pixels, Integers]:
    images, labels = np.asarray(images), np.asarray(labels)
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or images.shape[3:] not in ((), (3,)):
        raise DataError(
            f"images must be uint8 of shape (N, H, W) or (N, H, W, 3), got {images.dtype} "
            f"{images.shape}, {place}"
        )
    if images.shape[1] != images.shape[2]:
        raise DataError(f"images in arrays must be square, got {images.shape[1:3]}, {place}")
    # Keras keeps labels as a column.
    labels = labels.ravel()
    if len(labels) != len(images) or len(labels) == 0 or labels.dtype.kind not in "iu":
        raise DataError(
            f"there must be one integer label per image and at least one, got {len(labels)} "
            f"({labels.dtype}) for {len(images)}, {place}"
        )
    return images, labels.astype(np.int64)
