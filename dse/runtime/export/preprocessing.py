"""How an image becomes a network's input, kept with every file that is deployed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dse.data import Dataset
from dse.errors import DataError, InvalidValue
from dse.network import Network

if TYPE_CHECKING:
    from dse.runtime.train.pixels import Normalisation


@dataclass(frozen=True)
class Preprocessing:
    """What a training did to its images, and what its classes were called.

    Attributes:
        dataset, digest: the data set, and the hash of what it held.
        synthetic: whether its images were made, not taken.
        classes: names, in the order of the scores.
        grayscale: whether images are made gray, and that one channel fills all of the network's.
        mean, std: of each channel of the network's input, pixels being 0 to 1.
    """

    dataset: str
    digest: str
    synthetic: bool
    classes: tuple[str, ...]
    grayscale: bool
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def of(
        cls, data: Dataset, network: Network, mean: Sequence[float], std: Sequence[float]
    ) -> Preprocessing:
        """That of a training on a data set (`Fitted.mean`, `Fitted.std`)."""
        return cls(
            data.name,
            data.digest,
            data.synthetic,
            data.classes,
            data.channels == 1 or network.input.channels == 1,
            tuple(mean),
            tuple(std),
        )

    @classmethod
    def read(cls, metadata: Mapping[str, str]) -> Preprocessing | None:
        """What a file's metadata say; None where its weights were trained on nothing that is known.

        Raises:
            DataError: they say something else than dse writes.
        """
        if not {"mean", "channel_order"} <= metadata.keys():  # early files lack the latter
            return None
        try:
            return cls(
                metadata["dataset"],
                metadata["dataset_digest"],
                json.loads(metadata["synthetic"]),
                tuple(_list(metadata["class_names"])),
                metadata["channel_order"] == "gray",
                tuple(float(value) for value in _list(metadata["mean"])),
                tuple(float(value) for value in _list(metadata["std"])),
            )
        except (KeyError, ValueError, TypeError) as error:
            raise DataError(f"the file's preprocessing cannot be read: {error}") from None

    def metadata(self) -> dict[str, str]:
        """As files keep it; a list is a row of a CSV file."""
        return {
            "dataset": self.dataset,
            "dataset_digest": self.digest,
            "synthetic": json.dumps(self.synthetic),
            "class_names": _row(self.classes),
            **_common(gray=self.grayscale),
            "mean": _row(self.mean),
            "std": _row(self.std),
        }

    def apply(self, data: Dataset, indices: NDArray[np.int64], network: Network) -> NDArray[Any]:
        """Images of a data set as the network's input, float32 (N, C, H, W).

        Raises:
            InvalidValue: the data set is not of the same classes, channels or size.
        """
        import torch

        from dse.runtime.evaluate import part
        from dse.runtime.train.pixels import Normalisation, on_device

        self._check(data, network)
        pixels = on_device(
            part(data, indices),
            classes=len(data.classes),
            channels=network.input.channels,
            device=torch.device("cpu"),
        )
        images = pixels.values.permute(0, 3, 1, 2).float()
        normal = Normalisation(self.mean, self.std).apply(images)
        return normal.contiguous(memory_format=torch.contiguous_format).numpy()

    def _check(self, data: Dataset, network: Network) -> None:
        if data.classes != self.classes:
            raise InvalidValue(
                f"the weights know the classes {', '.join(self.classes)}, the data set {data.name} "
                f"has {', '.join(data.classes)}"
            )
        if (data.channels == 1 or network.input.channels == 1) != self.grayscale:
            kinds = ("gray", "RGB") if self.grayscale else ("RGB", "gray")
            raise InvalidValue(
                f"the weights are for {kinds[0]} images, those of {data.name} are {kinds[1]}"
            )
        side = data.image_size
        if (network.input.height, network.input.width) != (side, side):
            raise InvalidValue(
                f"the images of {data.name} are {side}x{side}, {network.name} takes {network.input}"
            )


def described(network: Network, preprocessing: Preprocessing | None) -> dict[str, str]:
    """The metadata of a network's exports: its preprocessing, as far as it is known."""
    if preprocessing is not None:
        return preprocessing.metadata()
    return _common(gray=network.input.channels != 3)


def _common(*, gray: bool) -> dict[str, str]:
    """What trainings do to all images: resize them to the network's input, whatever their shape,
    and scale their pixels to the range.
    """
    return {
        "resize": "lanczos",
        "channel_order": "gray" if gray else "RGB",
        "pixel_range": "[0, 1]",
    }


def _row(values: Sequence[object]) -> str:
    """``covid,normal``, with quotes where a value holds a comma."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(values)
    return text.getvalue()


def _list(row: str) -> list[str]:
    return next(csv.reader(io.StringIO(row, newline="")))


def measured(data: Dataset, indices: NDArray[np.int64], network: Network) -> Preprocessing:
    """That of a training on some images of a data set, whose mean and deviation it takes."""
    normal = _normalisation(data, indices, network)
    return Preprocessing.of(data, network, normal.mean, normal.std)


def _normalisation(data: Dataset, indices: NDArray[np.int64], network: Network) -> Normalisation:
    import torch

    from dse.runtime.evaluate import part
    from dse.runtime.train.pixels import normalisation, on_device

    channels = network.input.channels
    pixels = on_device(
        part(data, indices),
        classes=len(data.classes),
        channels=channels,
        device=torch.device("cpu"),
    )
    return normalisation(pixels, channels)
