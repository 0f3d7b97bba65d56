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
    _check_number(data, units, number)
    folds = make_folds(data, units, number, seed)
    return [with_val(data, units, folds == fold, seed, fold) for fold in range(number)]


def _check_number(data: Dataset, units: Integers | None, number: int) -> None:
    """Refuse more folds than the rarest class can be in."""
    alone = np.arange(len(data.labels)) if data.groups is None else data.groups
    own = alone if units is None else units
    held = [len(np.unique(own[data.labels == label])) for label in range(len(data.classes))]
    if number > min(held):
        what = "images" if data.groups is None else "patients"
        merged = len(np.unique(own)) < len(np.unique(alone))
        aside = " (those with the same pixels counted once)" if merged else ""
        raise InvalidValue(
            f"folds must be at most {min(held)}, the {what} of the class "
            f"{data.classes[held.index(min(held))]!r}{aside} in data set {data.name!r}, "
            f"got {number}"
        )
