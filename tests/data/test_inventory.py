"""What this machine has, in numbers, without decoding anything."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dse.data.inventory import Held, inventory
from dse.data.phantoms import make_phantoms
from dse.data.places import cache_root
from dse.data.write import write_folder

from .conftest import MakeFolder, noise
from .test_arrays import arrays, write_batches


def rows() -> dict[str, Held]:
    return {row.name: row for row in inventory()}


def test_a_bare_machine() -> None:
    found = rows()
    assert (found["covid"].status, found["covid"].images, found["covid"].bytes) == (
        "synthetic",
        900,
        None,
    )
    assert (found["digits"].images, found["digits"].pixels) == (1797, "8x8")
    assert found["cifar10"].images is None
    assert "dse data fetch cifar10" in found["cifar10"].where


def test_phantoms_stand_in_as_many() -> None:
    assert rows()["covid"].images == len(make_phantoms(size=8).labels)


def test_folders_and_arrays(make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    fruit = make_folder("pear", "apple", name="data/fruit")
    np.savez(fruit.parent / "cifar10-x.npz", **arrays())
    write_folder(make_phantoms(size=16, per_class=15), fruit.parent / "covid")
    broken = make_folder("a", "b", name="data/broken")
    (broken / "splits.csv").write_text("nothing,here\n")
    monkeypatch.setenv("DSE_DATA", str(fruit.parent))
    found = rows()
    size = sum(file.stat().st_size for file in fruit.rglob("*.png"))
    assert found["fruit"] == Held("fruit", "found", 8, "10x12", size, ("apple", "pear"), str(fruit))
    assert (found["cifar10"].images, found["cifar10"].pixels) == (60, "32x32")
    assert (found["covid"].status, found["covid"].images) == ("synthetic", 45)
    assert (found["broken"].status, found["broken"].images) == ("damaged", None)
    assert found["fruit"].document()["classes"] == ["apple", "pear"]


def test_sizes_that_differ_and_files_that_are_none(
    make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_folder("a", "b", name="data/mixed")
    from PIL import Image

    Image.fromarray(noise(0, 9, 9)).save(folder / "a" / "0.png")
    (folder / "b" / "0.png").write_bytes(b"junk")
    monkeypatch.setenv("DSE_DATA", str(folder.parent))
    assert rows()["mixed"].pixels == "various"


def test_batches_in_the_cache(tmp_path: Path) -> None:
    write_batches(cache_root() / "datasets" / "cifar10" / "cifar-10-batches-py")
    cifar10 = rows()["cifar10"]
    assert (cifar10.status, cifar10.images) == ("found", 60_000)
    assert cifar10.bytes is not None
    assert cifar10.bytes > 60 * 3072


def test_a_damaged_file_of_arrays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cifar10.npz").write_bytes(b"PK\x03\x04junk")
    monkeypatch.setenv("DSE_DATA", str(tmp_path))
    assert rows()["cifar10"].images is None
