"""Train, val and test parts: stratified by class, with every patient in one part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dse.data.dataset import Dataset, Split
from dse.data.together import kept_together
from dse.errors import DataError, InvalidValue

if TYPE_CHECKING:
    from dse.data.dataset import Flags, Integers, Strings

MADE_FOLDS = 5
THREE_WAYS = (0.70, 0.15, 0.15)
VAL_SHARE = 1 / 6


def test_folds(data: Dataset) -> tuple[int, ...]:
    """The folds that may serve as test: see `Dataset.test_folds`."""
    if data.folds is not None:
        return tuple(int(fold) for fold in np.unique(data.folds))
    return () if data.test is not None else tuple(range(MADE_FOLDS))


def split(data: Dataset, seed: int, test_fold: int | None) -> Split:
    """The parts that `Dataset.splits` documents."""
    if seed < 0:
        raise InvalidValue(f"seed must be 0 or more, got {seed}")
    known = test_folds(data)
    if test_fold is not None and test_fold not in known:
        rule = (
            f"one of {', '.join(map(str, known))}" if known else "left out, its test part is fixed"
        )
        raise InvalidValue(f"test_fold must be {rule} for data set {data.name!r}, got {test_fold}")
    if data.folds is not None:
        return _by_folds(data, data.folds, seed, known[-1] if test_fold is None else test_fold)
    if test_fold is not None:
        folds = make_folds(data, kept_together(data), MADE_FOLDS, seed)
        # The seed has had its say in the folds: val is simply the next one.
        return _by_folds(data, folds, 0, test_fold)
    if data.test is not None:
        return with_val(data, kept_together(data), data.test, seed, None)
    return _checked(data, apportion(data.labels, kept_together(data), THREE_WAYS, seed), None)


def make_folds(data: Dataset, units: Integers | None, number: int, seed: int) -> Integers:
    """The fold (0 .. number - 1) of each image, stratified by class: int64 (N,).

    `units` say what is kept together.
    """
    return apportion(data.labels, units, [1 / number] * number, seed)


def with_val(
    data: Dataset, units: Integers | None, is_test: Flags, seed: int, fold: int | None
) -> Split:
    """A given test part, and val as a stratified sixth of the rest by `seed`."""
    parts = np.full(len(data.labels), 2, dtype=np.int64)
    rest = np.flatnonzero(~is_test)
    of_rest = None if units is None else units[rest]
    parts[rest] = apportion(data.labels[rest], of_rest, [1 - VAL_SHARE, VAL_SHARE], seed)
    return _checked(data, parts, fold)


def apportion(
    labels: Integers, groups: Strings | Integers | None, shares: Sequence[float], seed: int
) -> Integers:
    """The part (0 .. len(shares) - 1) of each image: int64 (N,).

    Groups are placed whole, rare classes and large groups first, each into the part that is
    furthest below its share of the class; the last groups of a class are kept for parts that have
    none of it yet, so that three groups of a class suffice for three parts. (This is Sechidis'
    iterative stratification; scikit-learn's StratifiedGroupKFold makes equal folds only, and may
    leave a small class out of one. Being ours, it also never changes with a library's version.)
    """
    number, group_of = np.unique(
        np.arange(len(labels)) if groups is None else groups, return_inverse=True
    )
    counts = np.zeros((len(number), int(labels.max(initial=-1)) + 1), dtype=np.int64)
    np.add.at(counts, (group_of, labels), 1)

    totals = counts.sum(axis=0)
    wanted = np.asarray(shares)[:, None] * totals  # (parts, classes), in images
    held = np.zeros_like(wanted)
    need = wanted.copy()
    part_of = np.full(len(number), -1, dtype=np.int64)
    order = np.random.default_rng(seed).permutation(len(number))
    for label in np.argsort(totals, kind="stable"):
        waiting = order[(counts[order, label] > 0) & (part_of[order] < 0)]
        waiting = waiting[np.argsort(-counts[waiting, label], kind="stable")]
        # Equal need for this class is settled by the need for any class.
        needs = list(zip(need[:, label].tolist(), need.sum(axis=1).tolist(), strict=True))
        open_to = range(len(needs))
        for left, group in zip(range(len(waiting), 0, -1), waiting, strict=True):
            lacking = np.flatnonzero(held[:, label] == 0).tolist() if left <= len(needs) else []
            best = max(lacking if left <= len(lacking) else open_to, key=needs.__getitem__)
            part_of[group] = best
            held[best] += counts[group]
            need[best] = wanted[best] - held[best]
            needs[best] = (float(need[best, label]), float(need[best].sum()))
    return part_of[group_of]


def _by_folds(data: Dataset, folds: Integers, seed: int, test_fold: int) -> Split:
    rest = [int(fold) for fold in np.unique(folds) if fold != test_fold]
    if len(rest) < 2:
        return with_val(data, kept_together(data), folds == test_fold, seed, test_fold)
    after = sum(fold < test_fold for fold in rest)
    val_fold = rest[(after + seed) % len(rest)]
    parts = np.where(folds == test_fold, 2, np.where(folds == val_fold, 1, 0))
    return _checked(data, parts, test_fold)


def _checked(data: Dataset, parts: Integers, fold: int | None) -> Split:
    indices = [np.flatnonzero(parts == part) for part in range(3)]
    for part, chosen in zip(("train", "val", "test"), indices, strict=True):
        found = np.bincount(data.labels[chosen], minlength=len(data.classes))
        for label, name in enumerate(data.classes):
            if found[label] == 0:
                place = "" if fold is None else f" where fold {fold} is test,"
                raise DataError(
                    f"every class must be in train, val and test, but{place} {part} has no image "
                    f"of {name!r} in data set {data.name!r}"
                )
    if data.groups is not None:
        part_of: dict[str, int] = {}
        for group, part_number in zip(data.groups.tolist(), parts.tolist(), strict=True):
            if part_of.setdefault(group, part_number) != part_number:
                raise DataError(
                    f"the images of one patient must share a part, but {group!r} is in two parts "
                    f"of data set {data.name!r}"
                )
    train, val, test = indices
    return Split(train=train, val=val, test=test, fold=fold, grouped=data.groups is not None)
