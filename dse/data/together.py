"""Which images must stay in one part: those of one patient, and those with the same pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dse.data.identical import first_of_each

if TYPE_CHECKING:
    from dse.data.dataset import Dataset, Integers


def kept_together(data: Dataset) -> Integers | None:
    """The unit of each image, int64 (N,); None where every image may be placed by itself.

    Units are the patients; those who share an image, pixel for pixel, are one.
    """
    first = first_of_each(data.images)
    copies = np.flatnonzero(first != np.arange(len(first)))
    if data.groups is None:
        return first if len(copies) else None
    unit = np.unique(data.groups, return_inverse=True)[1].astype(np.int64)
    for copy in copies:
        ours, theirs = unit[first[copy]], unit[copy]
        if ours != theirs:
            unit[unit == theirs] = ours
    return unit
