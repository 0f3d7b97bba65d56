"""Train, val and test: disjoint, complete, patients whole, every class everywhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.data import Dataset, Split
from dse.data.dataset import assemble
from dse.data.splits import apportion
from dse.errors import DataError, InvalidValue


def data_of(
    labels: list[int],
    *,
    groups: list[str] | None = None,
    folds: list[int] | None = None,
    test: list[bool] | None = None,
) -> Dataset:
    return assemble(
        "toy",
        # No two images alike: those with the same pixels are kept together.
        np.arange(64 * len(labels), dtype=np.uint32).view(np.uint8).reshape(-1, 8, 8, 4)[..., :3],
        np.asarray(labels, dtype=np.int64),
        tuple(f"class{k}" for k in range(max(labels) + 1)),
        groups=None if groups is None else np.asarray(groups),
        folds=None if folds is None else np.asarray(folds, dtype=np.int64),
        test=None if test is None else np.asarray(test),
        note="",
    )


def check(data: Dataset, split: Split) -> None:
    parts = (split.train, split.val, split.test)
    together = np.concatenate(parts)
    assert sorted(together.tolist()) == list(range(len(data.labels)))
    for part in parts:
        assert part.dtype == np.int64
        assert part.tolist() == sorted(part.tolist())
        assert set(data.labels[part]) == set(range(len(data.classes)))
    if data.groups is not None:
        sets = [set(data.groups[part].tolist()) for part in parts]
        assert sum(map(len, sets)) == len(set.union(*sets))
    assert split.grouped == (data.groups is not None)


@st.composite
def patients(draw: st.DrawFn, fewest: int = 3) -> tuple[list[int], list[str]]:
    """Labels and groups: per class at least `fewest` patients of 1 to 4 images each."""
    sizes = st.lists(st.integers(1, 4), min_size=fewest, max_size=12)
    labels: list[int] = []
    groups: list[str] = []
    for label in range(draw(st.integers(2, 4))):
        for number, size in enumerate(draw(sizes)):
            labels += [label] * size
            groups += [f"{label}-{number}"] * size
    order = draw(st.permutations(range(len(labels))))
    return [labels[i] for i in order], [groups[i] for i in order]


@given(patients(), st.integers(0, 2**31), st.booleans())
@settings(max_examples=80, deadline=None)
def test_made_splits(people: tuple[list[int], list[str]], seed: int, grouped: bool) -> None:
    labels, groups = people
    data = data_of(labels, groups=groups if grouped else None)
    split = data.splits(seed)
    check(data, split)
    assert split.fold is None
    again = data.splits(seed)
    assert again.train.tolist() == split.train.tolist()
    assert again.val.tolist() == split.val.tolist()


@given(patients(fewest=5), st.integers(0, 2**31))
@settings(max_examples=40, deadline=None)
def test_made_folds_take_turns_as_test(people: tuple[list[int], list[str]], seed: int) -> None:
    data = data_of(people[0], groups=people[1])
    assert data.test_folds == (0, 1, 2, 3, 4)
    tested: list[int] = []
    for fold in data.test_folds:
        split = data.splits(seed, test_fold=fold)
        check(data, split)
        assert split.fold == fold
        tested += split.test.tolist()
    assert sorted(tested) == list(range(len(data.labels)))


@given(patients(), st.integers(0, 2**31))
@settings(max_examples=40, deadline=None)
def test_published_test_part_is_kept(people: tuple[list[int], list[str]], seed: int) -> None:
    labels, groups = people
    classes = sorted(set(labels))
    held_out = [f"held-out-{label}" for label in classes]
    data = data_of(
        classes + labels,
        groups=held_out + groups,
        test=[True] * len(classes) + [False] * len(labels),
    )
    split = data.splits(seed)
    check(data, split)
    assert split.test.tolist() == list(range(len(classes)))
    assert len(split.val) < len(split.train) or len(labels) < 12


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9)), min_size=9, max_size=60),
    st.integers(0, 2**31),
)
@settings(max_examples=60, deadline=None)
def test_patients_with_several_classes_stay_whole(images: list[tuple[int, int]], seed: int) -> None:
    labels = np.asarray([label for label, _ in images], dtype=np.int64)
    groups = np.asarray([f"p{patient}" for _, patient in images])
    parts = apportion(labels, groups, (0.7, 0.15, 0.15), seed)
    assert set(parts.tolist()) <= {0, 1, 2}
    for group in set(groups.tolist()):
        assert len(set(parts[groups == group].tolist())) == 1


def test_shares_are_met_in_every_class() -> None:
    data = data_of([0] * 700 + [1] * 100 + [2] * 200)
    split = data.splits(3)
    for label, total in enumerate((700, 100, 200)):
        counts = [int((data.labels[part] == label).sum()) for part in (split.train, split.val)]
        assert counts == [round(0.7 * total), round(0.15 * total)]


def test_shares_are_nearly_met_by_patient() -> None:
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 6, 300)
    labels = np.repeat(rng.integers(0, 3, 300), sizes)
    data = data_of(labels.tolist(), groups=[f"p{i}" for i in np.repeat(np.arange(300), sizes)])
    split = data.splits(0)
    check(data, split)
    for part, share in ((split.train, 0.7), (split.val, 0.15), (split.test, 0.15)):
        for label in range(3):
            held = (data.labels[part] == label).sum() / (data.labels == label).sum()
            assert abs(held - share) < 0.02


def test_seeds_differ() -> None:
    data = data_of([0, 1] * 50)
    assert data.splits(0).test.tolist() != data.splits(1).test.tolist()


FOLDED = data_of([0, 1] * 10, folds=[i // 4 for i in range(20)])


def test_last_fold_is_test_and_val_follows_it() -> None:
    split = FOLDED.splits()
    check(FOLDED, split)
    assert split.fold == 4
    assert split.test.tolist() == [16, 17, 18, 19]
    assert split.val.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(("fold", "seed", "val"), [(0, 0, 1), (2, 0, 3), (2, 1, 4), (2, 2, 0)])
def test_val_fold_moves_on_with_the_seed(fold: int, seed: int, val: int) -> None:
    split = FOLDED.splits(seed, test_fold=fold)
    check(FOLDED, split)
    assert split.test[0] == 4 * fold
    assert split.val[0] == 4 * val


def test_two_folds_leave_val_to_be_made() -> None:
    data = data_of([0, 1] * 10, folds=[0] * 10 + [7] * 10)
    assert data.test_folds == (0, 7)
    split = data.splits()
    check(data, split)
    assert split.fold == 7
    assert split.test.tolist() == list(range(10, 20))


def test_a_fold_that_does_not_exist() -> None:
    with pytest.raises(InvalidValue, match=r"one of 0, 1, 2, 3, 4 .*got 5"):
        FOLDED.splits(test_fold=5)
    with pytest.raises(InvalidValue, match="test part is fixed"):
        data_of([0, 1, 0, 1], test=[True, True, False, False]).splits(test_fold=0)


def test_too_few_images_of_a_class_name_class_and_part() -> None:
    with pytest.raises(DataError, match=r"(test|val) has no image of 'class1'"):
        data_of([0] * 20 + [1] * 2).splits()
    with pytest.raises(DataError, match="test has no image of 'class1'"):
        data_of([0, 0, 1, 0, 1], test=[True, False, False, False, False]).splits()


def test_a_patient_in_two_published_folds() -> None:
    data = data_of([0, 1] * 3, groups=["a", "b", "a", "c", "d", "e"], folds=[0, 0, 1, 1, 2, 2])
    with pytest.raises(DataError, match="'a' is in two parts"):
        data.splits()
