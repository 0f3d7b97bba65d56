"""Downloads of the data sets that may be downloaded by a program."""

from __future__ import annotations

import hashlib
import http.client
import os
import shutil
import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from dse.atomic import atomically
from dse.data import cifar10, covid
from dse.data.cifar10_batches import TEST_BATCH, TRAIN_BATCHES
from dse.data.places import cache_root
from dse.errors import DataError, UnknownName

Progress = Callable[[int, int], None]
"""Called with the bytes done so far and their total."""

PATIENCE = 30
"""Seconds without a byte after which a download is given up."""
CHUNK = 1 << 20


@dataclass(frozen=True)
class Archive:
    """A .tar.gz file: where it is, its size and checksum, which files of its folder are wanted."""

    url: str
    bytes: int
    sha256: str
    folder: str
    members: tuple[str, ...]


ARCHIVES = {
    cifar10.NAME: Archive(
        url="https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        bytes=170_498_071,
        # As in Keras and TorchVision.
        sha256="6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
        folder=cifar10.FOLDER,
        members=(*TRAIN_BATCHES, TEST_BATCH),
    )
}
_NOT_FETCHED = {
    covid.NAME: "covid cannot be fetched by a program, since its collections ask people for "
    f"consent and citation: {covid.HOW_TO_GET}; `dse data make` writes synthetic stand-ins",
}


def fetch(name: str, *, url: str | None = None, progress: Progress | None = None) -> Path | None:
    """Download a data set into the user's cache, and return its folder there.

    None for `digits`, which need no download. What is there already is not fetched again. `url` is
    a mirror of the same archive. The archive is unpacked only if its checksum is right, and then
    only the wanted files of it; a failure leaves nothing behind.

    Raises UnknownName for a data set that is not known, DataError for one that is not to be had
    this way, where the network fails, or where something else than the archive was sent.
    """
    if name == "digits":
        return None
    if name in _NOT_FETCHED:
        raise DataError(_NOT_FETCHED[name])
    if name not in ARCHIVES:
        raise UnknownName("data set to fetch", name, (*ARCHIVES, *_NOT_FETCHED, "digits"))
    archive = ARCHIVES[name] if url is None else replace(ARCHIVES[name], url=url)
    folder = cache_root() / "datasets" / name / archive.folder
    if all((folder / member).is_file() for member in archive.members):
        return folder
    # Kept beside the folder: a download that is complete is not lost to a full disk.
    packed = folder.with_name("archive.tar.gz")
    with atomically(packed) as draft:
        _download(name, archive, draft, progress)
    try:
        _unpack(archive, packed, folder)
    finally:
        packed.unlink(missing_ok=True)
    return folder


def _download(name: str, archive: Archive, to: Path, progress: Progress | None) -> None:
    content = hashlib.sha256()
    done = 0
    try:
        with urllib.request.urlopen(archive.url, timeout=PATIENCE) as answer, to.open("wb") as file:
            total = int(answer.headers.get("Content-Length") or archive.bytes)
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                content.update(chunk)
                done += len(chunk)
                if progress is not None:
                    progress(done, total)
    except (
        urllib.error.URLError,
        http.client.HTTPException,
        ConnectionError,
        TimeoutError,
        ValueError,
    ) as fault:
        raise _failed(name, archive, _reason(fault)) from None
    if done < total:
        raise _failed(name, archive, f"the connection ended after {done:,} of {total:,} bytes")
    if content.hexdigest() != archive.sha256:
        raise _failed(
            name,
            archive,
            f"what it sent is not the archive: {done:,} bytes of {archive.bytes:,}, SHA-256 "
            f"{content.hexdigest()[:12]}... and not {archive.sha256[:12]}...",
        )


def _failed(name: str, archive: Archive, reason: str) -> DataError:
    return DataError(
        f"{name} could not be fetched from {archive.url}: {reason}; try again, name a mirror by "
        f"--url, or unpack the archive elsewhere and pass its folder {archive.folder} by --data-dir"
    )


def _reason(fault: Exception) -> str:
    """An error of the network in a few words."""
    cause = getattr(fault, "reason", fault)
    if isinstance(fault, urllib.error.HTTPError):
        return f"the server answers {fault.code} {fault.reason}"
    if isinstance(cause, TimeoutError):
        return f"no answer for {PATIENCE} seconds"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror.lower()
    return str(cause) or type(cause).__name__


def _unpack(archive: Archive, packed: Path, folder: Path) -> None:
    draft = folder.with_name(f".{folder.name}.{os.getpid()}.draft")
    draft.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(packed, "r:gz") as tar:
            for member in archive.members:
                source = tar.extractfile(f"{archive.folder}/{member}")
                if source is None:
                    raise KeyError(member)
                with source, (draft / member).open("wb") as file:
                    shutil.copyfileobj(source, file)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(draft, folder)
    except (tarfile.TarError, KeyError, EOFError) as fault:
        raise DataError(f"the archive from {archive.url} cannot be unpacked: {fault}") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
