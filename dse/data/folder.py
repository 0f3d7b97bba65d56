"""A folder of images as a data set: class sub-folders, train/val/test parts, or splits.csv."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dse.data.cache import decode_cached
from dse.data.dataset import Dataset, Skipped, assemble
from dse.data.decode import SUFFIXES, Progress
from dse.data.manifest import FILE_NAME, PARTS, Row, read_manifest
from dse.data.places import ignored, printable, subfolders, synthetic_note
from dse.errors import DataError

ClassOf = Callable[[str], str | None]
"""The class that a folder's name or a label stands for; None for one that is left out."""


def same_name(name: str) -> str | None:
    """Every folder is a class of its own name."""
    return name


@dataclass(frozen=True)
class Listing:
    """What a folder holds, before any image is opened."""

    rows: tuple[Row, ...]
    classes: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    remarks: tuple[str, ...]


def load_folder(
    root: Path,
    *,
    size: int,
    name: str | None = None,
    note: str = "",
    class_of: ClassOf = same_name,
    group_of: Callable[[str], str | None] | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Decode the images below `root` into a data set named `name` (by default as the folder).

    `group_of` may name the patient of a file for which splits.csv names none. What a file
    SYNTHETIC.txt in the folder says is the note, and the images then count as synthetic. Raises
    DataError for a folder without images, an empty class, fewer than two classes, or a bad
    splits.csv.
    """
    synthetic = synthetic_note(root)
    listing = list_folder(root, class_of)
    decoded = decode_cached(root, [row.file for row in listing.rows], size, progress)
    rows = [listing.rows[i] for i in decoded.kept]
    skipped = listing.skipped + decoded.skipped
    counts = dict.fromkeys(listing.classes, 0)
    for row in rows:
        counts[row.label] += 1
    for label, count in counts.items():
        if count == 0:
            label_of = {row.file: row.label for row in listing.rows}
            first = next((s for s in skipped if label_of.get(s.file, label) == label), None)
            why = f" (skipped {printable(first.file)}: {first.reason})" if first else ""
            raise DataError(f"every class needs an image, but {label!r} has none in {root}{why}")

    groups = [row.group or (group_of(row.file) if group_of else None) for row in rows]
    named = sum(group is not None for group in groups)
    folds = [row.fold for row in rows]
    is_test = np.asarray([row.part == "test" for row in rows])
    remarks = list(listing.remarks)
    if not named:
        remarks.append("no patients or groups are known, so images are split one by one")
    elif named < len(rows):
        remarks.append(f"patients are known for {named} of {len(rows)} images only")
    return assemble(
        name or root.name,
        decoded.images,
        np.asarray([listing.classes.index(row.label) for row in rows], dtype=np.int64),
        listing.classes,
        # An image without a patient is a group of its own: its path is nobody's patient number.
        groups=np.asarray([g or row.file for g, row in zip(groups, rows, strict=True)])
        if named
        else None,
        folds=None if None in folds else np.asarray(folds, dtype=np.int64),
        test=is_test if is_test.any() else None,
        synthetic=synthetic is not None,
        skipped=tuple(Skipped(printable(s.file), s.reason) for s in skipped),
        note="; ".join([synthetic or note or f"images from {root.name}", *remarks]),
        files=tuple(row.file for row in rows),
    )


def list_folder(root: Path, class_of: ClassOf = same_name) -> Listing:
    """Find the images of `root`, by its splits.csv if it has one, else by its sub-folders."""
    if not root.is_dir():
        raise DataError(f"a data set must be a folder that exists, got {root}")
    manifest = root / FILE_NAME
    listing = _listed(root, manifest, class_of) if manifest.is_file() else _walked(root, class_of)
    if len(listing.classes) < 2:
        raise DataError(
            f"a data set needs at least two classes (sub-folders of images), "
            f"found {list(listing.classes)} in {root}"
        )
    return listing


def part_folders(root: Path) -> dict[Path, str]:
    """The sub-folders train, val, test (or their long names) if `root` is divided that way."""
    parts = {c: PARTS[c.name.lower()] for c in subfolders(root) if c.name.lower() in PARTS}
    return parts if "train" in parts.values() and all(subfolders(p) for p in parts) else {}


def _listed(root: Path, manifest: Path, class_of: ClassOf) -> Listing:
    rows: list[Row] = []
    skipped: list[Skipped] = []
    classes: set[str] = set()
    left_out: set[str] = set()
    listed: set[str] = set()
    for row in read_manifest(manifest):
        listed.add(row.file)
        label = class_of(row.label)
        if label is None:
            left_out.add(row.label)
            continue
        classes.add(label)
        if (root / row.file).is_file():
            rows.append(Row(row.file, label, row.group, row.fold, row.part))
        else:
            skipped.append(Skipped(row.file, f"listed in {FILE_NAME}, but there is no such file"))
    remarks = _remarks(left_out, {row.part for row in rows})
    unlisted = sum(file not in listed for file in _images(root, root))
    if unlisted:
        remarks.append(f"left out as {FILE_NAME} does not list them: {unlisted} images")
    return Listing(tuple(rows), tuple(sorted(classes)), tuple(skipped), tuple(remarks))


def _walked(root: Path, class_of: ClassOf) -> Listing:
    parts: dict[Path, str | None] = {**part_folders(root)}
    rows: list[Row] = []
    found: dict[str, int] = {}
    left_out: set[str] = set()
    for top, part in (parts or {root: None}).items():
        for folder in subfolders(top):
            label = class_of(folder.name)
            if label is None:
                left_out.add(folder.name)
                continue
            files = list(_images(root, folder))
            found[label] = found.get(label, 0) + len(files)
            rows += [Row(file, label, part=part) for file in files]
    for label, count in found.items():
        if count == 0:
            raise DataError(f"every class needs an image, but {label!r} has none in {root}")
    remarks = _remarks(left_out, {row.part for row in rows})
    return Listing(tuple(rows), tuple(sorted(found)), (), tuple(remarks))


def _remarks(left_out: set[str], parts: set[str | None]) -> list[str]:
    remarks = []
    if left_out:
        remarks.append(f"left out: {', '.join(sorted(left_out))}")
    if "val" in parts:
        remarks.append("the published validation part is merged with the training part")
    return remarks


def _images(root: Path, folder: Path) -> Iterator[str]:
    """Image files at any depth below `folder`, as sorted paths relative to `root`.

    Where a class keeps its images in `images/` (beside `masks/`), only those count.
    """
    if (folder / "images").is_dir():
        folder = folder / "images"
    seen: set[str] = set()
    for here, below, files in os.walk(folder, followlinks=True):
        # Links are followed, as people link data sets together, but never in a circle.
        real = os.path.realpath(here)
        if real in seen:
            below.clear()
            continue
        seen.add(real)
        below[:] = sorted(name for name in below if not ignored(name))
        for file in sorted(files):
            if not ignored(file) and Path(file).suffix.lower() in SUFFIXES:
                yield (Path(here) / file).relative_to(root).as_posix()
