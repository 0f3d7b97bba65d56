"""Experiments on disk: some whose results are written by hand, some that really train."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dse.experiments import Cell, Experiment, Plan, Result, open_experiment
from dse.experiments.cell import WEIGHTS, write_result
from dse.experiments.plan import Model
from dse.network import Network, read_network
from dse.recipes import recipe

CLASSES = ["covid", "normal", "pneumonia"]
TEST, TRAIN = 40, 120


def tiny(name: str, channels: int = 4, classes: int = 3, side: int = 16) -> Network:
    """A network that trains in a moment."""
    return read_network(
        {
            "name": name,
            "input": f"1x{side}x{side}",
            "classes": classes,
            "nodes": [
                {"name": "stem", "conv": {"channels": channels, "stride": 2}},
                {"name": "body", "conv": {"channels": 2 * channels, "stride": 2}},
                {"name": "pool", "global_pool": {}},
                {"name": "classifier", "classifier": {}},
            ],
        }
    )


def finished(cell: Cell, accuracy: float) -> Result:
    """A result with `accuracy` on 40 images: 10 covid, 10 normal, 20 pneumonia."""
    right = round(TEST * accuracy)
    hits = [min(10, right), min(10, max(0, right - 10)), max(0, right - 20)]
    sizes = [10, 10, 20]
    confusion = [[0] * 3 for _ in CLASSES]
    for true, (hit, size) in enumerate(zip(hits, sizes, strict=True)):
        confusion[true][true] = hit
        confusion[true][(true + 1) % 3] += size - hit
    return Result(
        cell,
        "finished",
        metrics={
            "accuracy": accuracy,
            "balanced_accuracy": accuracy - 0.01,
            "top2_accuracy": min(1.0, accuracy + 0.04),
            "auroc": min(1.0, accuracy + 0.03),
            "miou": accuracy - 0.1,
            "loss": 1 - accuracy,
        },
        intervals={"accuracy": (accuracy - 0.05, min(1.0, accuracy + 0.05))},
        confusion=confusion,
        history=[{"epoch": 1, "train_loss": 0.9, "accuracy": accuracy}],
        seconds=1.5,
        mean=(0.5,),
        std=(0.25,),
        train=TRAIN,
        val=40,
        test=TEST,
    )


Scores = Mapping[str, Mapping[tuple[int | None, int], float | str]]


def write_experiment(folder: Path, scores: Scores, **changes: Any) -> Experiment:
    """An experiment with these accuracies by model, fold and seed; a reason where one diverged."""
    networks = {name: tiny("net", 4 + i) for i, name in enumerate(scores)}
    keys = [key for cells in scores.values() for key in cells]
    folds = list(dict.fromkeys(fold for fold, _ in keys))
    plan = Plan(
        dataset="covid",
        dataset_digest="0123456789abcdef",
        image_size=16,
        folds=len(folds) if len(folds) > 1 else None,
        recipe=recipe("quick"),
        models=tuple(
            Model(
                name=name,
                design=network.model_dump(mode="json", exclude_defaults=True),
                digest=network.digest,
            )
            for name, network in networks.items()
        ),
        seeds=tuple(dict.fromkeys(seed for _, seed in keys)),
    )
    settings = {
        "dse": "0.1.0",
        "command": "dse compare a b --dataset covid",
        "data": {
            "name": "covid",
            "classes": CLASSES,
            "digest": plan.dataset_digest,
            "synthetic": False,
            "note": "chest X-rays",
            "images": 200,
            "skipped": 0,
            "parts": [
                {"fold": fold, "grouped": True, "train": TRAIN, "val": 40, "test": TEST}
                for fold in folds
            ],
            **changes,
        },
        "machine": {"platform": "Linux", "cores": 2, "device": "cpu"},
        "started": "2026-03-01T10:00:00+0000",
        "seconds": 12.0,
        "plan": plan.model_dump(mode="json"),
    }
    folder.mkdir(parents=True)
    (folder / "experiment.json").write_text(json.dumps(settings))
    for model, cells in scores.items():
        for (fold, seed), score in cells.items():
            cell = Cell(model, fold, seed)
            if isinstance(score, str):
                write_result(folder, Result(cell, "diverged", reason=score))
                continue
            write_result(folder, finished(cell, score))
            (folder / cell.folder / WEIGHTS).write_bytes(bytes(2_000_000))
    inference = {
        name: {
            "device": "onnxruntime-cpu",
            "latency": {
                "median_ms": 1.25,
                "p95_ms": 1.5,
                "runs": 20,
                "note": "onnxruntime 1.18, 1 thread",
            },
            "energy": {"millijoules": 7.5, "images": 20, "note": "x"}
            if name == "metered"
            else None,
        }
        for name in scores
    }
    (folder / "inference.json").write_text(json.dumps(inference))
    return open_experiment(folder)


def over_folds(*accuracies: float | str) -> dict[tuple[int | None, int], float | str]:
    return {(fold, 0): accuracy for fold, accuracy in enumerate(accuracies)}


PAPER = {
    "mobilenet-v1": over_folds(0.912, 0.869, 0.916, 0.931, 0.885),
    "squeezenet": over_folds(0.952, 0.948, 0.957, 0.959, 0.497),
    "darkcovidnet": over_folds(0.957, 0.940, 0.947, 0.947, 0.909),
    "spp-covid-net": over_folds(0.957, 0.943, 0.943, 0.950, 0.938),
}
"""Fold accuracies of SPP-COVID-Net's Table II."""


@pytest.fixture
def paper(tmp_path: Path) -> Experiment:
    """The trainings of SPP-COVID-Net's Table II, as if they were ours."""
    return write_experiment(tmp_path / "paper", PAPER)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty-five bars and plain squares of three classes: an image folder that is easily learnt."""
    from PIL import Image

    root = tmp_path_factory.mktemp("data") / "bars"
    draw = np.random.default_rng(0)
    for label in range(3):
        (root / f"class{label}").mkdir(parents=True)
        for number in range(15):
            pixels = draw.integers(0, 60, (16, 16), dtype=np.uint8)
            if label:
                bar = (slice(None), slice(4, 8)) if label == 1 else (slice(4, 8), slice(None))
                pixels[bar] += 150
            Image.fromarray(pixels).save(root / f"class{label}" / f"{number}.png")
    return root


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
