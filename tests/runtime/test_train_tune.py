"""Which part of a network learns, and which stays as it came."""

from __future__ import annotations

from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dse.errors import InvalidValue, UnknownName
from dse.presets import load_preset, preset_names
from dse.recipes import Recipe, recipe
from dse.runtime.load import build
from dse.runtime.train import Part, fit
from dse.runtime.train.optimizer import optimizer_of
from dse.runtime.train.tune import Tuning, set_modes, stages_of
from tests.trainings import CLASSES, TRAIN, VAL, network

HEAD = "10"  # the linear layer of `network`
SHORT = recipe("quick", epochs=2, batch_size=30, optimizer="adamw", weight_decay=0.1)


def changed(before: dict[str, Tensor], model: nn.Module) -> set[str]:
    """The children of which anything changed, buffers too."""
    after = model.state_dict()
    return {name.split(".")[0] for name, old in before.items() if not torch.equal(old, after[name])}


def copied(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def steady(epochs: int, **settings: Any) -> Recipe:
    """A recipe without warm-up whose rate, within an epoch, says how far its schedule is."""
    return recipe("quick", epochs=epochs, batch_size=75, warmup_epochs=0, **settings)


@pytest.mark.parametrize("name", preset_names())
def test_the_head_of_a_preset_makes_its_classes(name: str) -> None:
    with torch.device("meta"):
        stages = stages_of(build(load_preset(name, classes=7)))
    assert len(stages) > 1
    weights = [p for p in stages[-1].parameters if p.ndim > 1]
    assert weights[-1].shape[0] == 7
    # Nothing else is in it that could be frozen: all others make features.
    assert len(weights) == 1


@pytest.mark.parametrize("name", preset_names())
def test_the_stages_of_a_preset_are_the_whole_of_it(name: str) -> None:
    with torch.device("meta"):
        model = build(load_preset(name))
    stages = stages_of(model)
    held = [p for stage in stages for p in stage.parameters]
    assert {id(p) for p in held} == {id(p) for p in model.parameters()}
    assert len(held) == len(list(model.parameters()))
    children = [module for stage in stages for module in stage.modules]
    assert children == list(model.children())
    assert len({stage.name for stage in stages}) == len(stages)


class WithLoose(nn.Module):
    """A parameter of its own, before, and a scale after the classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))
        self.body = nn.Conv2d(3, 4, 1)
        self.drop = nn.Dropout(0.5)
        self.classifier = nn.Linear(4, CLASSES)
        self.scale = nn.BatchNorm1d(CLASSES)
        self.last = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        x = self.drop(self.body(x * self.gain).mean(dim=(2, 3)))
        scaled: Tensor = self.last(self.scale(self.classifier(x)))
        return scaled


def test_what_follows_the_classifier_is_part_of_the_head() -> None:
    model = WithLoose()
    body, head = stages_of(model)
    assert (body.name, head.name) == ("body", "classifier")
    held = (model.gain, model.body.weight, model.body.bias)
    assert [id(p) for p in body.parameters] == [id(p) for p in held]
    assert head.modules == (model.drop, model.classifier, model.scale, model.last)
    assert len(head.parameters) == 4


def test_a_network_without_parts_is_all_head() -> None:
    [stage] = stages_of(nn.Linear(3, 2))
    assert len(stage.parameters) == 2
    [stage] = stages_of(nn.Sequential(nn.Flatten(), nn.Linear(3, 2), nn.ReLU()))
    assert (stage.name, len(stage.modules)) == ("1", 3)


def test_frozen_stages_are_in_evaluation_mode() -> None:
    model = WithLoose().eval()
    with Tuning(model, "head", SHORT).applied():
        set_modes(model)
        modes = {name: child.training for name, child in model.named_children()}
    # The dropout leads to the classifier: it belongs to what learns.
    assert modes == {
        "body": False,
        "drop": True,
        "classifier": True,
        "scale": True,
        "last": True,
    }
    set_modes(model)
    assert model.body.training


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "radam", "sgd"])
def test_head_tuning_changes_the_head_alone(optimizer: str) -> None:
    model = network()
    before = copied(model)
    decays = SHORT.model_copy(update={"optimizer": optimizer, "decay_all": True})
    fitted = fit(model, TRAIN, VAL, decays, classes=CLASSES, tune="head")
    assert changed(before, model) == {HEAD}
    assert fitted.tuned == (HEAD,)
    assert all(p.requires_grad for p in model.parameters())


def test_whole_tuning_changes_all_and_names_all() -> None:
    model = network()
    before = copied(model)
    fitted = fit(model, TRAIN, VAL, SHORT, classes=CLASSES)
    assert changed(before, model) == {"0", "1", "4", "5", HEAD} == set(fitted.tuned)


def test_what_the_caller_froze_stays_frozen() -> None:
    model = network()
    model[0].requires_grad_(False)
    before = copied(model)
    fit(model, TRAIN, VAL, SHORT, classes=CLASSES)
    assert changed(before, model) == {"1", "4", "5", HEAD}
    assert not model[0].weight.requires_grad
    assert model[4].weight.requires_grad


def test_the_range_test_leaves_frozen_stages_alone() -> None:
    model = network()
    before = copied(model)
    finds = SHORT.model_copy(update={"find_learning_rate": True, "epochs": 1})
    fit(model, TRAIN, VAL, finds, classes=CLASSES, tune="head")
    assert changed(before, model) == {HEAD}


class Steps:
    """A training of `network` by a made-up course of the validation accuracy."""

    def __init__(self, accuracies: list[float], changed: Recipe) -> None:
        self.model = network()
        self.tuning = Tuning(self.model, "gradual", changed)
        self.opened: list[int] = []
        self.lengths: list[int] = []
        best = 0
        with self.tuning.applied():
            for epoch, accuracy in enumerate(accuracies, start=1):
                self.opened.append(self.tuning.opened)
                self.lengths.append(self.tuning.schedule().epochs)
                if not best or accuracy > max(accuracies[: epoch - 1]):
                    best = epoch
                learning = {name for name, p in self.model.named_parameters() if p.requires_grad}
                names = {name.split(".")[0] for name in learning}
                assert names == set(self.tuning.names())
                if self.tuning.is_over(epoch, best):
                    break
        self.best = best


def test_gradual_tuning_opens_stage_after_stage_while_it_helps() -> None:
    rising = [0.3 + 0.05 * n for n in range(10)]
    steps = Steps(rising, steady(10))
    # Five stages, an equal share each, all epochs spent.
    assert steps.opened == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert set(steps.lengths) == {2}
    assert steps.tuning.names() == ("0", "1", "4", "5", HEAD)


def test_what_is_left_over_goes_to_the_head() -> None:
    rising = [0.3 + 0.02 * n for n in range(13)]
    steps = Steps(rising, steady(13))
    assert steps.opened == [1] * 5 + [2, 2, 3, 3, 4, 4, 5, 5]
    assert steps.lengths == [5] * 5 + [2] * 8


def test_the_first_stage_that_does_not_help_ends_it() -> None:
    steps = Steps([0.5, 0.6, 0.6, 0.7, 0.7, 0.65, 0.9, 0.9], steady(10))
    assert steps.opened == [1, 1, 2, 2, 3, 3]
    assert steps.best == 4


def test_patience_shortens_a_stage() -> None:
    steps = Steps([0.5, 0.6, 0.5, 0.4, 0.7, 0.6, 0.6, 0.6, 0.6], steady(30, early_stopping=2))
    # A share of six epochs, of which two without a better one are enough.
    assert steps.opened == [1, 1, 1, 1, 2, 2, 2, 3, 3]


def test_with_fewer_epochs_than_stages_each_stage_has_one() -> None:
    steps = Steps([0.1, 0.2, 0.3], steady(3))
    assert steps.opened == [1, 2, 3]
    assert steps.lengths == [1, 1, 1]


@pytest.mark.parametrize("name", ["adam", "adamw", "radam", "sgd"])
def test_every_optimizer_takes_in_the_stages_opened_later(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """As torch's plain optimizers do, which keep the state of each parameter by itself."""
    training = import_module("dse.runtime.train.training")

    def plain(model: nn.Module, changed: Recipe, device: torch.device) -> torch.optim.Optimizer:
        optimizer = optimizer_of(model, changed, device)
        for group in optimizer.param_groups:
            group["fused"] = False
        return optimizer

    def trained() -> nn.Module:
        accuracies = iter(range(10))
        monkeypatch.setattr(
            training, "epoch_metrics", lambda *_: {"accuracy": next(accuracies), "loss": 1.0}
        )
        model = network(dropout=0)
        chosen = steady(5, optimizer=name, learning_rate=0.01)
        assert len(fit(model, TRAIN, VAL, chosen, classes=CLASSES, tune="gradual").tuned) == 5
        return model

    ours = trained().state_dict()
    monkeypatch.setattr(training, "optimizer_of", plain)
    monkeypatch.setattr(Tuning, "admit", lambda *_: None)
    for key, value in trained().state_dict().items():
        assert torch.allclose(value, ours[key], atol=1e-5), key


def flipped(part: Part) -> Part:
    """The same images with labels that say nothing of them."""
    return Part(part.images, np.roll(part.labels, 7))


def test_gradual_tuning_keeps_the_best_epoch_and_says_what_learned() -> None:
    model = network()
    before = copied(model)
    fitted = fit(model, TRAIN, VAL, steady(15, learning_rate=0.02), classes=CLASSES, tune="gradual")
    accuracies = [row["accuracy"] for row in fitted.history]
    assert fitted.metrics["accuracy"] == max(accuracies)
    assert len(fitted.tuned) > 1
    assert changed(before, model) <= set(fitted.tuned)
    assert HEAD in changed(before, model)
    # Each stage begins a schedule of its own: the rate rises again.
    rates = [row["learning_rate"] for row in fitted.history]
    assert any(later > earlier for earlier, later in pairwise(rates))


def test_gradual_tuning_that_cannot_help_ends_early() -> None:
    model = network()
    fitted = fit(
        model,
        flipped(TRAIN),
        VAL,
        steady(10, optimizer="sgd", learning_rate=1e-9),
        classes=CLASSES,
        tune="gradual",
    )
    assert len(fitted.history) == 4  # the head's two epochs, and those of one more stage
    assert fitted.tuned == ("5", HEAD)


def test_mistakes_are_named() -> None:
    with pytest.raises(InvalidValue, match=r"gradual tuning .* needs a validation part, got none"):
        fit(network(), TRAIN, None, SHORT, classes=CLASSES, tune="gradual")
    wrong: Any = "heads"
    with pytest.raises(UnknownName, match="no tuning is called 'heads'; did you mean 'head'"):
        fit(network(), TRAIN, VAL, SHORT, classes=CLASSES, tune=wrong)
