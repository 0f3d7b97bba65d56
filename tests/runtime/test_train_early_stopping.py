"""Early stopping: when it ends a training, and which epoch it keeps."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from dse.recipes import recipe
from dse.runtime.train import Part, fit, score, seeded
from dse.runtime.train.early_stopping import EarlyStopping

DRAW = np.random.default_rng(0)
# Labels by chance: after the first epochs nothing better is to be found on the validation part.
TRAIN = Part(DRAW.integers(0, 256, (40, 6, 6), dtype=np.uint8), DRAW.integers(0, 2, 40))
VAL = Part(DRAW.integers(0, 256, (30, 6, 6), dtype=np.uint8), DRAW.integers(0, 2, 30))


def network() -> nn.Module:
    with seeded(0):
        return nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 2)
        )


def followed(accuracies: list[float], patience: int) -> tuple[EarlyStopping, int]:
    """What is kept of a training with these accuracies, and after how many epochs it ended."""
    model = nn.Linear(1, 1, bias=False)
    stopping = EarlyStopping(patience)
    for epoch, accuracy in enumerate(accuracies, start=1):
        nn.init.constant_(model.weight, epoch)
        if stopping.is_over(epoch, {"accuracy": accuracy}, model):
            break
    stopping.restore(model)
    assert model.weight.item() == stopping.epoch
    return stopping, epoch


def test_it_waits_so_many_epochs_for_a_better_one() -> None:
    stopping, ended = followed([0.5, 0.7, 0.6, 0.7, 0.6, 0.9], patience=3)
    assert (stopping.epoch, stopping.accuracy, ended) == (2, 0.7, 5)
    stopping, ended = followed([0.5, 0.7, 0.6, 0.7, 0.8, 0.6], patience=3)
    assert (stopping.epoch, stopping.accuracy, ended) == (5, 0.8, 6)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=20), st.integers(1, 8))
def test_it_keeps_the_first_best_epoch_of_those_trained(values: list[int], patience: int) -> None:
    stopping, ended = followed([float(value) for value in values], patience)
    done = values[:ended]
    assert stopping.epoch == done.index(max(done)) + 1
    assert ended == len(values) or ended - stopping.epoch == patience
    assert all(e - (values[:e].index(max(values[:e])) + 1) < patience for e in range(1, ended))


def test_a_training_ends_early_and_reports_and_leaves_its_best_epoch() -> None:
    model = network()
    chosen = recipe("quick", epochs=60, batch_size=16, early_stopping=3, schedule="constant")
    fitted = fit(model, TRAIN, VAL, chosen, classes=2)
    accuracies = [row["accuracy"] for row in fitted.history]
    best = accuracies.index(max(accuracies))
    assert len(fitted.history) == best + 1 + 3 < 60
    assert {**fitted.history[best], **fitted.metrics} == fitted.history[best]
    again = score(model, VAL, classes=2, mean=fitted.mean, std=fitted.std)
    assert again.accuracy == fitted.metrics["accuracy"]
    # The weights are of that epoch, not of the last, whose loss on the same images was another.
    assert fitted.history[-1]["loss"] != pytest.approx(again.loss, rel=1e-3)
    assert again.loss == pytest.approx(fitted.metrics["loss"], rel=1e-5)
    assert all(value.is_contiguous() for value in model.state_dict().values())


def test_up_to_the_best_epoch_it_is_the_same_training() -> None:
    chosen = recipe("quick", epochs=6, batch_size=16, schedule="constant")
    plain = fit(network(), TRAIN, VAL, chosen, classes=2)
    patient = fit(network(), TRAIN, VAL, chosen.model_copy(update={"early_stopping": 6}), classes=2)
    assert patient.history == plain.history
    assert patient.metrics["accuracy"] == max(row["accuracy"] for row in plain.history)


def test_without_a_validation_part_all_epochs_are_trained() -> None:
    chosen = recipe("quick", epochs=3, batch_size=16, early_stopping=1)
    stopped, plain = network(), network()
    assert len(fit(stopped, TRAIN, None, chosen, classes=2).history) == 3
    fit(plain, TRAIN, None, chosen.model_copy(update={"early_stopping": None}), classes=2)
    for name, value in stopped.state_dict().items():
        assert torch.equal(value, plain.state_dict()[name]), name
