"""Decoded images kept on disk, so that a folder is decoded once."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dse.atomic import atomically
from dse.data.dataset import Skipped
from dse.data.decode import VERSION, Decoded, Progress, decode_files
from dse.data.places import cache_root


def decode_cached(
    root: Path, files: Sequence[str], size: int, progress: Progress | None = None
) -> Decoded:
    """What `decode_files` gives, from the cache where these very files were decoded before.

    The key covers each file's relative path, size and time of change, the image size and the
    decoder's version. Labels, patients and folds are not kept: they are read anew each time, so an
    edited splits.csv can never meet stale ones. A damaged entry is made again; a cache that cannot
    be written is done without.
    """
    entry = cache_root() / "decoded" / f"{root.name}-{size}-{_key(root, files, size)}.npz"
    stored = _read(entry, len(files), size)
    if stored is not None:
        return stored
    decoded = decode_files(root, files, size, progress)
    _write(entry, decoded)
    return decoded


def _key(root: Path, files: Sequence[str], size: int) -> str:
    content = hashlib.sha256(f"{VERSION} {size}\n".encode())
    for file in files:
        try:
            status = (root / file).stat()
            content.update(os.fsencode(f"{file}\0{status.st_size}\0{status.st_mtime_ns}\n"))
        except OSError:
            content.update(os.fsencode(f"{file}\0missing\n"))
    return content.hexdigest()[:24]


def _read(entry: Path, number: int, size: int) -> Decoded | None:
    # Whatever is wrong with an entry, the images themselves are still there to be decoded.
    with contextlib.suppress(Exception), np.load(entry, allow_pickle=False) as stored:
        images, kept = stored["images"], stored["kept"]
        skipped = tuple(Skipped(*pair) for pair in json.loads(str(stored["skipped"])))
        sound = (
            images.dtype == np.uint8
            and images.shape[:3] == (len(kept), size, size)
            and images.ndim in (3, 4)
            and len(kept) + len(skipped) == number
        )
        return Decoded(images, kept, skipped) if sound else None
    return None


def _write(entry: Path, decoded: Decoded) -> None:
    skipped = json.dumps([(s.file, s.reason) for s in decoded.skipped])
    # Another process never sees half a file; a cache that cannot be written is done without.
    with contextlib.suppress(OSError), atomically(entry) as draft, draft.open("wb") as file:
        np.savez(file, images=decoded.images, kept=decoded.kept, skipped=np.array(skipped))
