"""An experiment on disk, and reading it.

``runs/NAME/`` holds ``experiment.json`` (the plan, data, machine), below ``cells/`` a folder for
each training with its ``result.json`` and weights, and ``inference.json`` (what one image takes).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from dse.errors import DataError, UnknownName
from dse.experiments.cell import WEIGHTS, Cell, Result, read_result
from dse.experiments.plan import Plan
from dse.experiments.statistics import Test
from dse.runs import check_run_name, runs_folder

if TYPE_CHECKING:
    from dse.experiments.pairs import Pair
    from dse.experiments.tables import Table

FILE, INFERENCE = "experiment.json", "inference.json"


@dataclass(frozen=True)
class Experiment:
    """Trainings of models over folds and seeds, as they stood when they were read.

    Attributes:
        folder: where it lies.
        plan: what is trained.
        settings: the rest of ``experiment.json``: ``dse command data machine started seconds``.
        results: of the cells that have ended.
        inference: what one image takes, by model, where measured: ``device latency energy``, as
            `dse.devices.inference.Inference` has them.
    """

    folder: Path
    plan: Plan
    settings: dict[str, Any]
    results: dict[Cell, Result]
    inference: dict[str, dict[str, Any]]

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def data(self) -> dict[str, Any]:
        """Of the data set: ``name classes digest synthetic note images parts``."""
        data: dict[str, Any] = self.settings["data"]
        return data

    @property
    def classes(self) -> list[str]:
        return list(self.data["classes"])

    @property
    def folds(self) -> list[int | None]:
        """The folds that serve as test, one after the other."""
        return [part["fold"] for part in self.data["parts"]]

    @property
    def cells(self) -> list[Cell]:
        """All trainings that are wanted, ended or not; those of one fold stand together."""
        return planned(self.plan, self.folds)

    @property
    def finished(self) -> list[Result]:
        """Results with metrics, in the order of `cells`."""
        ended = (self.results.get(cell) for cell in self.cells)
        return [result for result in ended if result and result.state == "finished"]

    @property
    def failed(self) -> list[Result]:
        """Results that are only a reason."""
        ended = (self.results.get(cell) for cell in self.cells)
        return [result for result in ended if result and result.state != "finished"]

    @property
    def pending(self) -> list[Cell]:
        """Cells that have not ended, or failed in a way that is worth another try."""
        return [c for c in self.cells if c not in self.results or not self.results[c].settled]

    @property
    def unit(self) -> str:
        """What statistics are taken over: ``fold``, or ``seed`` where there is one fold only."""
        return "fold" if len(self.folds) > 1 else "seed"

    @property
    def test_share(self) -> float:
        """Test images for each training image, on average over the folds."""
        parts = self.data["parts"]
        return math.fsum(part["test"] / part["train"] for part in parts) / len(parts)

    def of(self, model: str) -> Iterator[Result]:
        """The finished results of a model."""
        return (result for result in self.finished if result.cell.model == model)

    def units(self, model: str, metric: str) -> dict[int | None, float]:
        """A metric of a model for each fold, averaged over its seeds; for each seed if there is one
        fold.

        Seeds of one fold share its test images: they are repetitions, not further evidence.
        """
        found: dict[int | None, list[float]] = {}
        for result in self.of(model):
            value = result.metrics.get(metric)
            if value is not None:
                found.setdefault(getattr(result.cell, self.unit), []).append(value)
        return {unit: math.fsum(values) / len(values) for unit, values in found.items()}

    def weights(self, cell: Cell) -> Path:
        """The file of a finished cell's weights."""
        return self.folder / cell.folder / WEIGHTS

    @cached_property
    def tables(self) -> dict[str, Table]:
        """The papers' tables by key: ``folds scores costs``, and ``classes:MODEL`` and
        ``confusion:MODEL`` for each model that has a finished training.
        """
        from dse.experiments.tables import tables

        return tables(self)

    def table(self, key: str) -> Table:
        """One of `tables`.

        Raises:
            UnknownName: there is none of that key.
        """
        if key not in self.tables:
            raise UnknownName(f"table of {self.name}", key, self.tables)
        return self.tables[key]

    def pairs(self, metric: str = "accuracy", test: Test = "t") -> list[Pair]:
        """Every pair of models, compared over the cells that both have."""
        from dse.experiments.pairs import pairs

        return pairs(self, metric, test)

    def document(self, metric: str = "accuracy", test: Test = "t") -> dict[str, Any]:
        """Everything, as ``dse compare --json`` prints it."""
        from dse.experiments.document import document

        return document(self, metric, test)


def planned(plan: Plan, folds: list[int | None]) -> list[Cell]:
    """The trainings of a plan: all models on a fold before the next fold, so that what is done
    early can be compared.
    """
    return [
        Cell(model.name, fold, seed)
        for seed in plan.seeds
        for fold in folds
        for model in plan.models
    ]


def open_experiment(place: str | Path) -> Experiment:
    """An experiment by its name, or by the path of its folder.

    Raises:
        UnknownName: there is none.
        DataError: its files cannot be read.
    """
    folder = place if isinstance(place, Path) else runs_folder() / check_run_name(place)
    path = folder / FILE
    if not path.exists():
        raise UnknownName("experiment", folder.name, experiment_names(folder.parent))
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
        plan = Plan.model_validate(settings.pop("plan"))
        parts = settings["data"]["parts"]
        folds = [part["fold"] for part in parts]
        inference = _read_inference(folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = "it is no plan" if isinstance(error, ValidationError) else error
        raise DataError(f"{path}: the experiment cannot be read: {reason}") from None
    found = ((cell, read_result(folder, cell)) for cell in planned(plan, folds))
    results = {cell: result for cell, result in found if result is not None}
    return Experiment(folder, plan, settings, results, inference)


def experiment_names(folder: Path | None = None) -> list[str]:
    """Names of the experiments in a folder, by default that of the runs."""
    return sorted(path.parent.name for path in (folder or runs_folder()).glob(f"*/{FILE}"))


def _read_inference(folder: Path) -> dict[str, dict[str, Any]]:
    path = folder / INFERENCE
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}
