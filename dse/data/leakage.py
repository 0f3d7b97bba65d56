"""What training must not share with the images that judge it: patients, pixels, pictures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from dse.data.dataset import Dataset, Split
from dse.data.identical import first_of_each
from dse.data.lookalikes import Lookalikes, lookalikes_of
from dse.errors import DataError

if TYPE_CHECKING:
    from dse.data.dataset import Integers

Kind = Literal["patient", "pixels", "lookalike"]

SHOWN = 3
"""Pairs of files that a message names."""


@dataclass(frozen=True)
class Leak:
    """An image that a later part shares with an earlier one.

    `kind` says how: by its patient, pixel for pixel, or (`lookalike`) as the same picture of
    another patient. `fold` and `parts` say where, as in ("train", "test"); `earlier` and `later`
    are indices of the two images.
    """

    kind: Kind
    fold: int | None
    parts: tuple[str, str]
    earlier: int
    later: int


def check_leakage(data: Dataset, splits: Split | Iterable[Split]) -> list[Leak]:
    """Every image of val or test whose patient, pixels or picture an earlier part has, too.

    One leak for each such image, kind and pair of parts, with one partner as an example. Images
    that look alike are reported where neither the pixels nor the patient are the same.
    """
    splits = [splits] if isinstance(splits, Split) else list(splits)
    return leaks_between(data, splits, lookalikes_of(data))


def leaks_between(data: Dataset, splits: list[Split], found: Lookalikes) -> list[Leak]:
    """What `check_leakage` gives, where the look-alikes are known already."""
    pixels = first_of_each(data.images)
    patients = None if data.groups is None else np.unique(data.groups, return_inverse=True)[1]
    pairs = found.pairs
    other = pixels[pairs[:, 0]] != pixels[pairs[:, 1]]
    if patients is not None:
        other &= patients[pairs[:, 0]] != patients[pairs[:, 1]]
    # Each pair both ways: whichever image is in the later part leaks.
    pairs = np.concatenate([pairs[other], pairs[other][:, ::-1]])

    leaks: list[Leak] = []
    for split in splits:
        parts = {"train": split.train, "val": split.val, "test": split.test}
        for names in (("train", "val"), ("train", "test"), ("val", "test")):
            earlier, later = parts[names[0]], parts[names[1]]
            shared: dict[Kind, Integers] = {"pixels": _shared(pixels, earlier, later)}
            if patients is not None:
                shared["patient"] = _shared(patients, earlier, later)
            across = pairs[np.isin(pairs[:, 0], earlier) & np.isin(pairs[:, 1], later)]
            shared["lookalike"] = across[np.unique(across[:, 1], return_index=True)[1]]
            for kind, images in shared.items():
                leaks += [Leak(kind, split.fold, names, a, b) for a, b in images.tolist()]
    return leaks


def refuse_leakage(data: Dataset, splits: Split | Iterable[Split]) -> list[Leak]:
    """Raise DataError where parts share a patient or the very same pixels.

    Returns the look-alikes, of which a person is to be warned (see `summaries`): they may be copies
    or chance.
    """
    leaks = check_leakage(data, splits)
    for kind in ("patient", "pixels"):
        of_kind = [leak for leak in leaks if leak.kind == kind]
        if of_kind:
            raise DataError(_sentence(data, of_kind) + _REMEDY[kind])
    return leaks


def divided_patients(data: Dataset) -> list[tuple[int, int]]:
    """For each patient whose images lie in several published folds or parts, two images that do."""
    home = data.test if data.folds is None else data.folds
    if data.groups is None or home is None:
        return []
    _, first, of = np.unique(data.groups, return_index=True, return_inverse=True)
    astray = np.flatnonzero(home != home[first[of]])
    pairs = {int(first[of[image]]): int(image) for image in astray[::-1]}
    return sorted(pairs.items())


def refuse_divided_patients(data: Dataset) -> None:
    """Raise DataError where published folds or the test part divide the images of a patient."""
    for one, other in divided_patients(data)[:1]:
        assert data.groups is not None
        raise DataError(
            f"a patient belongs to one fold or part, but {str(data.groups[one])!r} is in two "
            f"{'parts' if data.folds is None else 'folds'} of data set {data.name!r}: "
            f"{data.file_of(one)} and {data.file_of(other)}"
        )


def summaries(data: Dataset, leaks: Iterable[Leak]) -> list[str]:
    """A sentence for each kind of leak: how many pairs of images, where, the first few files."""
    leaks = list(leaks)
    kinds: tuple[Kind, ...] = ("patient", "pixels", "lookalike")
    by_kind = [[leak for leak in leaks if leak.kind == kind] for kind in kinds]
    return [_sentence(data, of_kind) for of_kind in by_kind if of_kind]


_REMEDY: dict[Kind, str] = {
    "patient": "; give all images of a patient one fold",
    "pixels": "; remove one of each two, or give both the same fold",
}


def _sentence(data: Dataset, leaks: list[Leak]) -> str:
    # A pair meets again in most folds.
    pairs = {tuple(sorted((leak.earlier, leak.later))): leak for leak in reversed(leaks)}
    number, name = len(pairs), f"data set {data.name!r}"
    counted = f"{number:,} {'pair' if number == 1 else 'pairs'} of images of {name}"
    match leaks[0].kind:
        case "patient":
            assert data.groups is not None
            people = len({str(data.groups[leak.later]) for leak in leaks})
            whose = "one patient" if people == 1 else f"{people:,} patients"
            says = f"the images of a patient must be in one part, but those of {whose} of {name} "
            says += "are divided"
        case "pixels":
            says = f"an image must be in one part, but {counted} with the same pixels "
            says += "is divided" if number == 1 else "are divided"
        case _:
            says = f"{counted} {'looks' if number == 1 else 'look'} alike and "
            says += "is in two parts" if number == 1 else "are in two parts"
    # Counted from the first: the last of equal pairs was kept.
    first = list(pairs.values())[::-1][:SHOWN]
    rest = f", and {number - SHOWN:,} more" if number > SHOWN else ""
    return f"{says}: {'; '.join(_example(data, leak) for leak in first)}{rest}"


def _example(data: Dataset, leak: Leak) -> str:
    fold = "" if leak.fold is None else f" of fold {leak.fold}"
    earlier, later = data.file_of(leak.earlier), data.file_of(leak.later)
    return f"{earlier} in {leak.parts[0]} and {later} in {leak.parts[1]}{fold}"


def _shared(code: Integers, earlier: Integers, later: Integers) -> Integers:
    """Pairs (M, 2): each image of `later` whose code `earlier` has, after the first that has it."""
    known, first = np.unique(code[earlier], return_index=True)
    place = np.searchsorted(known, code[later])
    hit = np.isin(code[later], known)
    return np.stack([earlier[first[place[hit]]], later[hit]], axis=1)
