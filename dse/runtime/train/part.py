"""One part of a data set, as training receives it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dse.errors import InvalidValue


@dataclass(frozen=True, eq=False)
class Part:
    """Images with their labels.

    `images` is uint8, (N, H, W) for grayscale or (N, H, W, 3) for RGB; `labels` is int64 (N,), an
    index into the classes. Raises InvalidValue where they are not, or where there are no images.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __post_init__(self) -> None:
        shape, kind = self.images.shape, self.images.dtype
        if kind != np.uint8 or len(shape) not in (3, 4) or shape[3:] not in ((), (3,)):
            raise InvalidValue(
                f"images must be uint8 of shape (N, H, W) or (N, H, W, 3), got {kind} {shape}"
            )
        if self.labels.shape != shape[:1] or not np.issubdtype(self.labels.dtype, np.integer):
            raise InvalidValue(
                f"labels must be integers of shape {shape[:1]}, one for each image, "
                f"got {self.labels.dtype} {self.labels.shape}"
            )
        if not len(self):
            raise InvalidValue("a part must hold at least one image, got none")

    def __len__(self) -> int:
        return int(self.images.shape[0])

    @property
    def grayscale(self) -> bool:
        """Whether the images have one channel."""
        return self.images.ndim == 3
