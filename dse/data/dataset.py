"""What a data set is, once it is in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Integers = NDArray[np.int64]
    Flags = NDArray[np.bool_]
    Strings = NDArray[np.str_]


@dataclass(frozen=True)
class Skipped:
    """A file that belongs to the data set but could not be used, and why."""

    file: str
    reason: str


@dataclass(frozen=True, eq=False)
class Split:
    """Which images train, which choose between designs, which are read once at the end.

    `train`, `val` and `test` are sorted, disjoint int64 indices into `Dataset.images` that together
    cover it. `fold` is the fold that serves as test (None where no folds are used); `grouped` says
    that images of one patient are all in one part.
    """

    train: Integers
    val: Integers
    test: Integers
    fold: int | None
    grouped: bool


@dataclass(frozen=True, eq=False)
class Dataset:
    """Square images of one size with their classes, and how their authors divided them.

    `images` is uint8, (N, S, S) for grayscale or (N, S, S, 3) for RGB, C-contiguous; `labels` is
    int64 (N,), an index into `classes`. `groups` names the patient of each image, `folds` its
    published fold, `test` marks the published test part; each is None where the data has none.
    `digest` is the first 16 hex digits of a SHA-256 over all of these. `skipped` lists files left
    out, `note` is one sentence on where the images come from. `files` names the file of each image,
    relative to the data set's folder; None where the images come as arrays.
    """

    name: str
    images: Pixels
    labels: Integers
    classes: tuple[str, ...]
    groups: Strings | None
    folds: Integers | None
    test: Flags | None
    synthetic: bool
    digest: str
    skipped: tuple[Skipped, ...]
    note: str
    files: tuple[str, ...] | None = None

    @property
    def image_size(self) -> int:
        """Height and width of every image, in pixels."""
        return int(self.images.shape[1])

    @property
    def channels(self) -> int:
        """1 for grayscale, 3 for RGB."""
        return 1 if self.images.ndim == 3 else 3

    @property
    def test_folds(self) -> tuple[int, ...]:
        """The values `splits(test_fold=...)` accepts.

        The published folds; five folds made by seed where there are none; empty where a published
        test part settles the matter.
        """
        from dse.data.splits import test_folds

        return test_folds(self)

    def splits(self, seed: int = 0, test_fold: int | None = None) -> Split:
        """Divide the images into train, val and test; the same arguments give the same parts.

        Published folds: the test part is `test_fold` (by default the last), val the fold after it,
        one further on for each step of `seed`. A published test part: that is test, val a
        stratified sixth of the rest by `seed`. Neither: 70/15/15, stratified by class, by `seed`;
        or, with `test_fold`, five stratified folds made by `seed`, of which that one is test and
        the next val. Images of one group stay together, and in
        parts made by `seed` those with the same pixels too.

        Raises InvalidValue for a fold that does not exist or a negative seed, DataError where a
        part would lack a class or a patient would be in two parts.
        """
        from dse.data.splits import split

        return split(self, seed, test_fold)

    def folds_of(self, number: int | None = None, seed: int = 0) -> list[Split]:
        """One split for each fold of a cross-validation, in which that fold is the test part.

        The published folds where `number` is None or theirs, as `splits` gives them; the one split
        of a published test part where `number` is None. Otherwise `number` folds (five for None)
        are made by `seed` of all images, stratified by class, with patients whole; val is then a
        stratified sixth of what each fold leaves.

        Raises InvalidValue for fewer than two folds, or more than the rarest class has patients
        (images, where no patients are known); DataError where a part would lack a class.
        """
        from dse.data.folds import folds_of

        return folds_of(self, number, seed)

    def file_of(self, index: int) -> str:
        """How people find an image: its file, or its number where it has none."""
        if self.files is None:
            return f"image {index}"
        from dse.data.places import printable

        return printable(self.files[index])


def assemble(
    name: str,
    images: Pixels,
    labels: Integers,
    classes: tuple[str, ...],
    *,
    groups: Strings | None = None,
    folds: Integers | None = None,
    test: Flags | None = None,
    synthetic: bool = False,
    skipped: tuple[Skipped, ...] = (),
    note: str,
    files: tuple[str, ...] | None = None,
) -> Dataset:
    """A Dataset of these parts, with its digest."""
    import numpy as np

    images = np.ascontiguousarray(images)
    return Dataset(
        name=name,
        images=images,
        labels=labels,
        classes=classes,
        groups=groups,
        folds=folds,
        test=test,
        synthetic=synthetic,
        digest=_digest(images, labels, classes, groups, folds, test),
        skipped=skipped,
        note=note,
        files=files,
    )


def _digest(
    images: Pixels,
    labels: Integers,
    classes: tuple[str, ...],
    groups: Strings | None,
    folds: Integers | None,
    test: Flags | None,
) -> str:
    import hashlib
    import json

    # Strings and shapes go in as JSON: an array of str has a width and byte order of its own.
    facts: dict[str, Any] = {
        "shape": images.shape,
        "classes": classes,
        "labels": labels.tolist(),
        "groups": None if groups is None else groups.tolist(),
        "folds": None if folds is None else folds.tolist(),
        "test": None if test is None else test.tolist(),
    }
    content = hashlib.sha256(json.dumps(facts).encode())
    content.update(images.data)
    return content.hexdigest()[:16]
