"""Cross-validation: every fold takes its turn as the test part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dse.data.dataset import Dataset, Split
from dse.data.splits import MADE_FOLDS, make_folds, split, with_val
from dse.data.together import kept_together
from dse.errors import InvalidValue

if TYPE_CHECKING:
    from dse.data.dataset import Integers


def folds_of(data: Dataset, number: int | None, seed: int) -> list[Split]:
    """The splits that `Dataset.folds_of` documents."""
    if number is not None and number < 2:
        raise InvalidValue(f"folds must be 2 or more, got {number}")
    published = [] if data.folds is None else np.unique(data.folds).tolist()
    if published and number in (None, len(published)):
        return [split(data, seed, fold) for fold in published]
    if number is None and data.test is not None:
        return [split(data, seed, None)]
    if seed < 0:
        raise InvalidValue(f"seed must be 0 or more, got {seed}")
    number = MADE_FOLDS if number is None else number
    units = kept_together(data)
    _check_number(data, np.arange(len(data.labels)) if units is None else units, number)
    folds = make_folds(data, units, number, seed)
    return [with_val(data, units, folds == fold, seed, fold) for fold in range(number)]


def _check_number(data: Dataset, units: Integers, number: int) -> None:
    """Refuse more folds than the rarest class can be in."""
    held = [len(np.unique(units[data.labels == label])) for label in range(len(data.classes))]
    if number > min(held):
        what = "images" if data.groups is None else "patients"
        raise InvalidValue(
            f"folds must be at most {min(held)}, the {what} of the class "
            f"{data.classes[held.index(min(held))]!r} in data set {data.name!r}, got {number}"
        )
