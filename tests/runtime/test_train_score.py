"""Scores against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dse.errors import InvalidValue
from dse.runtime.train import ClassScore, Part, Score, score
from dse.runtime.train.metrics import confusion_of, epoch_metrics
from dse.runtime.train.score import accuracy_interval

TRUTH = [0, 0, 0, 0, 1, 1, 2, 2, 2, 2]
SAID = [0, 0, 0, 1, 1, 2, 2, 2, 2, 0]
MARGIN = 2.0


class Says(nn.Module):
    """Reads the class to answer from the image's level, with a margin in nats."""

    def __init__(self, classes: int = 3, margin: float = MARGIN) -> None:
        super().__init__()
        self.margin = margin
        self.classes = classes
        self.batches: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        self.batches.append(len(x))
        level = (x.mean(dim=(1, 2, 3)) * 255).round().long()
        return self.margin * nn.functional.one_hot(level, self.classes).float()


def levels(said: list[int], truth: list[int]) -> Part:
    images = np.broadcast_to(np.array(said, np.uint8)[:, None, None], (len(said), 2, 2))
    return Part(images, np.array(truth))


def scored(
    said: list[int] = SAID,
    truth: list[int] = TRUTH,
    *,
    model: nn.Module | None = None,
    classes: int = 3,
    batch_size: int = 64,
) -> Score:
    return score(
        model or Says(classes),
        levels(said, truth),
        classes=classes,
        mean=[0.0] * 3,
        std=[1.0] * 3,
        batch_size=batch_size,
    )


def test_metrics_equal_those_counted_by_hand() -> None:
    result = scored()
    assert result.n == 10
    assert result.accuracy == 0.7
    assert result.balanced_accuracy == pytest.approx((3 / 4 + 1 / 2 + 3 / 4) / 3)
    assert result.confusion == [[3, 1, 0], [0, 1, 1], [1, 0, 3]]
    assert result.per_class == (
        ClassScore(recall=3 / 4, precision=3 / 4, f1=3 / 4, support=4),
        ClassScore(recall=1 / 2, precision=1 / 2, f1=1 / 2, support=2),
        ClassScore(recall=3 / 4, precision=3 / 4, f1=3 / 4, support=4),
    )
    total = math.log(math.exp(MARGIN) + 2)
    assert result.loss == pytest.approx((7 * (total - MARGIN) + 3 * total) / 10)


def test_auroc_is_the_macro_mean_of_one_class_against_the_rest() -> None:
    # Each class says only yes or no, so its area is (recall + specificity) / 2.
    expected = np.mean([(3 / 4 + 5 / 6) / 2, (1 / 2 + 7 / 8) / 2, (3 / 4 + 5 / 6) / 2])
    # So large a margin makes probabilities of exactly 0 and 1, whose ties rounding cannot break.
    assert scored(model=Says(margin=900)).auroc == pytest.approx(expected)
    assert scored([0, 1, 1, 1], [0, 0, 1, 1], classes=2).auroc == pytest.approx(0.75)


def test_a_class_without_images_leaves_auroc_undefined_and_counts_in_no_mean() -> None:
    result = scored([0, 0, 1, 2], [0, 0, 1, 1])
    assert result.auroc is None
    assert result.balanced_accuracy == 0.75
    assert result.per_class[2] == ClassScore(recall=0, precision=0, f1=0, support=0)


def test_the_interval_is_repeatable_and_contains_the_accuracy() -> None:
    low, high = scored().interval
    assert (low, high) == scored().interval
    assert 0 < low < 0.7 < high <= 1


def test_the_interval_is_the_bootstrap_percentile_one() -> None:
    hits = np.repeat([1.0, 0.0], [70, 30])
    draw = np.random.default_rng(1)
    means = draw.choice(hits, size=(20_000, 100)).mean(axis=1)
    assert accuracy_interval(70, 100) == pytest.approx(np.percentile(means, (2.5, 97.5)), abs=0.011)
    assert accuracy_interval(10, 10) == (1.0, 1.0)


def test_more_images_narrow_the_interval() -> None:
    few, many = accuracy_interval(35, 50), accuracy_interval(700, 1000)
    assert many[1] - many[0] < (few[1] - few[0]) / 3


def test_the_batch_size_bounds_the_batches_and_changes_no_result() -> None:
    model = Says()
    assert scored(model=model, batch_size=4) == scored()
    assert model.batches == [4, 4, 2]


def test_scoring_normalises_with_what_it_is_given_and_keeps_the_mode() -> None:
    seen: list[Tensor] = []

    class Looks(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            assert not self.training
            seen.append(x)
            return torch.zeros(len(x), 2)

    model = Looks().train()
    score(model, levels([51], [0]), classes=2, channels=1, mean=(0.1,), std=(0.5,))
    assert torch.allclose(seen[0], torch.full((1, 1, 2, 2), (51 / 255 - 0.1) / 0.5))
    assert model.training


def test_mean_and_std_must_fit_the_channels() -> None:
    with pytest.raises(InvalidValue, match="one number for each of 3 channels, got 1 and 1"):
        score(Says(), levels(SAID, TRUTH), classes=3, mean=(0.5,), std=(0.5,))


def test_confusion_has_truth_in_rows() -> None:
    assert confusion_of(np.array([1, 1, 0]), np.array([0, 1, 0]), 2).tolist() == [[1, 1], [0, 1]]


def test_epoch_metrics_of_perfect_and_of_useless_logits() -> None:
    labels = torch.tensor([0, 1, 1, 1])
    perfect = epoch_metrics(20 * nn.functional.one_hot(labels, 2).float(), labels)
    assert perfect == pytest.approx({"accuracy": 1, "balanced_accuracy": 1, "loss": 0}, abs=1e-6)
    useless = epoch_metrics(torch.tensor([[1.0, 1.0]]).repeat(4, 1), labels)
    assert useless == pytest.approx(
        {"accuracy": 0.25, "balanced_accuracy": 0.5, "loss": math.log(2)}
    )
