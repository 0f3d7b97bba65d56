"""What data this machine has: how many images, how large, where. No image is decoded."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from dse.data import cifar10, covid
from dse.data.catalog import describe_datasets
from dse.data.folder import list_folder, same_name
from dse.data.phantoms.make import CLASSES, PER_CLASS
from dse.errors import DataError

LOOKED_AT = 12
"""Files of a folder whose headers tell whether all are of one size."""


@dataclass(frozen=True)
class Held:
    """A data set as it lies here: `pixels` as in 128x128, `bytes` on disk, None if not known."""

    name: str
    status: str
    images: int | None
    pixels: str
    bytes: int | None
    classes: tuple[str, ...]
    where: str

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {**vars(self), "classes": list(self.classes)}


def inventory() -> list[Held]:
    """The data sets that `describe_datasets` finds, with their numbers."""
    return [_held(row) for row in describe_datasets()]


def _held(row: dict[str, Any]) -> Held:
    name, status, where = str(row["name"]), str(row["status"]), str(row["where"])
    classes = tuple(map(str, row["classes"]))
    place = Path(where)
    images: int | None = None
    pixels, size = "", None
    if name == "digits":
        images, pixels = 1797, "8x8"
    elif place.is_file():
        images, pixels = _arrays(place)
        size = place.stat().st_size
    elif name == cifar10.NAME and place.is_dir():
        images, pixels = cifar10.FULL, f"{cifar10.IMAGE_SIZE}x{cifar10.IMAGE_SIZE}"
        size = sum(file.stat().st_size for file in place.iterdir() if file.is_file())
    elif place.is_dir():
        try:
            listing = list_folder(place, covid.class_of if name == covid.NAME else same_name)
        except DataError:
            # Its own error is for those who ask for it.
            return Held(name, "damaged", None, "", None, classes, where)
        files = [place / one.file for one in listing.rows]
        classes, images, pixels = listing.classes, len(files), _pixels(files)
        size = sum(file.stat().st_size for file in files)
    elif status == "synthetic":
        images, pixels = len(CLASSES) * PER_CLASS, "any"
    return Held(name, status, images, pixels, size, classes, where)


def _arrays(path: Path) -> tuple[int | None, str]:
    """Number and size of the images in an .npz file, from the headers of its arrays."""
    from numpy.lib import format as headers

    number, pixels = 0, ""
    try:
        with zipfile.ZipFile(path) as stored:
            for array in ("x_train", "x_test"):
                with stored.open(f"{array}.npy") as file:
                    first = headers.read_magic(file) == (1, 0)
                    read = headers.read_array_header_1_0 if first else headers.read_array_header_2_0
                    shape, _, _ = read(file)
                    number, pixels = number + shape[0], f"{shape[2]}x{shape[1]}"
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return None, ""
    return number, pixels


def _pixels(files: list[Path]) -> str:
    """The size of the images, if files from all over the list agree on one."""
    sizes = set()
    for file in files[:: max(1, len(files) // LOOKED_AT)]:
        try:
            with Image.open(file) as image:
                sizes.add("{}x{}".format(*image.size))
        except Exception:
            continue
    return sizes.pop() if len(sizes) == 1 else "various"
