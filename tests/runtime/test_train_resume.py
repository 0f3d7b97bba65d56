"""Checkpoints: whenever a training ends, the next one goes on as if it never had."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from filelock import FileLock
from safetensors.torch import load_file
from torch import nn

from dse.emit import emit
from dse.errors import DataError, InvalidValue
from dse.presets import load_preset
from dse.recipes import Recipe, recipe
from dse.runtime.load import load_source
from dse.runtime.train import Fitted, Part, fit
from dse.runtime.train.identity import identity_of
from tests.trainings import CLASSES, TRAIN, VAL, equal, network

THREE = recipe("quick", epochs=3, batch_size=38)
CHECKPOINT = import_module("dse.runtime.train.checkpoint")


class Enough(Exception):
    """What a report raises to end a training."""


def trained(
    folder: Path | None,
    changed: Recipe = THREE,
    *,
    until: int | None = None,
    seed: int = 0,
    start: int = 0,
    train: Part = TRAIN,
    tune: Any = "all",
    log: Path | None = None,
) -> tuple[nn.Module, Fitted, list[int]]:
    """Train a network that began as number `start`; `until` is the epoch that it ends after."""
    model, epochs = network(seed=start), []

    def report(epoch: int, metrics: Mapping[str, float]) -> None:
        epochs.append(epoch)
        if epoch == until:
            raise Enough

    fitted = fit(
        model,
        train,
        VAL,
        changed,
        classes=CLASSES,
        seed=seed,
        report=report,
        checkpoint=folder,
        tune=tune,
        log=log,
    )
    return model, fitted, epochs


def broken_off(folder: Path, epoch: int = 1, **arguments: Any) -> None:
    with pytest.raises(Enough):
        trained(folder, until=epoch, **arguments)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of trainings killed by SIGKILL, in a process of their own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.killed_trainings", tmp_path_factory.mktemp("killed")],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="trainings are forked, then killed")
@pytest.mark.parametrize("name", ["adam", "sgd", "radam", "found", "gradual"])
def test_a_killed_training_ends_as_if_it_had_been_left_alone(
    killed: dict[str, Any], name: str
) -> None:
    seen = killed[name]
    assert seen["weights"]
    assert seen["history"]
    assert seen["metrics"]
    last = seen["epochs"]
    pair = [f"epoch-{last}.pt", f"epoch-{last}.safetensors"]
    assert seen["left"] == [".lock", "checkpoint.json", *pair]
    # All moments of an epoch for the first; a few for the others, of which some are by the clock.
    assert seen["kills"] >= (20 if name == "adam" else 3)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the limit is set in a forked training")
def test_a_file_that_may_not_grow_leaves_the_last_checkpoint(killed: dict[str, Any]) -> None:
    seen = killed["adam"]["full"]
    assert "the checkpoint of epoch 3 cannot be written" in seen["said"]
    assert seen["said"].count(". ") == 0
    assert seen["left"] == [".lock", "checkpoint.json", "epoch-2.pt", "epoch-2.safetensors"]
    assert seen["weights"]


def test_a_training_goes_on_after_the_last_epoch_saved(tmp_path: Path) -> None:
    broken_off(tmp_path / "kept", 2)
    assert names(tmp_path / "kept") == ["checkpoint.json", "epoch-2.pt", "epoch-2.safetensors"]
    # The weights that the model comes with are those of another start: they do not count.
    model, fitted, epochs = trained(tmp_path / "kept", start=5)
    assert epochs == [3]
    alone, whole, _ = trained(None)
    assert equal(model, alone)
    assert fitted.history == whole.history
    assert fitted.metrics == whole.metrics


def test_a_training_that_is_over_is_read(tmp_path: Path) -> None:
    model, fitted, _ = trained(tmp_path)
    again, read, epochs = trained(tmp_path, start=5)
    assert epochs == []
    assert equal(model, again)
    assert read.history == fitted.history
    assert read.metrics == fitted.metrics
    saved = torch.load(tmp_path / "epoch-3.pt", weights_only=True)["seconds"]
    assert 0 < saved < read.seconds  # of both


def test_early_stopping_is_over_where_it_was(tmp_path: Path) -> None:
    stops = recipe("quick", epochs=20, early_stopping=2, optimizer="sgd", learning_rate=1e-6)
    model, fitted, epochs = trained(tmp_path, stops)
    assert epochs == [1, 2, 3]
    again, read, _ = trained(tmp_path, stops)
    assert equal(model, again)
    assert read.metrics == fitted.metrics


def test_weights_are_readable_without_dse_and_the_rest_without_running_code(
    tmp_path: Path,
) -> None:
    broken_off(tmp_path, 1)
    weights = load_file(tmp_path / "epoch-1.safetensors")
    assert weights.keys() == network().state_dict().keys()
    state = torch.load(tmp_path / "epoch-1.pt", weights_only=True)
    assert [row["epoch"] for row in state["history"]] == [1]


OTHERS: dict[str, dict[str, Any]] = {
    "recipe": {"changed": recipe("quick", epochs=4, batch_size=38)},
    "data": {"train": Part(np.flip(TRAIN.images, axis=0), TRAIN.labels)},
    "seed": {"seed": 1},
    "tuning": {"tune": "head"},
}


@pytest.mark.parametrize("word", OTHERS)
def test_the_checkpoint_of_another_training_is_refused(tmp_path: Path, word: str) -> None:
    broken_off(tmp_path)
    before = names(tmp_path)
    with pytest.raises(InvalidValue, match=f"differs in its {word}; name another folder"):
        trained(tmp_path, **OTHERS[word])
    assert names(tmp_path) == before


@pytest.mark.parametrize("other", [nn.Linear(3, CLASSES), nn.Linear(3, CLASSES, bias=False)])
def test_the_checkpoint_of_another_network_is_refused(tmp_path: Path, other: nn.Module) -> None:
    broken_off(tmp_path)
    model = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), other)
    with pytest.raises(InvalidValue, match="differs in its network and tuning"):
        fit(model, TRAIN, VAL, THREE, classes=CLASSES, checkpoint=tmp_path, tune="head")


def test_networks_of_equal_layers_that_compute_otherwise_differ() -> None:
    source = emit(load_preset("spp-covid-net", input="3x64x64", classes=CLASSES))
    sources = [source, source.replace("negative_slope=0.1", "negative_slope=0.2")]
    ours, theirs = (
        identity_of(
            load_source(text).create_model(CLASSES),
            TRAIN,
            None,
            THREE,
            classes=CLASSES,
            channels=3,
            seed=0,
            tune="all",
            device=torch.device("cpu"),
        )
        for text in sources
    )
    assert {word for word in ours if ours[word] != theirs[word]} == {"network"}


def test_what_only_describes_a_recipe_may_change(tmp_path: Path) -> None:
    broken_off(tmp_path)
    described = THREE.model_copy(update={"name": "ours", "about": "the same", "citation": "us"})
    assert trained(tmp_path, described)[2] == [2, 3]


@pytest.mark.parametrize("file", ["checkpoint.json", "epoch-1.safetensors", "epoch-1.pt"])
@pytest.mark.parametrize("damage", ["cut", "empty", "missing"])
def test_a_damaged_checkpoint_is_said_to_be(tmp_path: Path, file: str, damage: str) -> None:
    broken_off(tmp_path)
    content = (tmp_path / file).read_bytes()
    if damage == "missing":
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_bytes(content[: len(content) // 2] if damage == "cut" else b"")
    if (file, damage) == ("checkpoint.json", "missing"):
        # Without the pointer nothing counts as saved.
        assert trained(tmp_path)[2] == [1, 2, 3]
        return
    with pytest.raises(DataError, match=r"the checkpoint in .* cannot be read") as said:
        trained(tmp_path)
    assert "\n" not in str(said.value)


@pytest.mark.parametrize("file", [0, 1, 2])
def test_a_full_disk_is_said_and_what_was_saved_survives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: int
) -> None:
    written = 0
    write = CHECKPOINT._write

    def full(path: Path, content: bytes | memoryview) -> None:
        nonlocal written
        written += 1
        if written == 3 + file + 1:  # three files an epoch
            path.write_bytes(content[: len(content) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(path, content)

    monkeypatch.setattr(CHECKPOINT, "_write", full)
    with pytest.raises(DataError, match=r"checkpoint of epoch 2 .*: No space left on device; what"):
        trained(tmp_path)
    assert names(tmp_path) == ["checkpoint.json", "epoch-1.pt", "epoch-1.safetensors"]
    monkeypatch.undo()
    model, _, epochs = trained(tmp_path)
    assert epochs == [2, 3]
    assert equal(model, trained(None)[0])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
@pytest.mark.parametrize("file", ["epoch-2.safetensors", "epoch-2.pt"])
def test_a_device_without_space_is_a_full_disk(tmp_path: Path, file: str) -> None:
    broken_off(tmp_path)
    (tmp_path / file).symlink_to("/dev/full")
    # A symbolic link is no leftover of ours, but a reader of the folder removes it as one.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CHECKPOINT.Checkpoint, "_remove_all_but", lambda *_: None)
        with pytest.raises(DataError, match="No space left on device"):
            trained(tmp_path)
    assert trained(tmp_path)[2] == [2, 3]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match=r"checkpoint folder .* cannot be written"):
        trained(tmp_path / "file" / "kept")


def test_one_process_at_a_time_trains_in_a_folder(tmp_path: Path) -> None:
    with (
        FileLock(tmp_path / ".lock"),
        pytest.raises(InvalidValue, match=r"one process at a time may train .* is in use"),
    ):
        trained(tmp_path)


def test_a_training_without_a_validation_part_is_kept_too(tmp_path: Path) -> None:
    models = [network(), network()]
    for model, folder in zip(models, (None, tmp_path), strict=True):
        fitted = fit(model, TRAIN, None, THREE, classes=CLASSES, checkpoint=folder)
    read = fit(network(seed=5), TRAIN, None, THREE, classes=CLASSES, checkpoint=tmp_path)
    assert equal(*models)
    assert read.metrics == fitted.metrics
    assert set(read.metrics) == {"train_loss"}
