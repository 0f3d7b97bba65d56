"""Training: it learns, repeats itself, reports, and says when it has diverged."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dse.errors import DivergedTraining, InvalidValue
from dse.recipes import recipe
from dse.runtime.train import Fitted, Part, fit, score
from dse.runtime.train.optimizer import optimizer_of
from tests.trainings import CLASSES, SHORT, TRAIN, VAL, equal, network


def trained(seed: int = 0) -> tuple[nn.Module, Fitted]:
    model = network()
    return model, fit(model, TRAIN, VAL, SHORT, classes=CLASSES, seed=seed)


@pytest.mark.parametrize("name", ["quick", "default"])
def test_a_named_recipe_learns_an_easy_task(name: str) -> None:
    model = network()
    fitted = fit(model, TRAIN, VAL, recipe(name, epochs=8, batch_size=16), classes=CLASSES)
    assert fitted.metrics["accuracy"] > 0.85  # chance is 0.33
    assert fitted.metrics["balanced_accuracy"] > 0.85
    assert fitted.history[-1]["train_loss"] < fitted.history[0]["train_loss"]


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "radam", "sgd"])
def test_every_optimizer_lowers_the_loss(optimizer: str) -> None:
    changed = SHORT.model_copy(update={"optimizer": optimizer, "epochs": 4, "learning_rate": 0.01})
    fitted = fit(network(dropout=0), TRAIN, None, changed, classes=CLASSES)
    assert fitted.history[-1]["train_loss"] < fitted.history[0]["train_loss"] - 0.05


def test_the_same_seed_gives_the_same_weights_bit_for_bit() -> None:
    (first, one), (second, two) = trained(), trained()
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name
    assert one.history == two.history


def test_another_seed_gives_other_weights() -> None:
    first, second = trained(seed=0)[0].state_dict(), trained(seed=1)[0].state_dict()
    assert not torch.equal(first["0.weight"], second["0.weight"])


def test_the_callers_random_state_is_left_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    trained()
    assert torch.equal(torch.rand(1), expected)


def test_metrics_are_those_of_the_last_epoch_and_of_the_model_returned() -> None:
    model, fitted = trained()
    assert [row["epoch"] for row in fitted.history] == [1, 2]
    assert fitted.history[-1] == {
        "epoch": 2,
        "learning_rate": fitted.history[-1]["learning_rate"],
        **fitted.metrics,
    }
    again = score(model, VAL, classes=CLASSES, mean=fitted.mean, std=fitted.std)
    assert again.accuracy == fitted.metrics["accuracy"]
    assert again.loss == pytest.approx(fitted.metrics["loss"], rel=1e-5)
    each = {f"{name}.{k}" for name in ("recall", "precision", "f1") for k in range(CLASSES)}
    whole = {"accuracy", "balanced_accuracy", "loss", "train_loss"}
    assert set(fitted.metrics) == whole | each
    assert fitted.seconds > 0
    assert fitted.device == "cpu"


def test_mean_and_std_are_of_the_training_part_in_each_input_channel() -> None:
    _, fitted = trained()
    pixels = TRAIN.images / 255
    assert fitted.mean == pytest.approx([pixels.mean()] * 3)
    assert fitted.std == pytest.approx([pixels.std()] * 3)


def test_the_model_is_left_in_evaluation_mode_contiguous_and_without_gradients() -> None:
    model, _ = trained()
    assert not model.training
    assert all(value.is_contiguous() for value in model.state_dict().values())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_without_a_validation_part_only_the_training_loss_is_known() -> None:
    fitted = fit(network(), TRAIN, None, SHORT, classes=CLASSES)
    assert set(fitted.metrics) == {"train_loss"}


def test_report_is_called_after_each_epoch() -> None:
    calls: list[tuple[int, dict[str, float]]] = []
    fitted = fit(
        network(),
        TRAIN,
        VAL,
        SHORT,
        classes=CLASSES,
        report=lambda step, metrics: calls.append((step, dict(metrics))),
    )
    assert [step for step, _ in calls] == [1, 2]
    assert calls[-1][1] == fitted.metrics


@pytest.mark.parametrize("raised", [KeyboardInterrupt, RuntimeError])
def test_what_report_raises_passes_through(raised: type[BaseException]) -> None:
    steps: list[int] = []

    def stop(step: int, metrics: Mapping[str, float]) -> None:
        steps.append(step)
        raise raised("enough")

    with pytest.raises(raised, match="enough"):
        fit(network(), TRAIN, VAL, SHORT, classes=CLASSES, report=stop)
    assert steps == [1]


def test_a_diverging_training_says_where_and_at_what_rate() -> None:
    plain = nn.Sequential(nn.Flatten(), nn.Linear(3 * 144, 16), nn.ReLU(), nn.Linear(16, CLASSES))
    wild = recipe("quick", optimizer="sgd", learning_rate=1e9, schedule="constant", warmup_epochs=0)
    with pytest.raises(
        DivergedTraining,
        match=r"the loss is (nan|inf) in epoch 1, batch \d+, at learning rate 1e\+09",
    ):
        fit(plain, TRAIN, VAL, wild, classes=CLASSES)


class BreaksInEvaluation(nn.Module):
    """Trains well, and answers with nothing but NaN afterwards."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(x.mean(dim=(2, 3)))
        return logits if self.training else logits * float("nan")


