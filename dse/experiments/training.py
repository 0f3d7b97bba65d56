"""The work of one cell: train on the fold's training part, then read its test part once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.atomic import write_atomically
from dse.data import Dataset, Split, load_dataset
from dse.errors import DivergedTraining, DseError, InvalidValue
from dse.experiments.cell import CHECKPOINT, LIVE, LOG, METRICS, WEIGHTS, Cell, Result, write_result
from dse.experiments.plan import Plan
from dse.experiments.prepare import digest_of, splits_of
from dse.version import dse_version

if TYPE_CHECKING:
    from dse.runtime.train import Fitted, Score

Report = Callable[[int, Mapping[str, float]], None]

THREADS = 1
"""Of torch in a training. Two threads of one process on two cores, beside other work, took 4 to 9
times as long: cores are for workers.
"""


@dataclass(frozen=True)
class Trainer:
    """Trains cells of a plan; can be sent to another process.

    Attributes:
        folder: the experiment's.
        plan: what is trained.
        device: of torch.
    """

    folder: Path
    plan: Plan
    device: str

    def train(self, cell: Cell, report: Report | None = None) -> Result:
        """Train a cell, from its checkpoint where it has one, and keep its result and weights.

        What goes wrong with it is its own failure, not the experiment's.

        Raises:
            OSError: the folder cannot be written; no other cell could be either.
        """
        try:
            result = self._train(cell, report)
        except DivergedTraining as error:
            result = self._failed(cell, "diverged", str(error))
        except DseError as error:
            result = self._failed(cell, "failed", str(error))
        except OSError:
            raise
        except Exception as error:
            # Any other kind too: hours of other trainings do not hang on one network's fault.
            reason = f"{type(error).__name__}: {error}".partition("\n")[0].removesuffix(": ")
            result = self._failed(cell, "failed", reason)
        write_result(self.folder, result)
        home = self.folder / cell.folder
        (home / LIVE).unlink(missing_ok=True)
        if result.settled:
            shutil.rmtree(home / CHECKPOINT, ignore_errors=True)
        return result

    def train_aside(self, cell: Cell) -> Result:
        """The same beside the process that shows progress: each epoch is left in a file."""
        path = self.folder / cell.folder / LIVE

        def leave(epoch: int, metrics: Mapping[str, float]) -> None:
            write_atomically(path, json.dumps({"epoch": epoch, "metrics": dict(metrics)}))

        return self.train(cell, leave)

    def _train(self, cell: Cell, report: Report | None) -> Result:
        from dse.runtime.evaluate import part
        from dse.runtime.load import build
        from dse.runtime.train import fit, score, seeded, set_threads
        from dse.runtime.weights import load_weights, save_weights

        set_threads(THREADS)
        data, splits = _read(self.plan)
        split = next(split for split in splits if split.fold == cell.fold)
        entry = self.plan.model(cell.model)
        network = entry.network
        with seeded(cell.seed, self.device):
            model = build(network)
        if entry.weights is not None:
            load_weights(model, network, entry.weights)
            if digest_of(entry.weights) != entry.weights_digest:
                raise InvalidValue(f"{entry.weights} holds other weights than when it was chosen")
        home = self.folder / cell.folder
        fitted = fit(
            model,
            part(data, split.train),
            part(data, split.val),
            self.plan.recipe,
            classes=len(data.classes),
            channels=network.input.channels,
            seed=cell.seed,
            device=self.device,
            report=report,
            tune=self.plan.tune,
            checkpoint=home / CHECKPOINT,
            log=home / LOG,
        )
        groups = None if data.groups is None else data.groups[split.test]
        scored = score(
            model,
            part(data, split.test),
            classes=len(data.classes),
            mean=fitted.mean,
            std=fitted.std,
            channels=network.input.channels,
            device=self.device,
            groups=groups,
        )
        save_weights(model, home / WEIGHTS)
        return self._result(cell, data, split, fitted, scored)

    def _result(
        self, cell: Cell, data: Dataset, split: Split, fitted: Fitted, scored: Score
    ) -> Result:
        return Result(
            cell,
            "finished",
            metrics={metric: _finite(getattr(scored, metric)) for metric in METRICS},
            intervals={k: ends for k, ends in scored.intervals.items() if all(map(isfinite, ends))},
            per_class={
                name: asdict(row) for name, row in zip(data.classes, scored.per_class, strict=True)
            },
            confusion=scored.confusion,
            history=fitted.history,
            seconds=round(fitted.seconds, 3),
            mean=fitted.mean,
            std=fitted.std,
            train=len(split.train),
            val=len(split.val),
            test=len(split.test),
            provenance=self._provenance(cell),
        )

    def _failed(self, cell: Cell, state: Any, reason: str) -> Result:
        return Result(cell, state, reason=reason, provenance=self._provenance(cell))

    def _provenance(self, cell: Cell) -> dict[str, Any]:
        plan = self.plan
        return {
            "dse": dse_version(),
            "network": plan.model(cell.model).digest,
            "weights": plan.model(cell.model).weights_digest,
            "dataset": plan.dataset,
            "dataset_digest": plan.dataset_digest,
            "image_size": plan.image_size,
            "folds": plan.folds,
            "fold": cell.fold,
            "seed": cell.seed,
            "tune": plan.tune,
            "recipe": plan.recipe.model_dump(mode="json"),
            "device": self.device,
            "threads": THREADS,
        }


def _finite(value: float | None) -> float | None:
    """A metric that JSON can hold: a loss may be infinite where a network is sure and wrong."""
    return value if value is not None and isfinite(value) else None


@lru_cache(maxsize=1)
def _read_as(dataset: str, data_dir: Path | None, image_size: int) -> Dataset:
    return load_dataset(dataset, data_dir=data_dir, image_size=image_size)


def _read(plan: Plan) -> tuple[Dataset, list[Split]]:
    """The data and its parts; images are read once per process."""
    data = _read_as(plan.dataset, plan.data_dir, plan.image_size)
    return data, splits_of(data, plan)
