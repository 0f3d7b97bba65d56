"""The evaluator of a search that trains nothing: proxies of each candidate, in a moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dse.data import Dataset, Split
from dse.errors import InvalidValue
from dse.ir import Shape
from dse.network import Network
from dse.runtime.evaluate import HasNetwork, part, read_data
from dse.runtime.proxies import about_proxy, find_proxy
from dse.runtime.proxies.subject import Subject
from dse.runtime.train import seeded, set_threads
from dse.runtime.train.pixels import normalisation, on_device


@dataclass(frozen=True)
class Proxy:
    """Measures training-free proxies of designs, on the processor.

    Attributes:
        names: which ones.
        dataset: where the images come from that some proxies read, a name or the path of an image
            folder; only its training part is touched.
        data_dir: where the data lies, if not in the usual places.
        image_size: pixels; None is the data set's own default.
        seed: of the weights, of the split and of the draw of images.
        fold: which fold is the test part; None is the data set's default.
        batch: how many images.
        threads: torch threads.

    Raises:
        UnknownName: no such proxy.
        InvalidValue: one of them reads images and no data set is given.
    """

    names: tuple[str, ...]
    dataset: str | None = None
    data_dir: Path | None = None
    image_size: int | None = None
    seed: int = 0
    fold: int | None = None
    batch: int = 64
    threads: int = 1

    def __post_init__(self) -> None:
        for name in self.names:
            if about_proxy(name).images and self.dataset is None:
                raise InvalidValue(f"the proxy {name} reads training images: it needs a data set")

    def __call__(
        self, candidate: HasNetwork, report: Callable[[int, Mapping[str, float]], None]
    ) -> dict[str, float]:
        """The proxies of the candidate by their names; nothing is reported on the way."""
        return self.measure(candidate.network)

    def measure(self, network: Network) -> dict[str, float]:
        """The proxies of a network by their names; the same each time."""
        set_threads(self.threads)
        batch = (
            _no_images(network.input)
            if self.dataset is None
            else _images(self, network.input.channels)
        )
        subject = Subject(network, *batch, self.seed)
        found = {}
        for name in self.names:
            with seeded(self.seed):
                found[name] = find_proxy(name)(subject)
        return found

    def data(self) -> tuple[Dataset, Split]:
        """The data set and its parts; read once per process."""
        assert self.dataset is not None
        return read_data(self.dataset, self.data_dir, self.image_size, self.seed, self.fold)

    def provenance(self) -> dict[str, Any]:
        """Under what conditions the numbers arise."""
        facts: dict[str, Any] = {"evaluator": f"proxy:{','.join(self.names)}", "seed": self.seed}
        if self.dataset is None:
            return facts
        data, split = self.data()
        return {
            **facts,
            "dataset": data.name,
            "dataset_digest": data.digest,
            "synthetic": data.synthetic,
            "image_size": data.image_size,
            "fold": split.fold,
            "batch": self.batch,
        }


@lru_cache(maxsize=2)
def _images(proxy: Proxy, channels: int) -> tuple[Tensor, Tensor]:
    """A batch drawn from the training part, normalised as in training, and its labels."""
    data, split = proxy.data()
    pixels = on_device(
        part(data, split.train),
        classes=len(data.classes),
        channels=channels,
        device=torch.device("cpu"),
    )
    count = min(proxy.batch, len(pixels))
    drawn = torch.from_numpy(np.random.default_rng(proxy.seed).permutation(len(pixels))[:count])
    images = pixels.values[drawn].permute(0, 3, 1, 2).float()
    # Not channels last as in training, where narrow convolutions take care of themselves: see
    # `dse.runtime.train.convolutions`.
    return normalisation(pixels, channels).apply(images).contiguous(), pixels.labels[drawn]


def _no_images(shape: Shape) -> tuple[Tensor, Tensor]:
    none = torch.empty(0, shape.channels, shape.height, shape.width)
    return none, torch.empty(0, dtype=torch.int64)
