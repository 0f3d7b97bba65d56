"""Experiments: models trained over folds and seeds, and what may be said of the differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dse.experiments.cell import METRICS, Cell, Result
from dse.experiments.conduct import Conductor, Listener
from dse.experiments.experiment import Experiment, experiment_names, open_experiment
from dse.experiments.pairs import Pair, reading
from dse.experiments.plan import Plan, Tune
from dse.experiments.prepare import Asked, Prepared
from dse.experiments.tables import Table
from dse.network import Network
from dse.recipes import Recipe
from dse.runs import free_run_name


def train(
    model: str | Network,
    dataset: str,
    *,
    recipe: str | Recipe | None = None,
    changes: Mapping[str, Any] | None = None,
    data_dir: Path | None = None,
    image_size: int | None = None,
    folds: int | None = None,
    fold: int | None = None,
    seed: int | None = None,
    weights: Path | None = None,
    tune: Tune | None = None,
    run: str | None = None,
    resume: bool = False,
    workers: int | None = None,
    device: str = "auto",
    listener: Listener | None = None,
) -> Experiment:
    """Train one model, on the data set's own parts or over folds, and score each test fold once.

    Example:
        >>> import dse
        >>> trained = dse.train("spp-covid-net", "covid", folds=5)  # doctest: +SKIP
        >>> print(trained.table("metrics:spp-covid-net").cells)  # doctest: +SKIP

    Args:
        model: a preset, a design file, ``RUN#TRIAL``, or a network.
        dataset: a data set's name, or the path of an image folder.
        recipe: how to train; by default ``default``.
        changes: settings of the named recipe, ``{"epochs": 5}``.
        data_dir: where the data lies.
        image_size: pixels; by default the recipe's, the design's or the data set's own.
        folds: parts of the cross-validation; by default the recipe's, else the data set's own
            test part.
        fold: only this fold as test.
        seed: of weights, order and augmentation; by default 0. The folds do not depend on it.
        weights: a file of weights to start from.
        tune: train ``all`` layers, as by default; the ``head`` alone; or ``gradual``, the head
            first and then ever more.
        run: the experiment's name, a folder below ``runs``; by default the next free one.
        resume: go on with an experiment that exists; models and seeds may be added to it.
        workers: trainings side by side.
        device: auto, cpu, cuda, mps.
        listener: hears of the progress.

    Raises:
        DseError: what is asked for does not exist or does not fit, in one sentence.
    """
    asked = Asked(
        models=(model,),
        dataset=dataset,
        data_dir=data_dir,
        recipe=recipe,
        changes=changes or {},
        image_size=image_size,
        folds=folds,
        fold=fold,
        seeds=None if seed is None else (seed,),
        weights=weights,
        tune=tune,
    )
    name = run or free_run_name("train")
    return Conductor(name, asked, resume, workers, device, listener=listener or Listener()).run()


def compare(
    models: Sequence[str | Network],
    dataset: str,
    *,
    recipe: str | Recipe | None = None,
    changes: Mapping[str, Any] | None = None,
    data_dir: Path | None = None,
    image_size: int | None = None,
    folds: int | None = None,
    seeds: int | Sequence[int] | None = None,
    run: str | None = None,
    resume: bool = False,
    workers: int | None = None,
    device: str = "auto",
    listener: Listener | None = None,
) -> Experiment:
    """Train several models on the same folds with the same seeds, and compare them in pairs.

    Example:
        >>> import dse
        >>> found = dse.compare(["squeezenet-1.1", "hl-cnn"], "digits")  # doctest: +SKIP
        >>> found.pairs("accuracy")  # doctest: +SKIP

    What is not listed here is as in `train`.

    Args:
        folds: parts of the cross-validation, 1 being the data set's own test part; by default the
            recipe's, else 5.
        seeds: how many, from 0, or which; by default 1.

    Raises:
        DseError: what is asked for does not exist or does not fit, in one sentence.
    """
    asked = Asked(
        models=tuple(models),
        dataset=dataset,
        data_dir=data_dir,
        recipe=recipe,
        changes=changes or {},
        image_size=image_size,
        folds=folds,
        usual_folds=5,
        seeds=range(seeds) if isinstance(seeds, int) else seeds,
    )
    name = run or free_run_name("compare")
    return Conductor(name, asked, resume, workers, device, listener=listener or Listener()).run()


__all__ = [
    "METRICS",
    "Asked",
    "Cell",
    "Conductor",
    "Experiment",
    "Listener",
    "Pair",
    "Plan",
    "Prepared",
    "Result",
    "Table",
    "Tune",
    "compare",
    "experiment_names",
    "open_experiment",
    "reading",
    "train",
]