def test_a_validation_loss_that_is_not_a_number_is_a_divergence() -> None:
    with pytest.raises(DivergedTraining, match="the validation loss is nan after epoch 1"):
        fit(BreaksInEvaluation(), TRAIN, VAL, SHORT, classes=CLASSES)


def test_clipping_bounds_the_step() -> None:
    def moved(clip: float | None) -> float:
        model = network()
        before = [parameter.detach().clone() for parameter in model.parameters()]
        one_step = recipe(
            "quick",
            optimizer="sgd",
            momentum=0,
            weight_decay=0,
            learning_rate=1,
            schedule="constant",
            warmup_epochs=0,
            epochs=1,
            batch_size=150,
            clip_grad_norm=clip,
        )
        fit(model, TRAIN, None, one_step, classes=CLASSES)
        squares = [
            float(((old - new.detach()) ** 2).sum())
            for old, new in zip(before, model.parameters(), strict=True)
        ]
        return float(sum(squares) ** 0.5)

    assert moved(1e-3) == pytest.approx(1e-3, rel=1e-2)
    assert moved(None) > 0.1


def test_a_batch_larger_than_the_set_and_an_odd_image_out_both_train() -> None:
    for images, batch in ((10, 1000), (17, 16), (3, 2), (2, 2)):
        few = Part(TRAIN.images[:images], TRAIN.labels[:images])
        changed = SHORT.model_copy(update={"batch_size": batch})
        # Batch normalisation over single values, which torch refuses for one image.
        model = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(3, CLASSES)
        )
        assert "train_loss" in fit(model, few, None, changed, classes=CLASSES).metrics


def test_rgb_images_train_a_network_of_one_channel_and_of_three() -> None:
    colour = Part(np.repeat(TRAIN.images[..., None], 3, axis=3), TRAIN.labels)
    for channels in (1, 3):
        fitted = fit(network(channels), colour, colour, SHORT, classes=CLASSES, channels=channels)
        assert len(fitted.mean) == len(fitted.std) == channels


def test_mistakes_in_the_arguments_are_named() -> None:
    one = Part(TRAIN.images[:1], TRAIN.labels[:1])
    with pytest.raises(InvalidValue, match="at least two images, got 1"):
        fit(network(), one, None, SHORT, classes=CLASSES)
    with pytest.raises(InvalidValue, match="labels must be 0 to 1 for 2 classes, got 2"):
        fit(network(), TRAIN, VAL, SHORT, classes=2)
    with pytest.raises(InvalidValue, match=r"logits of shape \(15, 5\), got \(15, 3\)"):
        fit(network(), TRAIN, VAL, SHORT, classes=5)


@pytest.mark.slow
def test_a_training_does_not_import_torchs_compiler() -> None:
    script = (
        "import sys; from tests.trainings import *; from dse.runtime.train import fit;"
        "fit(network(), TRAIN, VAL, SHORT, classes=CLASSES);"
        "print([m for m in ('torch._dynamo', 'sklearn', 'tensorboardX') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("name", ["adam", "adamw", "radam", "sgd"])
def test_optimizers_without_the_compiler_take_the_steps_of_torchs(name: str) -> None:
    chosen = recipe("quick", optimizer=name, weight_decay=0.1)
    weights = []
    for plain in (False, True):
        model = network(dropout=0)
        optimizer = optimizer_of(model, chosen, torch.device("cpu"))
        if plain:
            [_, kind, *_] = type(optimizer).__mro__
            assert kind.__module__.startswith("torch.optim")
            optimizer = kind(optimizer.param_groups)
        for seed in range(3):
            torch.manual_seed(seed)
            optimizer.zero_grad()
            model(torch.rand(4, 3, 12, 12)).square().sum().backward()
            optimizer.step()
        assert all(p.requires_grad for p in model.parameters())
        weights.append(model)
    assert equal(*weights)
