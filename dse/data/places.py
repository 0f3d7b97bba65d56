"""Where data and caches live on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from dse.errors import DataError

DATA_VARIABLE = "DSE_DATA"
CACHE_VARIABLE = "DSE_CACHE"
SYNTHETIC_FILE = "SYNTHETIC.txt"
"""Marks a folder of images that were drawn, not taken; holds one sentence that says so."""


def cache_root() -> Path:
    """The folder for what can be made again: $DSE_CACHE, else the user's cache."""
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen).expanduser()
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("dse", appauthor=False))


def shared_data() -> Path | None:
    """The folder of data sets named by $DSE_DATA, if it is set and there."""
    chosen = os.environ.get(DATA_VARIABLE)
    folder = Path(chosen).expanduser() if chosen else None
    return folder if folder is not None and folder.is_dir() else None


def locate(
    name: str, matches: Callable[[Path], Path | None], data_dir: Path | None, wanted: str
) -> Path | None:
    """The first place that holds the data set: `data_dir` alone if given, else the usual ones.

    `matches` looks into one place and returns what it found there. `wanted` says what was looked
    for, in the DataError raised when an explicit `data_dir` does not hold it.
    """
    if data_dir is not None:
        data_dir = data_dir.expanduser()
        if not data_dir.exists():
            raise DataError(f"the data directory of {name!r} must exist, but {data_dir} does not")
        found = matches(data_dir)
        if found is None:
            raise DataError(f"data set {name!r} needs {wanted}; there is none in {data_dir}")
        return found
    for place in (shared_data(), cache_root() / "datasets" / name, cache_root() / "datasets"):
        if place is not None and place.is_dir() and (found := matches(place)) is not None:
            return found
    return None


def synthetic_note(folder: Path) -> str | None:
    """What a folder of synthetic images says of itself; None for any other folder."""
    mark = folder / SYNTHETIC_FILE
    if not mark.is_file():
        return None
    text = " ".join(mark.read_text(encoding="utf-8", errors="replace").split())
    return text if "synthetic" in text.lower() else f"synthetic images; {text}".rstrip("; ")


def subfolders(folder: Path) -> list[Path]:
    """The visible sub-folders of `folder`, sorted by name; none if it cannot be read."""
    try:
        children = sorted(folder.iterdir())
    except OSError:
        return []
    return [c for c in children if c.is_dir() and not ignored(c.name)]


def ignored(name: str) -> bool:
    """Whether a file or folder is an operating system's leavings, not data."""
    return name.startswith(".") or name == "__MACOSX"


def printable(file: str) -> str:
    r"""A file's name as text: bytes that are not UTF-8, which Linux allows, become \xNN."""
    return os.fsencode(file).decode("utf-8", "backslashreplace")
