"""`covid`: chest X-rays in three classes, under the folder names of three public collections."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dse.data.places import locate, subfolders
from dse.errors import DataError

if TYPE_CHECKING:
    from dse.data.dataset import Dataset
    from dse.data.decode import Progress

NAME = "covid"
IMAGE_SIZE = 64
CLASSES = ("covid", "normal", "pneumonia")
HOW_TO_GET = (
    "for real images unpack the COVID-19 Radiography Database (kaggle.com/tawsifurrahman) or the "
    "DarkCovidNet collection (github.com/muhammedtalo/COVID-19) and pass --data-dir FOLDER"
)
WANTED = "the image folders covid, normal and pneumonia (or a public collection's names for them)"

# Folder names without case, spaces, hyphens and underscores. Lung_Opacity is deliberately absent.
_ALIASES = {
    "covid": "covid",
    "covid19": "covid",
    "normal": "normal",
    "nofinding": "normal",
    "nofindings": "normal",
    "pneumonia": "pneumonia",
    "viralpneumonia": "pneumonia",
}
# Where a parent folder holds several, the full set comes before the tiny one.
_FOLDERS = (
    "covid-xray-128",
    "covid-xray",
    "covid",
    "COVID-19_Radiography_Dataset",
    "COVID-19 Radiography Database",
    "X-Ray Image DataSet",
    "covid-xray-tiny",
)
_NIH_FILE = re.compile(r"(\d{8})_\d{3}\.\w+$")


def class_of(name: str) -> str | None:
    """The class that a folder of any of the collections stands for, or None."""
    return _ALIASES.get(re.sub(r"[\s_-]", "", name).casefold())


def patient_of(file: str) -> str | None:
    """The patient of an image of the NIH collection, whose file names begin with it."""
    match = _NIH_FILE.search(file)
    return f"nih-{match[1]}" if match else None


def find_covid(data_dir: Path | None) -> Path | None:
    """The folder of real chest X-rays, or None where there is none.

    Raises DataError if `data_dir` is given and holds none: asking for real images must never
    silently give synthetic ones.
    """
    return locate(NAME, _match, data_dir, WANTED)


def load_covid(
    data_dir: Path | None, size: int, seed: int, progress: Progress | None = None
) -> Dataset:
    """The real X-rays where they are found, else synthetic phantoms, which say what they are."""
    found = find_covid(data_dir)
    if found is None:
        from dse.data.phantoms import make_phantoms

        return make_phantoms(size=size, seed=seed, advice=HOW_TO_GET)
    from dse.data.folder import load_folder

    data = load_folder(
        found,
        size=size,
        name=NAME,
        note=f"chest X-rays from {found.name}, for research and testing, not for diagnosis; the "
        "classes come from different hospitals and archives, so accuracy is no proof of finding "
        "disease",
        class_of=class_of,
        group_of=patient_of,
        progress=progress,
    )
    if data.classes != CLASSES:
        raise DataError(f"data set 'covid' has the classes {CLASSES}, got {data.classes}, {found}")
    return data


def _match(place: Path) -> Path | None:
    return next((folder for folder in _candidates(place) if _has_classes(folder)), None)


def _candidates(place: Path) -> Iterator[Path]:
    yield place
    for name in _FOLDERS:
        yield place / name
    # Then anything that is called after the disease, say a renamed or versioned download.
    for folder in subfolders(place):
        if re.search("covid|radiograph", folder.name, re.IGNORECASE):
            yield folder
            # Archives often unpack into a folder within a folder.
            yield from subfolders(folder)


def _has_classes(folder: Path) -> bool:
    inside = subfolders(folder)
    for child in inside:
        if child.name.lower() == "train":
            inside = inside + subfolders(child)
    return {class_of(child.name) for child in inside} >= set(CLASSES)
