"""Schedule, loss, optimizer groups, device, threads and seeds."""

from __future__ import annotations

import math
import os
from typing import get_args

import pytest
import torch
from torch import nn

from dse.errors import InvalidValue, UnknownName
from dse.recipes import Recipe, recipe
from dse.runtime.train import pick_device, seeded, set_threads, threads_for
from dse.runtime.train.balance import balanced_order, class_weights
from dse.runtime.train.loss import loss_of
from dse.runtime.train.optimizer import optimizer_of
from dse.runtime.train.schedule import learning_rate

LABELS = torch.tensor([0, 0, 0, 1])
LOGITS = torch.tensor([[2.0, 0.5], [-1.0, 0.3]])
TARGETS = torch.tensor([0, 1])
OPTIMIZERS = get_args(Recipe.model_fields["optimizer"].annotation)


def logs() -> list[list[float]]:
    """Log-probabilities of LOGITS, by the definition."""
    rows = LOGITS.double().tolist()
    return [[x - math.log(sum(math.exp(y) for y in row)) for x in row] for row in rows]


def test_cosine_rises_falls_to_zero_and_is_halfway_in_the_middle() -> None:
    cosine = Recipe(learning_rate=0.4, epochs=10, warmup_epochs=2, schedule="cosine")
    assert learning_rate(cosine, 0) == 0
    assert learning_rate(cosine, 1) == pytest.approx(0.2)
    assert learning_rate(cosine, 2) == pytest.approx(0.4)
    assert learning_rate(cosine, 6) == pytest.approx(0.2)
    assert learning_rate(cosine, 10) == pytest.approx(0)


def test_step_drops_by_its_factor_and_constant_stays() -> None:
    steps = Recipe(learning_rate=1.0, epochs=30, schedule="step", step_epochs=10, step_factor=0.5)
    assert [learning_rate(steps, at) for at in (0, 9.9, 10, 25)] == [1, 1, 0.5, 0.25]
    flat = Recipe(learning_rate=1.0, epochs=30, schedule="constant", warmup_epochs=1)
    assert [learning_rate(flat, at) for at in (0.5, 1, 29)] == [0.5, 1, 1]


def test_warm_up_takes_at_most_half_of_a_short_training() -> None:
    short = Recipe(learning_rate=1.0, epochs=1, warmup_epochs=5, schedule="cosine")
    assert learning_rate(short, 0.5) == pytest.approx(1)


def test_plain_loss_is_the_mean_negative_log_probability() -> None:
    loss = loss_of(Recipe(), LABELS, 2)(LOGITS, TARGETS)
    assert loss.item() == pytest.approx(-(logs()[0][0] + logs()[1][1]) / 2)


def test_label_smoothing_spreads_its_share_over_all_classes() -> None:
    loss = loss_of(Recipe(label_smoothing=0.2), LABELS, 2)(LOGITS, TARGETS)
    (a, b), (c, d) = logs()
    assert loss.item() == pytest.approx(-((0.9 * a + 0.1 * b) + (0.1 * c + 0.9 * d)) / 2)


def test_class_weights_are_inverse_frequencies_of_mean_one() -> None:
    assert class_weights(LABELS, 2).tolist() == pytest.approx([0.5, 1.5])
    assert class_weights(LABELS, 3).tolist() == pytest.approx([0.5, 1.5, 1.0])


def test_class_weights_weigh_the_loss() -> None:
    loss = loss_of(Recipe(balance="weights"), LABELS, 2)(LOGITS, TARGETS)
    assert loss.item() == pytest.approx(-(0.5 * logs()[0][0] + 1.5 * logs()[1][1]) / 2)


def test_balanced_sampling_leaves_the_loss_alone() -> None:
    plain = loss_of(Recipe(), LABELS, 2)(LOGITS, TARGETS)
    assert torch.equal(loss_of(Recipe(balance="sampling"), LABELS, 2)(LOGITS, TARGETS), plain)


def test_a_balanced_order_draws_each_class_and_each_of_its_images_as_often() -> None:
    labels = torch.tensor([0] * 6 + [2] * 3 + [3])
    draw = torch.Generator().manual_seed(0)
    drawn = torch.cat([balanced_order(labels, draw) for _ in range(600)])
    assert len(drawn) == 600 * len(labels)
    frequencies = torch.bincount(drawn, minlength=len(labels)) / len(drawn)
    expected = torch.tensor([1 / 18] * 6 + [1 / 9] * 3 + [1 / 3])
    assert torch.allclose(frequencies, expected, atol=0.02)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_weight_decay_spares_biases_and_norms_unless_told(optimizer: str) -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))

    def decays(**settings: object) -> dict[int, float]:
        chosen = recipe("quick", optimizer=optimizer, weight_decay=0.1, **settings)
        groups = optimizer_of(model, chosen, torch.device("cpu")).param_groups
        return {id(p): group["weight_decay"] for group in groups for p in group["params"]}

    spared = decays()
    assert spared.pop(id(model[0].weight)) == 0.1
    assert list(spared.values()) == [0.0] * 3
    assert list(decays(decay_all=True).values()) == [0.1] * 4


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_decay_is_taken_off_the_weights_or_added_to_the_gradient(optimizer: str) -> None:
    """Without a gradient, decoupled decay shrinks by rate x decay exactly."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.ones_(model.weight)
    chosen = recipe("quick", optimizer=optimizer, weight_decay=0.5, learning_rate=0.1)
    steps = optimizer_of(model, chosen, torch.device("cpu"))
    for _ in range(2):
        model.weight.grad = torch.zeros_like(model.weight)
        steps.step()
    exact = model.weight.item() == pytest.approx(0.95**2, abs=1e-6)
    assert exact is (optimizer in ("adamw", "radam"))


def test_frozen_parameters_are_not_optimized() -> None:
    model = nn.Linear(2, 2)
    model.weight.requires_grad_(False)
    groups = optimizer_of(model, recipe("quick"), torch.device("cpu")).param_groups
    assert [parameter for group in groups for parameter in group["params"]] == [model.bias]


def test_a_device_is_picked_or_its_absence_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert pick_device() == pick_device("cpu") == "cpu"
    with pytest.raises(InvalidValue, match="device 'cuda' was asked for, but torch finds no CUDA"):
        pick_device("cuda")
    with pytest.raises(InvalidValue, match="device 'mps' was asked for"):
        pick_device("mps")
    with pytest.raises(UnknownName, match="no device is called 'gpu'"):
        pick_device("gpu")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert pick_device() == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert pick_device() == "cuda"
    assert pick_device("cuda:1") == "cuda:1"
    with pytest.raises(InvalidValue, match="there are 2 GPUs here"):
        pick_device("cuda:2")


def test_threads_are_an_equal_share_and_at_least_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert [threads_for(n) for n in (1, 2, 3, 8, 9)] == [8, 4, 2, 1, 1]
    with pytest.raises(InvalidValue, match="at least 1, got 0"):
        threads_for(0)


def test_threads_are_set_in_torch() -> None:
    before = torch.get_num_threads()
    try:
        set_threads(1)
        assert torch.get_num_threads() == 1
    finally:
        set_threads(before)
    with pytest.raises(InvalidValue, match="at least 1, got 0"):
        set_threads(0)


def test_seeded_repeats_and_leaves_no_trace() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    with seeded(7):
        first = torch.rand(3)
    assert torch.equal(torch.rand(3), expected)
    with seeded(7):
        assert torch.equal(torch.rand(3), first)
