"""The evaluator of a search: train the candidate for a few epochs, measure it on the validation
part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from dse.data import Dataset, Split, load_dataset
from dse.network import Network
from dse.recipes import Recipe, with_dropout
from dse.runtime.load import build
from dse.runtime.train import Fitted, Part, Score, fit, pick_device, score, seeded, set_threads
from dse.runtime.train.metrics import by_class_name

if TYPE_CHECKING:
    from torch import nn


class HasNetwork(Protocol):
    """What training needs of a candidate."""

    @property
    def network(self) -> Network: ...


@dataclass(frozen=True)
class Advanced:
    """How far a training has come: the metrics so far, those of each epoch with its `step`, whether
    it is over, and the seconds spent on it.
    """

    metrics: dict[str, float]
    history: list[dict[str, float]]
    over: bool
    seconds: float


@dataclass(frozen=True)
class Train:
    """Trains designs on one data set by one recipe; the same seed for every design.

    Attributes:
        dataset: a data set's name, or the path of an image folder.
        recipe: how to train.
        data_dir: where the data lies, if not in the usual places.
        image_size: pixels; None is the data set's own default.
        seed: of weights, order and augmentation. One seed for all designs: what they differ in
            is the design.
        fold: which fold is the test part; None is the data set's default.
        device: where to train: auto, cpu, cuda, mps.
        threads: torch threads. One, because networks of this size train slower with more: two on
            two cores, beside other work, took 4 to 9 times as long. Cores are for workers.
    """

    dataset: str
    recipe: Recipe
    data_dir: Path | None = None
    image_size: int | None = None
    seed: int = 0
    fold: int | None = None
    device: str = "auto"
    threads: int = 1

    def __call__(
        self, candidate: HasNetwork, report: Callable[[int, Mapping[str, float]], None]
    ) -> dict[str, float]:
        """Train the candidate and return the validation metrics of the last epoch, or under early
        stopping those of the best.
        """
        return self.advance(candidate, report).metrics

    @property
    def span(self) -> tuple[int, int]:
        """The first epoch by which designs can be told apart, past the warm-up, and the last."""
        return max(2, ceil(self.recipe.warmup_epochs) + 1), self.recipe.epochs

    def advance(
        self,
        candidate: HasNetwork,
        report: Callable[[int, Mapping[str, float]], None],
        until: int | None = None,
        folder: Path | None = None,
    ) -> Advanced:
        """Train the candidate to the end of epoch `until`, from where `folder` has it."""
        _, split = self.data()
        fitted, _ = self.train(candidate.network, split.train, split.val, report, folder, until)
        history = [
            {
                "step": row["epoch"],
                **{k: v for k, v in row.items() if k not in ("epoch", "learning_rate")},
            }
            for row in fitted.history
        ]
        return Advanced(fitted.metrics, history, fitted.over, fitted.seconds)

    def data(self) -> tuple[Dataset, Split]:
        """The data set and its parts; read once per process."""
        return read_data(self.dataset, self.data_dir, self.image_size, self.seed, self.fold)

    def train(
        self,
        network: Network,
        train: np.ndarray[Any, np.dtype[np.int64]],
        val: np.ndarray[Any, np.dtype[np.int64]] | None,
        report: Callable[[int, Mapping[str, float]], None] | None = None,
        checkpoint: Path | None = None,
        until: int | None = None,
        seed: int | None = None,
    ) -> tuple[Fitted, nn.Module]:
        """Train `network`, with the recipe's dropout if it has one, on some images of the data
        set; `checkpoint` and `until` are those of `fit`. Metrics of one class go by its name.
        `seed` takes the place of the evaluator's own.
        """
        data, _ = self.data()
        seed = self.seed if seed is None else seed
        if self.recipe.dropout is not None:
            network = with_dropout(network, self.recipe.dropout)
        set_threads(self.threads)
        device = pick_device(self.device)
        with seeded(seed, device):
            model = build(network)
        fitted = fit(
            model,
            part(data, train),
            None if val is None else part(data, val),
            self.recipe,
            classes=len(data.classes),
            channels=network.input.channels,
            seed=seed,
            device=device,
            report=None if report is None else _named(report, data.classes),
            checkpoint=checkpoint,
            until=until,
        )
        named = replace(
            fitted,
            metrics=by_class_name(fitted.metrics, data.classes),
            history=[by_class_name(row, data.classes) for row in fitted.history],
        )
        return named, model

    def repeat(self, network: Network, seed: int) -> dict[str, float]:
        """Validation metrics of a training with other weights, order and augmentation, on the same
        images.
        """
        _, split = self.data()
        fitted, _ = self.train(network, split.train, split.val, seed=seed)
        return fitted.metrics

    def test(self, network: Network) -> tuple[Score, Fitted, nn.Module]:
        """Train on everything but the test part, then read that once.

        A recipe with early stopping trains without the validation part, which tells when to stop.
        """
        data, split = self.data()
        if self.recipe.early_stopping is None:
            fitted, model = self.train(
                network, np.sort(np.concatenate([split.train, split.val])), None
            )
        else:
            fitted, model = self.train(network, split.train, split.val)
        result = score(
            model,
            part(data, split.test),
            classes=len(data.classes),
            mean=fitted.mean,
            std=fitted.std,
            channels=network.input.channels,
            device=pick_device(self.device),
            groups=None if data.groups is None else data.groups[split.test],
        )
        return result, fitted, model

    def provenance(self) -> dict[str, Any]:
        """Under what conditions the numbers arise."""
        data, split = self.data()
        return {
            "seed": self.seed,
            "device": pick_device(self.device),
            "dataset": data.name,
            "dataset_digest": data.digest,
            "synthetic": data.synthetic,
            "image_size": data.image_size,
            "fold": split.fold,
            "recipe": self.recipe.model_dump(mode="json"),
        }


def part(data: Dataset, indices: np.ndarray[Any, np.dtype[np.int64]]) -> Part:
    """Some images of a data set."""
    return Part(images=data.images[indices], labels=data.labels[indices])


def _named(
    report: Callable[[int, Mapping[str, float]], None], classes: Sequence[str]
) -> Callable[[int, Mapping[str, float]], None]:
    return lambda epoch, metrics: report(epoch, by_class_name(metrics, classes))


@lru_cache(maxsize=2)
def read_data(
    dataset: str, data_dir: Path | None, image_size: int | None, seed: int, fold: int | None
) -> tuple[Dataset, Split]:
    """A data set and its parts; read once per process."""
    data = load_dataset(dataset, data_dir=data_dir, image_size=image_size)
    return data, data.splits(seed, fold)
