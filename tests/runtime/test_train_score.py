"""Scores against numbers worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, jaccard_score, recall_score, roc_auc_score
from torch import Tensor, nn

from dse.errors import InvalidValue
from dse.runtime.train import ClassScore, Part, Score, bootstrap, score
from dse.runtime.train.bootstrap import RESAMPLES, intervals, miou
from dse.runtime.train.metrics import by_class_name, confusion_of, epoch_metrics

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


def test_top_2_accuracy_counts_the_second_guess() -> None:
    probabilities = np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.5, 0.3, 0.2]])

    class Guesses(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.tensor(probabilities[: len(x)]).log().float()

    result = scored([0, 0, 0], [0, 1, 2], model=Guesses())
    assert result.accuracy == pytest.approx(1 / 3)
    assert result.top2_accuracy == pytest.approx(2 / 3)
    assert result.probabilities == pytest.approx(probabilities, rel=1e-6)
    assert scored([0, 1], [0, 1], classes=2).top2_accuracy is None


def test_miou_is_the_mean_overlap_of_the_classes() -> None:
    # Of classes 0, 1, 2: both it and said to be it, over either.
    assert scored().miou == pytest.approx((3 / 5 + 1 / 3 + 3 / 5) / 3)
    # A class that is neither there nor said to be counts not.
    assert miou(np.array([[2, 0, 0], [1, 1, 0], [0, 0, 0]])) == pytest.approx((2 / 3 + 1 / 2) / 2)


def test_probabilities_are_in_the_order_of_the_part_and_sum_to_one() -> None:
    result = scored()
    assert result.probabilities.argmax(axis=1).tolist() == SAID
    assert result.probabilities.sum(axis=1) == pytest.approx(np.ones(10))


def test_the_intervals_are_repeatable_and_contain_what_they_are_of() -> None:
    result = scored()
    assert result.intervals == scored().intervals
    assert result.intervals.keys() == {"accuracy", "balanced_accuracy", "miou", "auroc"}
    assert result.interval == result.intervals["accuracy"]
    for name, (low, high) in result.intervals.items():
        assert 0 <= low < getattr(result, name) < high <= 1


def certain(said: NDArray[np.int64], classes: int = 3) -> NDArray[np.float64]:
    return np.eye(classes)[said]


def noisy(images: int, classes: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Truth, and probabilities that are right more often than not, with ties."""
    draw = np.random.default_rng(seed)
    truth = draw.integers(classes, size=images)
    truth[:classes] = np.arange(classes)
    scores = np.exp(draw.normal(size=(images, classes)) + 1.5 * np.eye(classes)[truth]).round(1)
    return truth, (scores + 0.01) / (scores + 0.01).sum(axis=1, keepdims=True)


@pytest.mark.parametrize("classes", [2, 4])
def test_the_intervals_are_those_of_scores_of_resampled_images(
    monkeypatch: pytest.MonkeyPatch, classes: int
) -> None:
    """By scikit-learn, one resample after the other."""
    truth, probabilities = noisy(120, classes, seed=0)
    drawn = np.random.default_rng(1).integers(120, size=(15, 120))
    weights = np.stack([np.bincount(i, minlength=120) for i in drawn], axis=1)
    monkeypatch.setattr(bootstrap, "_weights", lambda *_: iter([weights.astype(np.float32)]))
    found = intervals(truth, probabilities)
    said = probabilities.argmax(axis=1)
    scores = probabilities if classes > 2 else probabilities[:, 1]
    expected = {
        "accuracy": [accuracy_score(truth[i], said[i]) for i in drawn],
        "balanced_accuracy": [recall_score(truth[i], said[i], average="macro") for i in drawn],
        "miou": [jaccard_score(truth[i], said[i], average="macro") for i in drawn],
        "auroc": [roc_auc_score(truth[i], scores[i], multi_class="ovr") for i in drawn],
    }
    for name, values in expected.items():
        assert found[name] == pytest.approx(np.percentile(values, (2.5, 97.5))), name


