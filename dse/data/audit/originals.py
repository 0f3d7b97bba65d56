"""The files as they lie on disk: sizes and pixel formats, read from their headers alone."""

from __future__ import annotations

import csv
import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

SOURCES_FILE = "sources.csv"
_ORIENTATION = 0x0112
_MODES = {
    "1": "1-bit",
    "L": "8-bit gray",
    "LA": "8-bit gray with alpha",
    "P": "palette",
    "PA": "palette with alpha",
    "RGB": "RGB",
    "RGBA": "RGB with alpha",
    "I": "32-bit",
    "F": "32-bit",
}


@dataclass(frozen=True)
class Original:
    """One file: width and height in pixels as shown, pixel format in words, number of frames."""

    width: int
    height: int
    mode: str
    frames: int


def read_originals(root: Path, files: Sequence[str]) -> list[Original | None]:
    """The header of each file; None for one that has none to read."""
    with (
        warnings.catch_warnings(action="ignore", category=UserWarning),
        warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning),
        ThreadPoolExecutor(max_workers=min(16, os.cpu_count() or 1)) as pool,
    ):
        return list(pool.map(lambda file: _read(root / file), files))


def read_source_sizes(root: Path, files: Sequence[str]) -> list[tuple[int, int]] | None:
    """Width and height that each image had before somebody resized the set, where that is noted.

    The notes are a file sources.csv with columns file, original_width and original_height. None
    where it is absent or does not cover every file.
    """
    sizes: dict[str, tuple[int, int]] = {}
    # Notes that cannot be read are no notes.
    with (
        suppress(OSError, ValueError, KeyError, TypeError, csv.Error),
        (root / SOURCES_FILE).open(encoding="utf-8-sig", newline="") as file,
    ):
        for row in csv.DictReader(file):
            sizes[row["file"]] = (int(row["original_width"]), int(row["original_height"]))
    known = [sizes[file] for file in files if file in sizes]
    return known if len(known) == len(files) else None


def _read(path: Path) -> Original | None:
    try:
        with Image.open(path) as image:
            width, height = image.size
            # Without Exif data in its header a PNG file would be decoded in search of some.
            has_exif = image.format != "PNG" or "exif" in image.info
            if has_exif and image.getexif().get(_ORIENTATION) in (5, 6, 7, 8):
                width, height = height, width
            # A photo of a telephone (MPO) hides a second picture that nobody means.
            frames = 1 if image.format == "MPO" else int(getattr(image, "n_frames", 1))
            return Original(width, height, _mode(image), frames)
    except Exception:
        # As in decoding: damaged bytes can raise nearly anything.
        return None


def _mode(image: Image.Image) -> str:
    # Pillow opens 16-bit colour as 8-bit; how it reads the pixels still tells.
    deep = any(";16" in str(tile[3]) for tile in getattr(image, "tile", ()))
    if image.mode.startswith("I;16") or (deep and image.mode in ("L", "I")):
        return "16-bit gray"
    if deep:
        return "16-bit colour"
    if image.mode in ("L", "RGB", "P") and image.has_transparency_data:
        return f"{_MODES[image.mode]} with alpha"
    return _MODES.get(image.mode, image.mode)
