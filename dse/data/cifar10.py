"""`cifar10`: the official python batches, or the same images in an .npz file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dse.data.places import locate, subfolders
from dse.errors import DataError

if TYPE_CHECKING:
    from dse.data.dataset import Dataset

NAME = "cifar10"
IMAGE_SIZE = 32
# In label order.
CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
FULL = 60_000
FOLDER = "cifar-10-batches-py"
WANTED = f"the folder {FOLDER} or a file cifar10*.npz"
HOW_TO_GET = (
    "`dse data fetch cifar10` gets it; or unpack www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz "
    f"and pass --data-dir {FOLDER}, or keep it in the folder that $DSE_DATA names"
)


def find_cifar10(data_dir: Path | None) -> Path | None:
    """The folder of batches or the .npz file, or None where there is neither.

    Raises DataError if `data_dir` is given and holds neither.
    """
    return locate(NAME, _match, data_dir, WANTED)


def load_cifar10(data_dir: Path | None, size: int) -> Dataset:
    """CIFAR-10 with its published test part. Raises DataError where it is not found."""
    found = find_cifar10(data_dir)
    if found is None:
        raise DataError(f"data set 'cifar10' is not on this machine: {HOW_TO_GET}")
    from dse.data.arrays import load_npz
    from dse.data.cifar10_batches import load_batches

    if found.is_dir():
        return load_batches(found, size=size, name=NAME, classes=CLASSES)
    data = load_npz(found, size=size, name=NAME, note=f"CIFAR-10 images from {found.name}")
    if len(data.classes) != len(CLASSES):
        raise DataError(f"CIFAR-10 has 10 classes, got {len(data.classes)}, {found}")
    if len(data.labels) < FULL:
        extract = f"{len(data.labels):,} of {FULL:,}, so not comparable with published accuracies"
        data = replace(data, note=f"{data.note}, {extract}")
    return data


def _match(place: Path) -> Path | None:
    if place.is_file():
        return place if place.suffix == ".npz" else None
    # The whole of CIFAR-10 comes before an extract of it.
    for folder in (place, place / FOLDER, *(f / FOLDER for f in subfolders(place))):
        if (folder / "data_batch_1").is_file():
            return folder
    for folder in (place, place / NAME):
        found = sorted((*folder.glob("cifar10*.npz"), *folder.glob("cifar-10*.npz")))
        if found:
            return found[0]
    return None
