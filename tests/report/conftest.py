"""A realistic run: presets and narrower kin of them, with plausible validation curves."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from dse.cost import cost
from dse.network import Network
from dse.presets import load_preset
from dse.runs import COST_KEYS, Run, Trial

EPOCHS = 10
CLASSES = ["covid", "normal", "pneumonia"]

SETTINGS: dict[str, Any] = {
    "dse": "0.1.0",
    "command": "dse search --space covid-light --dataset covid --budget-params 4M --seed 0",
    "space": "covid-light",
    "objectives": ["accuracy", "params"],
    "budget": {"params": 4e6, "macs": 120e6},
    "seed": 0,
    "sampler": "tpe",
    "trials": 24,
    "epochs": EPOCHS,
    "image_size": 64,
    "recipe": {"name": "quick", "optimizer": "adamw", "learning_rate": 0.002, "batch_size": 32},
    "data": {
        "name": "covid",
        "classes": CLASSES,
        "digest": "9f1c2ab07d3e4451",
        "synthetic": True,
        "note": "",
        "images": 1125,
        "split": {"fold": 4, "train": 720, "val": 180, "test": 225, "grouped": True},
        "skipped": 0,
    },
    "machine": {
        "platform": "Linux-6.1-x86_64",
        "cpu": "some processor",
        "cores": 2,
        "python": "3.11.9",
        "torch": "2.9.0",
        "device": "cpu",
    },
    "started": "2026-03-01T10:00:00+0000",
    "seconds": 1834.2,
    "counts": {"over_budget": 12, "duplicates": 2, "failed": 1, "invalid": 3},
}


def make_trial(number: int, network: Network, accuracy: float, **changes: Any) -> Trial:
    spent = cost(network)
    history = [
        {
            "epoch": epoch,
            "learning_rate": 0.002,
            "train_loss": 1.1 * math.exp(-epoch / 4) + 0.1,
            "loss": 1.0 * math.exp(-epoch / 5) + 0.3,
            "accuracy": accuracy - (accuracy - 0.34) * math.exp(-epoch / 2.5),
            "balanced_accuracy": accuracy - 0.02,
        }
        for epoch in range(1, EPOCHS + 1)
    ]
    facts: dict[str, Any] = {
        "trial": number,
        "name": network.name,
        "state": "finished",
        "baseline": False,
        "choices": {"alpha": 0.5, "stage1.depth": 2, "pool": "max"},
        "design": network.model_dump(mode="json", exclude_defaults=True),
        "digest": network.digest,
        "cost": {key: getattr(spent, key) for key in COST_KEYS},
        "latency_ms": round(0.4 + spent.macs / 4e7, 3),
        "values": {"accuracy": accuracy, "balanced_accuracy": accuracy - 0.02, "loss": 0.45},
        "history": history,
        "seconds": 61.5,
        "provenance": {"dse": "0.1.0", "seed": 0, "device": "cpu", "dataset": "covid"},
    }
    return Trial(**{**facts, **changes})


def result(trial: Trial, accuracy: float, low: float, high: float) -> dict[str, Any]:
    return {
        "trial": trial.trial,
        "name": trial.name,
        "baseline": trial.baseline,
        "part": "test",
        "n": 225,
        "accuracy": accuracy,
        "interval": [low, high],
        "balanced_accuracy": accuracy - 0.01,
        "auroc": 0.94,
        "per_class": {
            name: {"precision": 0.82, "recall": 0.84, "f1": 0.83, "support": 75} for name in CLASSES
        },
        "confusion": [[63, 5, 7], [6, 64, 5], [8, 7, 60]],
    }


@pytest.fixture(scope="session")
def trials() -> list[Trial]:
    sizes: dict[str, Any] = {"classes": 3, "input": "3x64x64"}
    presets = ("spp-covid-net", "squeezenet-1.1", "darkcovidnet", "mobilenet-v1")
    rows = [
        make_trial(i, load_preset(name, **sizes), accuracy, baseline=True)
        for i, (name, accuracy) in enumerate(
            zip(presets, (0.806, 0.772, 0.822, 0.811), strict=True)
        )
    ]
    hl = load_preset("hl-cnn", **sizes)
    for i in range(16):
        alpha = 0.12 + 0.028 * i
        network = hl.scaled(alpha).replaced(name=f"covid-light-{i}", title="")
        accuracy = round(0.70 + 0.045 * math.log(1 + 3 * i) - 0.03 * (i % 3 == 1), 4)
        choices = {"alpha": round(alpha, 3), "stage2.depth": 4, "attention": "squeeze_excite"}
        rows.append(make_trial(4 + i, network, accuracy, choices=choices))
    rows.append(
        make_trial(
            20, hl, 0.0, state="failed", values={}, history=[], reason="loss became nan in epoch 3"
        )
    )
    return rows


def write_run(folder: Path, trials: list[Trial], settings: dict[str, Any]) -> Run:
    folder.mkdir(parents=True)
    run = Run(folder)
    run.save_settings(settings)
    for trial in trials:
        run.append(trial)
    return run


def ended_well(folder: Path, trials: list[Trial]) -> Run:
    """A search that ended well: four presets, sixteen designs, one failure, a test result."""
    winner = trials[4 + 12]
    settings = {
        **SETTINGS,
        "winner": winner.trial,
        "result": [
            result(trials[2], 0.796, 0.742, 0.849),
            result(trials[0], 0.782, 0.729, 0.836),
            result(winner, 0.831, 0.782, 0.88),
        ],
        "generated": ["generated/covid-light/winner.py", "generated/covid-light/winner.json"],
    }
    return write_run(folder / "covid-light-1", trials, settings)


@pytest.fixture
def run(tmp_path: Path, trials: list[Trial]) -> Run:
    """A search that ended well."""
    return ended_well(tmp_path, trials)
