"""A data set written out as an image folder."""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from dse.data.manifest import FILE_NAME
from dse.data.places import SYNTHETIC_FILE
from dse.errors import InvalidValue

if TYPE_CHECKING:
    from dse.data.dataset import Dataset


def check_empty(folder: Path) -> None:
    """Raise InvalidValue unless `folder` is new or empty."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InvalidValue(f"images are written to a folder that is new or empty, got {folder}")


def write_folder(data: Dataset, folder: Path) -> None:
    """Write `data` as PNG files by class, with its patients and folds in splits.csv.

    Read back at its own size it has the same pixels. A synthetic set says so in a file of its own.
    The folder appears when it is complete. Raises InvalidValue unless it is new or empty.
    """
    check_empty(folder)
    folder = folder.absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.with_name(f".{folder.name}.{os.getpid()}.draft")
    try:
        _write(data, draft)
        if folder.exists():
            folder.rmdir()
        os.replace(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _write(data: Dataset, folder: Path) -> None:
    for name in data.classes:
        (folder / name).mkdir(parents=True)
    rows = []
    digits = len(str(len(data.labels) - 1))
    for index, (pixels, label) in enumerate(zip(data.images, data.labels, strict=True)):
        name = data.classes[label]
        file = f"{name}/{name}-{index:0{digits}d}.png"
        Image.fromarray(pixels).save(folder / file)
        rows.append({"file": file, "label": name})
    if data.groups is not None:
        for row, group in zip(rows, data.groups, strict=True):
            row["patient"] = str(group)
    if data.folds is not None:
        for row, fold in zip(rows, data.folds, strict=True):
            row["fold"] = str(fold)
    with (folder / FILE_NAME).open("w", encoding="utf-8", newline="") as file_:
        table = csv.DictWriter(file_, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    if data.synthetic:
        (folder / SYNTHETIC_FILE).write_text(f"{data.note}\n", encoding="utf-8")
