"""Phantoms written out: an image folder that is read back as it was and says what it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dse.data import describe_datasets, load_dataset
from dse.data.phantoms import make_phantoms
from dse.data.write import write_folder
from dse.errors import InvalidValue

from .pictures import data_of_scenes, scene


def test_written_phantoms_are_read_back(tmp_path: Path) -> None:
    phantoms = make_phantoms(size=24, per_class=15, seed=3)
    write_folder(phantoms, tmp_path / "below" / "chests")
    data = load_dataset(tmp_path / "below" / "chests", image_size=24)
    np.testing.assert_array_equal(data.images, phantoms.images)
    assert data.digest == phantoms.digest
    assert data.synthetic
    assert data.note.startswith("synthetic chest phantoms, not patients")


def test_they_are_synthetic_as_the_covid_set_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folder(make_phantoms(size=16, per_class=15), tmp_path / "covid")
    data = load_dataset("covid", data_dir=tmp_path / "covid", image_size=16)
    assert data.synthetic
    assert "from different hospitals" not in data.note
    monkeypatch.setenv("DSE_DATA", str(tmp_path))
    row = next(row for row in describe_datasets() if row["name"] == "covid")
    assert row["status"] == "synthetic"
    assert row["where"] == str(tmp_path / "covid")


def test_a_mark_without_words_is_enough(tmp_path: Path) -> None:
    write_folder(data_of_scenes([scene(i) for i in range(8)]), tmp_path / "x")
    assert not load_dataset(tmp_path / "x", image_size=8).synthetic
    (tmp_path / "x" / "SYNTHETIC.txt").touch()
    data = load_dataset(tmp_path / "x", image_size=8)
    assert data.synthetic
    assert data.note.startswith("synthetic images")


def test_only_into_a_new_or_empty_folder(tmp_path: Path) -> None:
    data = data_of_scenes([scene(i) for i in range(8)])
    (tmp_path / "empty").mkdir()
    write_folder(data, tmp_path / "empty")
    assert len(load_dataset(tmp_path / "empty", image_size=8).labels) == 8
    with pytest.raises(InvalidValue, match="new or empty"):
        write_folder(data, tmp_path / "empty")
    (tmp_path / "file").touch()
    with pytest.raises(InvalidValue, match="new or empty"):
        write_folder(data, tmp_path / "file")


def test_a_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("dse.data.write.csv.DictWriter", full)
    with pytest.raises(OSError, match="no space"):
        write_folder(data_of_scenes([scene(i) for i in range(8)]), tmp_path / "x")
    assert list(tmp_path.iterdir()) == []
