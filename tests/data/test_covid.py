"""Real chest X-rays, under the names of the collections they come from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dse.data import load_dataset
from dse.errors import DataError

from .conftest import MakeFolder


def test_plain_folder_and_its_parent(make_folder: MakeFolder) -> None:
    folder = make_folder("covid", "normal", "pneumonia", name="covid")
    for place in (folder, folder.parent):
        data = load_dataset("covid", data_dir=place, image_size=8)
        assert data.name == "covid"
        assert data.classes == ("covid", "normal", "pneumonia")
        assert not data.synthetic


def test_radiography_database(make_folder: MakeFolder) -> None:
    names = ["COVID", "Normal", "Viral Pneumonia", "Lung_Opacity"]
    folder = make_folder(
        *(f"{n}/{kind}" for n in names for kind in ("images", "masks")),
        name="COVID-19_Radiography_Dataset",
    )
    data = load_dataset("covid", data_dir=folder.parent, image_size=8)
    assert data.classes == ("covid", "normal", "pneumonia")
    assert np.bincount(data.labels).tolist() == [4, 4, 4]
    assert "left out: Lung_Opacity" in data.note
    assert data.groups is None


def test_darkcovidnet_collection_knows_the_nih_patients(make_folder: MakeFolder) -> None:
    folder = make_folder(
        "Covid-19", "No_findings", "Pneumonia", count=3, name="X-Ray Image DataSet"
    )
    for i in range(3):
        source = folder / "No_findings" / f"{i}.png"
        source.rename(folder / "No_findings" / f"0000000{i // 2}_00{i}.png")
    data = load_dataset("covid", data_dir=folder.parent, image_size=8)
    assert data.classes == ("covid", "normal", "pneumonia")
    assert data.groups is not None
    normal = data.groups[data.labels == 1].tolist()
    assert normal == ["nih-00000000", "nih-00000000", "nih-00000001"]
    assert len(set(data.groups[data.labels == 0].tolist())) == 3


def test_train_and_test_folders(make_folder: MakeFolder) -> None:
    names = ("Covid", "Normal", "Viral Pneumonia")
    folder = make_folder(*(f"{part}/{n}" for part in ("train", "test") for n in names))
    data = load_dataset("covid", data_dir=folder, image_size=8)
    assert data.classes == ("covid", "normal", "pneumonia")
    assert data.test is not None
    assert data.test.sum() == 12


def test_a_download_within_a_folder(make_folder: MakeFolder) -> None:
    folder = make_folder("covid", "normal", "pneumonia", name="my-covid-copy/archive")
    data = load_dataset("covid", data_dir=folder.parent.parent, image_size=8)
    assert not data.synthetic


def test_the_full_set_comes_before_the_tiny_one(
    make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    classes = ("covid", "normal", "pneumonia")
    make_folder(*classes, count=2, name="data/covid-xray-tiny")
    folder = make_folder(*classes, count=3, name="data/covid-xray-128")
    monkeypatch.setenv("DSE_DATA", str(folder.parent))
    assert len(load_dataset("covid", image_size=8).labels) == 9


def test_the_users_cache_is_searched(
    make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_folder("covid", "normal", "pneumonia", name="cache/datasets/covid")
    monkeypatch.setenv("DSE_CACHE", str(folder.parent.parent))
    assert not load_dataset("covid", image_size=8).synthetic


def test_an_explicit_directory_is_never_replaced_by_phantoms(
    make_folder: MakeFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError, match="must exist"):
        load_dataset("covid", data_dir=tmp_path / "absent")
    folder = make_folder("covid", "normal")
    with pytest.raises(DataError, match="none in"):
        load_dataset("covid", data_dir=folder)
    elsewhere = make_folder("covid", "normal", "pneumonia", name="data/covid")
    monkeypatch.setenv("DSE_DATA", str(elsewhere.parent))
    with pytest.raises(DataError, match="none in"):
        load_dataset("covid", data_dir=folder)


@pytest.mark.parametrize("name", ["covid-xray-tiny", "covid-xray-128"])
def test_real_xrays(real_set: Callable[[str], Path], name: str) -> None:
    data = load_dataset("covid", data_dir=real_set(name))
    counts = {"covid-xray-tiny": [20, 20, 20], "covid-xray-128": [124, 499, 500]}
    assert np.bincount(data.labels).tolist() == counts[name]
    assert data.images.shape == (sum(counts[name]), 64, 64)
    assert data.skipped == ()
    assert data.test_folds == (0, 1, 2, 3, 4)
    assert data.groups is not None
    assert len(set(data.groups.tolist())) == {"covid-xray-tiny": 60, "covid-xray-128": 764}[name]
    for fold in data.test_folds:
        split = data.splits(test_fold=fold)
        assert split.grouped
        assert split.fold == fold
        assert not set(data.groups[split.train]) & set(data.groups[split.test])
        assert not set(data.groups[split.val]) & set(data.groups[split.test])
        assert not set(data.groups[split.train]) & set(data.groups[split.val])


def test_real_photographs(real_set: Callable[[str], Path]) -> None:
    data = load_dataset(real_set("grocery-food9-96"), image_size=32)
    assert data.images.shape == (2116, 32, 32, 3)
    assert len(data.classes) == 9
    assert data.test is not None
    assert data.test.sum() == 986
    split = data.splits()
    assert len(split.test) == 986
    assert abs(len(split.val) / 1130 - 1 / 6) < 0.01
