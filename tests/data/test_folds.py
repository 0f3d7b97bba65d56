"""Cross-validation: any number of folds, each the test part once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.data import Dataset
from dse.errors import DataError, InvalidValue

from .test_splits import FOLDED, check, data_of, patients


@given(patients(fewest=6), st.integers(2, 6), st.integers(0, 2**31), st.booleans())
@settings(max_examples=60, deadline=None)
def test_made_folds(
    people: tuple[list[int], list[str]], number: int, seed: int, grouped: bool
) -> None:
    data = data_of(people[0], groups=people[1] if grouped else None)
    splits = data.folds_of(number, seed)
    assert [split.fold for split in splits] == list(range(number))
    for split in splits:
        check(data, split)
    assert sorted(np.concatenate([split.test for split in splits]).tolist()) == list(
        range(len(data.labels))
    )
    again = data.folds_of(number, seed)
    assert [split.val.tolist() for split in again] == [split.val.tolist() for split in splits]


def test_folds_are_stratified() -> None:
    data = data_of([0] * 300 + [1] * 60)
    for split in data.folds_of(10, seed=3):
        assert np.bincount(data.labels[split.test]).tolist() == [30, 6]
        assert np.bincount(data.labels[split.val]).tolist() == [45, 9]


@pytest.mark.parametrize("number", [None, 5])
def test_published_folds_are_used_where_they_are_that_many(number: int | None) -> None:
    for split in FOLDED.folds_of(number):
        assert split.fold is not None
        again = FOLDED.splits(test_fold=split.fold)
        assert split.test.tolist() == again.test.tolist()
        assert split.val.tolist() == again.val.tolist()


def test_another_number_is_made_anew() -> None:
    splits = FOLDED.folds_of(4, seed=1)
    assert [len(split.test) for split in splits] == [5, 5, 5, 5]
    assert FOLDED.folds is not None
    assert any(len(set(FOLDED.folds[split.test])) > 1 for split in splits)


def test_a_published_test_part_is_the_only_one_unless_folds_are_asked_for() -> None:
    data = data_of([0, 1] * 20, test=[i < 10 for i in range(40)])
    (split,) = data.folds_of()
    assert split.test.tolist() == list(range(10))
    assert [len(split.test) for split in data.folds_of(4)] == [10, 10, 10, 10]


def test_five_is_usual_and_tests_what_a_single_training_does() -> None:
    data = data_of([0, 1] * 20)
    for split in data.folds_of(seed=2):
        assert split.fold is not None
        assert split.test.tolist() == data.splits(2, test_fold=split.fold).test.tolist()


def few(*, grouped: bool) -> Dataset:
    """Twenty images of a common class, six images or three patients of a rare one."""
    groups = [f"a{i}" for i in range(20)] + [f"b{i // 2}" for i in range(6)]
    return data_of([0] * 20 + [1] * 6, groups=groups if grouped else None)


@pytest.mark.parametrize("number", [1, 0, -3])
def test_fewer_than_two(number: int) -> None:
    with pytest.raises(InvalidValue, match=f"folds must be 2 or more, got {number}"):
        FOLDED.folds_of(number)


def test_more_folds_than_the_rarest_class_has_patients() -> None:
    with pytest.raises(InvalidValue, match=r"at most 3, the patients of the class 'class1'.*got 4"):
        few(grouped=True).folds_of(4)
    with pytest.raises(InvalidValue, match=r"at most 6, the images of the class 'class1'.*got 7"):
        few(grouped=False).folds_of(7)
    assert len(few(grouped=True).folds_of(3)) == 3
    assert len(few(grouped=False).folds_of(6)) == 6


def test_a_class_that_leaves_no_image_for_val() -> None:
    with pytest.raises(DataError, match=r"where fold \d is test, val has no image of 'class1'"):
        few(grouped=True).folds_of(2)


def test_a_class_absent_from_a_published_fold() -> None:
    data = data_of([0, 1] * 6, folds=[0, 0, 0, 0, 1, 1, 1, 1, 2, 3, 2, 3])
    with pytest.raises(DataError, match="where fold 1 is test, val has no image of 'class1'"):
        data.folds_of()


def test_seeds_of_folds() -> None:
    with pytest.raises(InvalidValue, match="seed must be 0 or more, got -1"):
        FOLDED.folds_of(3, seed=-1)
    first, second = (data_of([0, 1] * 50).folds_of(3, seed)[0].test.tolist() for seed in (0, 1))
    assert first != second


def twins(*pairs: tuple[int, int], groups: list[str] | None = None) -> Dataset:
    """Forty images in two classes, of which the second of each pair is a copy of the first."""
    data = data_of([0, 1] * 20, groups=groups)
    for one, other in pairs:
        data.images[other] = data.images[one]
    return data


@given(st.lists(st.tuples(st.integers(0, 39), st.integers(0, 39)), max_size=6), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_copies_stay_together(pairs: list[tuple[int, int]], seed: int) -> None:
    data = twins(*pairs)
    same: dict[bytes, set[int]] = {}
    for index, pixels in enumerate(data.images):
        same.setdefault(pixels.tobytes(), set()).add(index)
    for split in (*data.folds_of(3, seed), data.splits(seed)):
        check(data, split)
        for part in (split.train, split.val, split.test):
            for copies in same.values():
                assert copies <= set(part.tolist()) or not copies & set(part.tolist())


def test_a_shared_image_keeps_two_patients_together() -> None:
    groups = [f"p{i // 2}" for i in range(40)]
    data = twins((0, 39), (38, 20), groups=groups)
    together = {0, 1, 38, 39, 20, 21}
    for split in data.folds_of(4):
        for part in (split.train, split.val, split.test):
            assert together <= set(part.tolist()) or not together & set(part.tolist())


def test_distinct_images_are_divided_as_before_copies_were_looked_for() -> None:
    data = data_of([0] * 12 + [1] * 8, groups=[f"p{i // 2}" for i in range(20)])
    assert data.splits(seed=1).test.tolist() == [6, 7, 12, 13]
    assert data.folds_of(3, seed=1)[2].test.tolist() == [0, 1, 10, 11, 18, 19]


def test_blank_images_do_not_tie_patients_together() -> None:
    data = data_of([0, 1] * 20, groups=[f"p{i // 2}" for i in range(40)])
    data.images[::4] = 0
    assert len(data.folds_of(10)) == 10


def test_copies_count_once_and_the_message_says_so() -> None:
    data = twins(*((1, i) for i in range(3, 39, 2)))
    with pytest.raises(InvalidValue, match=r"at most 2, the images of the class 'class1' \(those"):
        data.folds_of(3)
