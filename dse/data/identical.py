"""Images with the very same pixels."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dse.data.dataset import Integers, Pixels


def first_of_each(images: Pixels) -> Integers:
    """For each image the first one with the same pixels, itself where none came before: (N,).

    Blank images show nothing that they could share: each is itself.
    """
    first: dict[bytes, int] = {}
    found = np.arange(len(images))
    for index, pixels in enumerate(images):
        # Hashed, because 60,000 images as keys would be kept a second time.
        key = blake2b(np.ascontiguousarray(pixels).data, digest_size=16).digest()
        before = first.setdefault(key, index)
        if before != index and (pixels != pixels[0, 0]).any():
            found[index] = before
    return found