def test_images_of_one_patient_are_resampled_together() -> None:
    # Ten patients of ten images each, all right or all wrong: ten facts and not a hundred.
    patients = np.repeat(np.array([f"p{i}" for i in range(10)]), 10)
    truth = np.tile([0, 1], 50)
    said = np.where(np.repeat(np.arange(10), 10) < 7, truth, 1 - truth)
    alone = intervals(truth, certain(said, 2))["accuracy"]
    together = intervals(truth, certain(said, 2), patients)["accuracy"]
    assert together == pytest.approx((0.4, 1.0), abs=0.01)
    assert together[1] - together[0] > 2.5 * (alone[1] - alone[0])
    # A patient for each image is no grouping.
    assert intervals(truth, certain(said, 2), np.arange(100))["accuracy"] == alone


def test_groups_reach_the_intervals_and_must_fit_the_images() -> None:
    part = levels(SAID, TRUTH)
    arguments: Any = {"classes": 3, "mean": [0.0] * 3, "std": [1.0] * 3}
    one = score(Says(), part, groups=np.zeros(10, int), **arguments)
    assert one.interval == (0.7, 0.7)  # one patient: there is nothing to resample
    with pytest.raises(InvalidValue, match=r"groups must be of shape \(10,\), .* got \(9,\)"):
        score(Says(), part, groups=np.zeros(9, int), **arguments)


def test_a_resample_that_lacks_a_class_counts_not_for_the_auroc() -> None:
    truth = np.array([0, 0, 0, 0, 0, 1])
    probabilities = np.stack([np.linspace(0.9, 0.1, 6), np.linspace(0.1, 0.9, 6)], axis=1)
    assert intervals(truth, probabilities)["auroc"] == (1.0, 1.0)
    assert "auroc" not in intervals(np.zeros(6, np.int64), probabilities)


def test_more_images_narrow_the_intervals() -> None:
    few, many = (intervals(*noisy(images, 3, seed=3)) for images in (60, 1500))
    for name, (low, high) in many.items():
        assert high - low < (few[name][1] - few[name][0]) / 3


def test_however_few_are_held_at_a_time_the_resamples_are_as_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    members = np.array([0, 0, 1, 2])
    whole = np.concatenate(list(bootstrap._weights(members, np.random.default_rng(0))), axis=1)
    monkeypatch.setattr(bootstrap, "_AT_ONCE", 30)
    parts = list(bootstrap._weights(members, np.random.default_rng(0)))
    assert max(part.shape[1] for part in parts) == 7
    assert np.array_equal(np.concatenate(parts, axis=1), whole)
    assert whole.shape == (4, RESAMPLES)
    # As many groups are drawn as there are; the first has two images.
    assert (whole[1:].sum(axis=0) == 3).all()
    assert (whole[0] == whole[1]).all()


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
    each = {f"{name}.{k}": 1 for name in ("recall", "precision", "f1") for k in range(2)}
    assert perfect == pytest.approx(
        {"accuracy": 1, "balanced_accuracy": 1, "loss": 0, **each}, abs=1e-6
    )
    useless = epoch_metrics(torch.tensor([[1.0, 1.0]]).repeat(4, 1), labels)
    assert useless == pytest.approx(
        {
            "accuracy": 0.25,
            "balanced_accuracy": 0.5,
            "loss": math.log(2),
            "recall.0": 1,
            "precision.0": 0.25,
            "f1.0": 0.4,
            "recall.1": 0,
            "precision.1": 0,
            "f1.1": 0,
        }
    )


def test_a_class_without_images_has_no_metrics_of_its_own() -> None:
    metrics = epoch_metrics(torch.zeros(2, 3), torch.tensor([0, 2]))
    assert {name for name in metrics if name.startswith("recall.")} == {"recall.0", "recall.2"}
    named = by_class_name(metrics, ("cat", "dog", "hen"))
    assert {name for name in named if "." in name} == {
        f"{name}.{each}" for name in ("recall", "precision", "f1") for each in ("cat", "hen")
    }
    assert named["recall.cat"] == metrics["recall.0"] == 1
    assert named["accuracy"] == metrics["accuracy"]
