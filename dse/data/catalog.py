"""The data sets by name: loading one, and listing what this machine has."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from dse.data import cifar10, covid
from dse.data.dataset import Dataset
from dse.data.places import shared_data, subfolders, synthetic_note
from dse.errors import DataError, InvalidValue, UnknownName

if TYPE_CHECKING:
    from dse.data.decode import Progress

FOLDER_IMAGE_SIZE = 64
SMALLEST, LARGEST = 8, 1024


def dataset_names() -> tuple[str, ...]:
    """The data sets known by name; any folder of images may be named by its path besides."""
    return (covid.NAME, "digits", cifar10.NAME)


def load_dataset(
    name: str | Path,
    *,
    data_dir: Path | None = None,
    image_size: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Dataset:
    """A data set by name, or the image folder (or .npz file) at a path.

    `data_dir` is the data set's folder or one that contains it; without it, $DSE_DATA and the
    user's cache are searched. `image_size` is the side of the square images in pixels (64 by
    default; 32 for digits and cifar10). `seed` makes the synthetic phantoms that stand in where no
    real `covid` images are found. `progress(done, total)` is called while images are decoded.

    Raises UnknownName for a name that is neither known nor a folder, InvalidValue for an image size
    outside 8 to 1024 or a negative seed, DataError for data that is absent, empty or damaged, or
    whose folds or test part divide the images of a patient.
    """
    from dse.data.leakage import refuse_divided_patients

    data = read_dataset(
        name, data_dir=data_dir, image_size=image_size, seed=seed, progress=progress
    )
    refuse_divided_patients(data)
    return data


def read_dataset(
    name: str | Path,
    *,
    data_dir: Path | None = None,
    image_size: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Dataset:
    """What `load_dataset` gives, however it is divided: for those who look for what is wrong."""
    if image_size is not None and not SMALLEST <= image_size <= LARGEST:
        raise InvalidValue(f"image_size must be {SMALLEST} to {LARGEST} pixels, got {image_size}")
    if seed < 0:
        raise InvalidValue(f"seed must be 0 or more, got {seed}")
    data_dir = Path(data_dir) if data_dir is not None else None
    if name == covid.NAME:
        return covid.load_covid(data_dir, image_size or covid.IMAGE_SIZE, seed, progress)
    if name == cifar10.NAME:
        return cifar10.load_cifar10(data_dir, image_size or cifar10.IMAGE_SIZE)
    if name == "digits":
        from dse.data import digits

        return digits.load_digits(image_size or digits.IMAGE_SIZE)

    path = _path(name, data_dir)
    if path.suffix == ".npz":
        from dse.data.arrays import load_npz

        return load_npz(path, size=image_size, name=path.stem, note=f"images from {path.name}")
    from dse.data.folder import load_folder

    # Resolved, so that "." has a name.
    return load_folder(path.resolve(), size=image_size or FOLDER_IMAGE_SIZE, progress=progress)


def place_of(name: str | Path, data_dir: Path | None = None) -> Path | None:
    """The folder or file that `load_dataset` reads; None for what is built in or made.

    Raises as `load_dataset` does for what is not there.
    """
    data_dir = Path(data_dir) if data_dir is not None else None
    if name == covid.NAME:
        return covid.find_covid(data_dir)
    if name == cifar10.NAME:
        return cifar10.find_cifar10(data_dir)
    return None if name == "digits" else _path(name, data_dir)


def describe_datasets() -> list[dict[str, object]]:
    """One row per data set for people: name, status, where, classes; nothing is decoded.

    `status` is "found", "built in", "synthetic" (phantoms, made or standing in) or "not found";
    `where` is the path, or how to get the data; `classes` a list of names, or None where finding
    out is not cheap. Image folders and arrays in the folder that $DSE_DATA names are listed too.
    """
    rows: list[dict[str, object]] = []
    found = covid.find_covid(None)
    status = "found" if found and synthetic_note(found) is None else "synthetic"
    rows.append(_row(covid.NAME, status, found, covid.HOW_TO_GET, covid.CLASSES))
    digits = tuple(str(digit) for digit in range(10))
    rows.append(_row("digits", "built in", None, "comes with scikit-learn", digits))
    batches = cifar10.find_cifar10(None)
    status = "found" if batches else "not found"
    rows.append(_row(cifar10.NAME, status, batches, cifar10.HOW_TO_GET, cifar10.CLASSES))
    shared = shared_data()
    for folder in subfolders(shared) if shared is not None else []:
        inside = tuple(child.name for child in subfolders(folder))
        if folder not in (found, batches) and len(inside) > 1:
            status = "found" if synthetic_note(folder) is None else "synthetic"
            rows.append(_row(folder.name, status, folder, "", inside))
    return rows


def _row(
    name: str, status: str, found: Path | None, otherwise: str, classes: tuple[str, ...]
) -> dict[str, object]:
    return {
        "name": name,
        "status": status,
        "where": str(found) if found is not None else otherwise,
        "classes": list(classes),
    }


def _path(name: str | Path, data_dir: Path | None) -> Path:
    path = Path(name).expanduser()
    # An empty name would be the current folder.
    if name != "" and path.exists():
        return path
    is_bare = isinstance(name, str) and not name.startswith((".", "~")) and os.sep not in name
    if not is_bare:
        raise DataError(f"a data set must be a folder or .npz file that exists, got {path}")
    # A bare name may be a folder among the others.
    for place in (data_dir, shared_data()):
        if place is not None and name and (place / name).exists():
            return place / name
    if data_dir is not None and data_dir.exists() and data_dir.name == name:
        return data_dir
    raise UnknownName("data set", name, dataset_names())
