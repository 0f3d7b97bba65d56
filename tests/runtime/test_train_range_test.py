"""The learning-rate range test: the curve, the choice from it, and that it leaves no trace."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from dse.recipes import Recipe, recipe
from dse.runtime.train import Part, fit, seeded
from dse.runtime.train.pixels import normalisation, on_device
from dse.runtime.train.range_test import HIGHEST, LOWEST, STEPS, RangeTest, range_test, valley

DRAW = np.random.default_rng(0)
LABELS = np.arange(60) % 2
# Bright and dark images: as easy as learning gets.
PART = Part((DRAW.integers(0, 100, (60, 6, 6)) + 120 * LABELS[:, None, None]).astype("u1"), LABELS)
PIXELS = on_device(PART, classes=2, channels=3, device=torch.device("cpu"))
NORMAL = normalisation(PIXELS, 3)


def network(dropout: float = 0.2) -> nn.Module:
    with seeded(0):
        return nn.Sequential(
            nn.Conv2d(3, 4, 3),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(64, 2),
        )


def tried(model: nn.Module, seed: int = 0, **settings: object) -> RangeTest:
    chosen = recipe("quick", batch_size=16, augment=None, **settings)
    return range_test(model, PIXELS, NORMAL, chosen, classes=2, seed=seed)


@pytest.mark.parametrize("optimizer", ["sgd", "radam"])
def test_the_rate_lies_in_the_fall_of_the_curve(optimizer: str) -> None:
    found = tried(network(), optimizer=optimizer)
    assert found.rate in found.rates
    at = found.rates.index(found.rate)
    assert min(found.losses) < found.losses[at] < found.losses[10]
    assert found.rates[0] == pytest.approx(LOWEST)
    ratios = np.diff(np.log(found.rates))
    assert np.allclose(ratios, math.log(HIGHEST / LOWEST) / (STEPS - 1))


def test_a_training_at_the_rate_beats_those_far_off() -> None:
    def loss_at(**settings: object) -> float:
        chosen = recipe("quick", optimizer="sgd", batch_size=16, epochs=3, **settings)
        return fit(network(), PART, PART, chosen, classes=2).metrics["loss"]

    found = loss_at(find_learning_rate=True, learning_rate=1e-9)
    assert found < loss_at(learning_rate=1e-7)
    assert found < 0.4


def test_fit_trains_at_the_rate_that_it_reports() -> None:
    chosen = recipe("quick", batch_size=16, epochs=1, find_learning_rate=True, warmup_epochs=0)
    searched, given_rate = network(), network()
    fitted = fit(searched, PART, None, chosen, classes=2, seed=4)
    assert fitted.range_test is not None
    again = chosen.model_copy(
        update={"find_learning_rate": False, "learning_rate": fitted.range_test.rate}
    )
    plain = fit(given_rate, PART, None, again, classes=2, seed=4)
    assert plain.range_test is None
    # Bit for bit: the test left neither the model nor any randomness changed.
    assert plain.history == fitted.history
    for name, value in searched.state_dict().items():
        assert torch.equal(value, given_rate.state_dict()[name]), name


def test_model_and_random_state_are_left_alone_and_a_seed_repeats_the_curve() -> None:
    model = network()
    before = copy.deepcopy(model.state_dict())
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    first = tried(model)
    assert torch.equal(torch.rand(2), expected)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert all(parameter.grad is None for parameter in model.parameters())
    assert tried(model) == first
    assert tried(model, seed=1) != first


class Explodes(nn.Module):
    """Logits that are NaN as soon as the weight has left its place."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3, 2)
        self.start = self.head.weight[0, 0].item()

    def forward(self, x: Tensor) -> Tensor:
        moved = self.head.weight[0, 0].item() - self.start
        logits: Tensor = self.head(x.mean(dim=(2, 3)))
        return logits * (float("nan") if abs(moved) > 1e-3 else 1.0)


def test_a_divergence_ends_the_curve_and_not_the_training() -> None:
    with seeded(0):
        model = Explodes()
    found = tried(model, optimizer="sgd")
    assert 0 < len(found.losses) == len(found.rates) < STEPS
    assert all(map(math.isfinite, found.losses))
    assert found.rate < 1


def test_without_any_fall_the_recipes_own_rate_stands() -> None:
    class Constant(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.unused = nn.Parameter(torch.zeros(1))

        def forward(self, x: Tensor) -> Tensor:
            return self.unused * x.mean(dim=(1, 2, 3))[:, None].expand(-1, 2)

    assert tried(Constant(), learning_rate=0.125).rate == 0.125


def test_the_valley_is_half_the_fall_before_its_end() -> None:
    flat, fall, rise = [2.0] * 30, [2 - 0.1 * i for i in range(1, 13)], [1.0, 2.0, 5.0]
    assert valley([*flat, *fall, *rise]) == 30 + 11 - 6
    assert valley([*flat, *rise]) is not None  # one point lower than the flat
    assert valley(flat) is None
    assert valley(flat[:5]) is None
    assert valley([]) is None


def test_a_network_that_dies_at_high_rates_does_not_move_the_valley() -> None:
    curve = [2.0] * 20 + [2 - 0.1 * i for i in range(1, 13)] + [1.0, 3.0, 6.0]
    dying = [5.9 - 0.1 * i for i in range(35)]
    assert valley([*curve, *dying]) == valley(curve)


@given(st.lists(st.floats(0, 10), max_size=60))
def test_a_valley_is_a_point_of_the_curve_past_its_first_steps(losses: list[float]) -> None:
    at = valley(losses)
    if at is not None:
        assert 10 <= at < len(losses)
        assert min(losses[at:]) < losses[at] or losses[at] < max(losses[10:at])
    else:
        assert losses[10:11] == [] or losses[10] == min(losses[10:])


def test_every_optimizer_has_a_range_test_that_ends() -> None:
    for optimizer in ("adam", "adamw", "radam", "sgd"):
        found = tried(network(), optimizer=optimizer, weight_decay=0.01, clip_grad_norm=1.0)
        assert LOWEST <= found.rate <= HIGHEST
    assert Recipe().find_learning_rate is False
