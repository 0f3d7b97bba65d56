"""Leakage between parts: found, told by file, and refused."""

from __future__ import annotations

import numpy as np
import pytest

from dse.data import Dataset, Split, load_dataset
from dse.data.catalog import read_dataset
from dse.data.leakage import Leak, check_leakage, refuse_leakage, summaries
from dse.errors import DataError

from .conftest import MakeFolder
from .pictures import data_of_scenes, resaved, scene
from .test_folder import write_manifest

FOLDS = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]


def parts(train: list[int], val: list[int], test: list[int], fold: int | None = None) -> Split:
    arrays = [np.asarray(part, dtype=np.int64) for part in (train, val, test)]
    return Split(*arrays, fold=fold, grouped=False)


def scenes(**settings: object) -> Dataset:
    """Twelve pictures in three published folds; 9 is a copy of 0, 5 resaved from 8."""
    images = [scene(i) for i in range(12)]
    images[9] = images[0]
    images[5] = resaved(images[8])
    return data_of_scenes(images, folds=FOLDS, **settings)  # type: ignore[arg-type]


def test_nothing_shared_is_no_leak() -> None:
    data = data_of_scenes([scene(i) for i in range(12)], folds=FOLDS)
    assert refuse_leakage(data, data.folds_of()) == []
    assert summaries(data, []) == []


def test_pixels_and_lookalikes() -> None:
    data = scenes()
    leaks = check_leakage(data, data.splits(test_fold=2))
    assert leaks == [
        Leak("lookalike", 2, ("train", "test"), 5, 8),
        Leak("pixels", 2, ("val", "test"), 0, 9),
    ]


def test_pixels_are_refused_by_file() -> None:
    data = scenes()
    with pytest.raises(DataError) as refused:
        refuse_leakage(data, data.folds_of())
    assert str(refused.value) == (
        "an image must be in one part, but 1 pair of images of data set 'scenes' with the same "
        "pixels is divided: d/9.png in train and c/0.png in test of fold 0; remove one of each "
        "two, or give both the same fold"
    )


def test_lookalikes_are_told_and_not_refused() -> None:
    images = [scene(i) for i in range(12)]
    images[5] = resaved(images[8])
    data = data_of_scenes(images, folds=FOLDS)
    leaks = refuse_leakage(data, data.folds_of())
    assert {leak.kind for leak in leaks} == {"lookalike"}
    (sentence,) = summaries(data, leaks)
    assert sentence.startswith(
        "1 pair of images of data set 'scenes' looks alike and is in two parts: "
    )
    assert sentence.endswith("c/8.png in train and d/5.png in val of fold 0")


def test_lookalikes_of_one_patient_are_one_matter() -> None:
    groups = [f"p{i}" for i in range(12)]
    groups[5] = groups[8] = "ann"
    images = [scene(i) for i in range(12)]
    images[5] = resaved(images[8])
    data = data_of_scenes(images, groups=groups)
    leaks = check_leakage(data, parts([0, 1, 2, 3, 4, 5], [6, 7], [8, 9, 10, 11]))
    assert leaks == [Leak("patient", None, ("train", "test"), 5, 8)]


def test_patients_are_refused_by_name_and_file() -> None:
    data = data_of_scenes([scene(i) for i in range(8)], groups=list("aabbccdd"))
    split = parts([0, 1, 2], [3, 4], [5, 6, 7])
    assert check_leakage(data, split) == [
        Leak("patient", None, ("train", "val"), 2, 3),
        Leak("patient", None, ("val", "test"), 4, 5),
    ]
    with pytest.raises(
        DataError, match=r"those of 2 patients .*c/2.png in train and d/3.png in val"
    ):
        refuse_leakage(data, [split])


def test_an_image_in_two_parts_is_its_own_copy() -> None:
    data = data_of_scenes([scene(i) for i in range(6)])
    with pytest.raises(DataError, match=r"d/1.png in train and d/1.png in test"):
        refuse_leakage(data, parts([0, 1, 2], [3], [1, 4, 5]))


def test_each_image_of_a_later_part_counts_once() -> None:
    data = data_of_scenes([scene(0)] * 6 + [scene(1)] * 2)
    leaks = check_leakage(data, parts([0, 1, 6], [], [2, 3, 4, 5, 7]))
    assert [(leak.earlier, leak.later) for leak in leaks] == [
        (0, 2), (0, 3), (0, 4), (0, 5), (6, 7),
    ]  # fmt: skip
    (sentence,) = summaries(data, leaks)
    assert "5 pairs" in sentence
    assert sentence.endswith(", and 2 more")


def test_arrays_are_told_by_number() -> None:
    data = data_of_scenes([scene(0), scene(1), scene(0), scene(3)], files=False)
    with pytest.raises(DataError, match="image 0 in train and image 2 in test"):
        refuse_leakage(data, parts([0, 1], [], [2, 3]))


def test_made_parts_never_leak() -> None:
    images = [scene(i % 24) for i in range(30)]
    data = data_of_scenes(images, groups=[f"p{i // 2}" for i in range(30)])
    for splits in (data.folds_of(3), [data.splits(1)]):
        assert [leak for leak in check_leakage(data, splits) if leak.kind != "lookalike"] == []


def test_a_patient_in_two_folds_is_refused_on_loading_but_can_be_looked_at(
    make_folder: MakeFolder,
) -> None:
    folder = make_folder("a", "b", count=3)
    rows = [f"{c}/{i}.png,{c},p{i},{i}" for c in "ab" for i in range(3)]
    rows[5] = "b/2.png,b,p0,2"
    write_manifest(folder, "file,label,patient,fold", *rows)
    with pytest.raises(DataError, match=r"'p0' is in two folds of .*: a/0.png and b/2.png"):
        load_dataset(folder, image_size=8)
    assert read_dataset(folder, image_size=8).files == tuple(
        f"{c}/{i}.png" for c in "ab" for i in range(3)
    )
