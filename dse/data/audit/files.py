"""Are all files read?"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from dse.data.audit.finding import Finding
from dse.data.dataset import Dataset
from dse.data.decode import SUFFIXES
from dse.data.places import ignored

NOT_READ = frozenset(
    "." + name
    for name in (
        *("dcm", "dicom", "ima", "nii", "nrrd", "mha", "heic", "heif", "avif", "jxl", "jp2", "svg"),
        *("raw", "cr2", "nef", "dng", "npy", "npz", "mat", "h5", "tfrecord", "zip", "gz", "tar"),
    )
)
"""Files that may well hold images, in formats that are not read."""
SHOWN = 5


def check_files(data: Dataset, place: Path | None) -> Finding:
    """Files that were skipped, with the reason, and files of formats that are not read."""
    number = len(data.labels)
    unread = _unread(place) if place is not None and place.is_dir() else Counter[str]()
    skipped = [{"file": one.file, "reason": one.reason} for one in data.skipped]
    reasons = Counter(one.reason.partition(":")[0] for one in data.skipped)
    facts = {"read": number, "skipped": skipped, "other_formats": dict(sorted(unread.items()))}
    said = [f"{number:,} images read"]
    if data.skipped:
        why = ", ".join(f"{reason} ({count:,})" for reason, count in reasons.most_common())
        said.append(f"{len(data.skipped):,} skipped: {why}")
    else:
        said.append("none skipped")
    if unread:
        held = ", ".join(f"{count:,} {suffix}" for suffix, count in unread.most_common())
        said.append(f"in formats that are not read: {held}")
    details = [f"{one.file}: {one.reason}" for one in data.skipped[:SHOWN]]
    if len(data.skipped) > SHOWN:
        details.append(f"and {len(data.skipped) - SHOWN:,} more; --json lists all")
    advice = []
    if data.skipped:
        advice.append("replace the skipped files or remove them, so that all agree on what is in")
    if unread:
        advice.append("convert files of other formats to PNG if they are images of this set")
    return Finding(
        "files",
        "look" if advice else "ok",
        ", ".join(said),
        "; ".join(advice),
        tuple(details),
        facts,
    )


def _unread(root: Path) -> Counter[str]:
    """How many files of each suffix in `NOT_READ` lie below a folder."""
    found: Counter[str] = Counter()
    for _, below, files in os.walk(root):
        below[:] = [name for name in below if not ignored(name)]
        suffixes = (Path(file).suffix.lower() for file in files if not ignored(file))
        found.update(suffix for suffix in suffixes if suffix in NOT_READ - SUFFIXES)
    return found
