"""Images of a data set for a file that is exported: to set its ranges by, and to try it on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.data import Dataset, Split
from dse.network import Network
from dse.runtime.export.preprocessing import Preprocessing

CALIBRATION = 128
"""Images that set the ranges of an int8 file."""


@dataclass(frozen=True, eq=False)
class Examples:
    """Images as a network takes them.

    Attributes:
        calibration: of the training part, float32 (N, C, H, W).
        images, labels: the validation part.
        dataset: whose.
    """

    calibration: NDArray[Any]
    images: NDArray[Any]
    labels: NDArray[np.int64]
    dataset: str

    @classmethod
    def of(
        cls, data: Dataset, split: Split, network: Network, preprocessing: Preprocessing
    ) -> Examples:
        """Those of the parts of a data set; the same ones each time.

        Raises:
            InvalidValue: the network is for other classes, channels or sizes.
        """
        number = min(CALIBRATION, len(split.train))
        chosen = np.random.default_rng(0).choice(split.train, number, replace=False)
        return cls(
            preprocessing.apply(data, np.sort(chosen), network),
            preprocessing.apply(data, split.val, network),
            data.labels[split.val],
            data.name,
        )
