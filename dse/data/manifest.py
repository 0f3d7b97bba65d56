"""`splits.csv`: which files belong to a data set, their patients, folds and parts."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from dse.errors import DataError

FILE_NAME = "splits.csv"
PARTS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}


@dataclass(frozen=True)
class Row:
    """One image: its file relative to the folder, and what the file says of it."""

    file: str
    label: str
    group: str | None = None
    fold: int | None = None
    part: str | None = None


def read_manifest(path: Path) -> list[Row]:
    """The rows of a splits.csv with columns file, label and optionally patient (or group), and
    either fold (an integer) or split (train, val, test).

    Raises DataError with the line for a missing column or value, a path that leaves the folder, a
    file listed twice, or a fold that is no integer.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        table = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise DataError(
            f"{FILE_NAME} must be a UTF-8 comma-separated file: {fault}, {path}"
        ) from None
    columns = [name.lower() for name in table[0][1]] if table else []
    for required in ("file", "label"):
        if required not in columns:
            raise DataError(f"{FILE_NAME} must have a column {required!r}, got {columns}, {path}")
    if "fold" in columns and "split" in columns:
        raise DataError(f"{FILE_NAME} must have a fold or a split column, not both, {path}")

    rows: list[Row] = []
    first_line: dict[str, int] = {}
    for line, cells in table[1:]:
        if not any(cells):
            continue
        if len(cells) != len(columns):
            raise DataError(
                f"a row must have {len(columns)} values, got {len(cells)}, line {line} of {path}"
            )
        row = _row(dict(zip(columns, cells, strict=True)), f"line {line} of {path}")
        if row.file in first_line:
            raise DataError(
                f"a file is listed once, but {row.file!r} is on lines {first_line[row.file]} and "
                f"{line} of {path}"
            )
        first_line[row.file] = line
        rows.append(row)
    return rows


def _row(values: dict[str, str], place: str) -> Row:
    file, label = values["file"], values["label"]
    if not file or not label:
        raise DataError(f"file and label must not be empty, got {file!r} and {label!r}, {place}")
    # Written on Windows, perhaps.
    relative = PurePosixPath(file.replace("\\", "/"))
    leaves = relative.is_absolute() or PureWindowsPath(file).drive or ".." in relative.parts
    if leaves or not relative.parts:
        raise DataError(f"a file must lie inside the data folder, got {file!r}, {place}")
    fold: int | None = None
    if "fold" in values:
        try:
            fold = int(values["fold"])
        except ValueError:
            raise DataError(f"a fold must be an integer, got {values['fold']!r}, {place}") from None
    part: str | None = None
    if "split" in values:
        part = PARTS.get(values["split"].lower())
        if part is None:
            raise DataError(f"a split is train, val or test, got {values['split']!r}, {place}")
    group = values.get("patient") or values.get("group") or None
    return Row(str(relative), label, group, fold, part)
