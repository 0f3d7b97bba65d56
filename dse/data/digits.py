"""`digits`: the handwritten digits that come with scikit-learn, no download needed."""

from __future__ import annotations

import numpy as np

from dse.data.dataset import Dataset, assemble
from dse.data.decode import resize_stack

IMAGE_SIZE = 32


def load_digits(size: int) -> Dataset:
    """1,797 real handwritten digits of 8x8 pixels, enlarged to size x size."""
    from sklearn.datasets import load_digits as read

    bunch = read()
    # Ink is counted 0..16 per pixel.
    small = np.rint(bunch.images * (255 / 16)).astype(np.uint8)
    return assemble(
        "digits",
        resize_stack(small, size),
        np.asarray(bunch.target, dtype=np.int64),
        tuple(str(digit) for digit in range(10)),
        note="1,797 real handwritten digits (UCI, via scikit-learn), enlarged from 8x8; "
        "their writers are not recorded, so images are split one by one",
    )
