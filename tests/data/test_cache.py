"""Decoded once: what is read from the cache is what decoding gives."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import dse.data.cache as cache
from dse.data import load_dataset
from dse.data.places import cache_root

from .conftest import MakeFolder


@pytest.fixture
def decoded_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were decoded rather than read from the cache."""
    log: list[str] = []
    decode = cache.decode_files

    def logged(root: Path, files: list[str], *rest: object) -> cache.Decoded:
        log.extend(files)
        return decode(root, files, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(cache, "decode_files", logged)
    return log


def entries() -> list[Path]:
    return sorted((cache_root() / "decoded").iterdir())


def test_the_second_time_nothing_is_decoded(
    make_folder: MakeFolder, decoded_files: list[str]
) -> None:
    folder = make_folder("a", "b")
    (folder / "a" / "bad.png").write_bytes(b"")
    first = load_dataset(folder, image_size=8)
    assert len(decoded_files) == 9
    second = load_dataset(folder, image_size=8)
    assert len(decoded_files) == 9
    assert second.digest == first.digest
    assert second.skipped == first.skipped != ()
    assert [entry.suffix for entry in entries()] == [".npz"]


def test_another_size_or_a_touched_file_is_decoded_anew(
    make_folder: MakeFolder, decoded_files: list[str]
) -> None:
    folder = make_folder("a", "b")
    load_dataset(folder, image_size=8)
    load_dataset(folder, image_size=16)
    assert len(decoded_files) == 16
    os.utime(folder / "a" / "0.png", ns=(1, 1))
    load_dataset(folder, image_size=8)
    assert len(decoded_files) == 24


@pytest.mark.parametrize("damage", ["cut", "flip", "junk", "wrong shape"])
def test_a_damaged_entry_is_made_again(
    make_folder: MakeFolder, decoded_files: list[str], damage: str
) -> None:
    folder = make_folder("a", "b")
    first = load_dataset(folder, image_size=8)
    (entry,) = entries()
    content = bytearray(entry.read_bytes())
    if damage == "cut":
        entry.write_bytes(content[:-40])
    elif damage == "flip":
        content[300] ^= 0xFF
        entry.write_bytes(content)
    elif damage == "junk":
        entry.write_bytes(b"junk")
    else:
        np.savez(entry, images=np.zeros((8, 4, 4), np.uint8), kept=np.arange(8), skipped="[]")
    assert load_dataset(folder, image_size=8).digest == first.digest
    assert len(decoded_files) == 16
    load_dataset(folder, image_size=8)
    assert len(decoded_files) == 16


def test_a_cache_that_cannot_be_written_is_done_without(
    make_folder: MakeFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file").write_text("not a folder")
    monkeypatch.setenv("DSE_CACHE", str(tmp_path / "a file"))
    assert len(load_dataset(make_folder("a", "b"), image_size=8).labels) == 8


def test_a_failed_write_leaves_nothing_behind(
    make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(cache.np, "savez", full)
    assert len(load_dataset(make_folder("a", "b"), image_size=8).labels) == 8
    assert entries() == []


def test_the_users_cache_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DSE_CACHE")
    assert cache_root().name == "dse"
