"""Images with the very same pixels."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dse.data.dataset import Integers, Pixels


def first_of_each(images: Pixels) -> Integers:
    """For each image the first one with the same pixels, itself where none came before: (N,)."""
    first: dict[bytes, int] = {}
    number = len(images)
    found = (
        # Hashed, because 60,000 images as keys would be kept a second time.
        first.setdefault(blake2b(pixels.data, digest_size=16).digest(), index)
        for index, pixels in enumerate(np.ascontiguousarray(images).reshape(number, -1))
    )
    return np.fromiter(found, dtype=np.int64, count=number)
