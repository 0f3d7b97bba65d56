"""An experiment as JSON for other programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from dse.cost import cost
from dse.experiments.cell import Result
from dse.experiments.experiment import Experiment
from dse.experiments.pairs import pairs, reading
from dse.experiments.statistics import Test


def document(experiment: Experiment, metric: str = "accuracy", test: Test = "t") -> dict[str, Any]:
    """Everything that is known of an experiment, numbers raw.

    ``experiment complete metric test dataset recipe image_size folds seeds tune models[] cells[]
    tables{} pairs[] reading``: a cell has its state, metrics, intervals and the path of its
    weights; `tables` are those of `Experiment.tables`.
    """
    plan = experiment.plan
    return {
        "experiment": experiment.name,
        "complete": not experiment.pending,
        "metric": metric,
        "test": test,
        "dataset": experiment.data,
        "recipe": plan.recipe.model_dump(mode="json"),
        "image_size": plan.image_size,
        "folds": experiment.folds,
        "seeds": list(plan.seeds),
        "tune": plan.tune,
        "models": [
            {
                "name": model.name,
                "digest": model.digest,
                **asdict(cost(model.network)),
                "inference": experiment.inference.get(model.name),
            }
            for model in plan.models
        ],
        "cells": [_cell(experiment, result) for result in experiment.results.values()],
        "tables": {key: table.document() for key, table in experiment.tables.items()},
        "pairs": [{**asdict(pair), "told": pair.told} for pair in pairs(experiment, metric, test)],
        "reading": reading(experiment, metric, test),
    }


def _cell(experiment: Experiment, result: Result) -> dict[str, Any]:
    cell = result.cell
    return {
        "model": cell.model,
        "fold": cell.fold,
        "seed": cell.seed,
        "state": result.state,
        "reason": result.reason,
        "metrics": result.metrics,
        "intervals": result.intervals,
        "epochs": len(result.history),
        "seconds": result.seconds,
        "weights": str(experiment.weights(cell)) if result.state == "finished" else None,
    }
