"""Every named recipe trains, and what it asks of the design reaches the module."""

from __future__ import annotations

import numpy as np
import pytest
from torch import nn

from dse.network import read_network
from dse.recipes import names, recipe
from dse.runtime.evaluate import Train
from dse.runtime.train import Part, fit, seeded

DRAW = np.random.default_rng(0)
IMAGES = DRAW.integers(0, 256, (24, 32, 32, 3), dtype=np.uint8)
PART = Part(IMAGES, np.arange(24) % 3)
NETWORK = read_network(
    {
        "name": "tiny",
        "input": "3x32x32",
        "classes": 10,
        "nodes": [
            {"name": "stem", "conv": {"channels": 4, "stride": 2}},
            {"name": "pool", "global_pool": {}},
            {"name": "classifier", "classifier": {"dropout": 0.9}},
        ],
    }
)


@pytest.mark.parametrize("name", names())
def test_a_named_recipe_trains_an_epoch(name: str) -> None:
    with seeded(0):
        model = nn.Sequential(
            nn.Conv2d(3, 4, 3, stride=4), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
        )
    before = model[0].weight.detach().clone()
    fitted = fit(model, PART, PART, recipe(name, epochs=1), classes=3)
    assert len(fitted.history) == 1
    assert 0 < fitted.metrics["loss"] < 10
    assert (fitted.range_test is not None) is recipe(name).find_learning_rate
    assert not np.array_equal(before, model[0].weight.detach())


@pytest.mark.parametrize(("dropout", "expected"), [(None, 0.9), (0.25, 0.25)])
def test_a_recipes_dropout_replaces_the_designs_in_training(
    dropout: float | None, expected: float
) -> None:
    train = Train("digits", recipe("quick", epochs=1, dropout=dropout), device="cpu")
    _, split = train.data()
    _, model = train.train(NETWORK, split.train[:50], None)
    assert [m.p for m in model.modules() if isinstance(m, nn.Dropout)] == [expected]


@pytest.mark.parametrize("patience", [None, 2])
def test_the_test_training_keeps_the_validation_part_only_to_stop_by(
    patience: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = Train("digits", recipe("quick", epochs=1, early_stopping=patience), device="cpu")
    _, split = train.data()
    seen: list[tuple[int, int | None]] = []

    def watched(model: nn.Module, learn: Part, val: Part | None, *rest: object, **more: object):  # type: ignore[no-untyped-def]
        seen.append((len(learn), None if val is None else len(val)))
        return fit(model, learn, val, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr("dse.runtime.evaluate.fit", watched)
    train.test(NETWORK)
    both = len(split.train) + len(split.val)
    expected = (both, None) if patience is None else (len(split.train), len(split.val))
    assert seen == [expected]
