"""Intervals: how far a score may be off, for want of images or of seeds."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from dse.report.snapshot import Snapshot, is_number
from dse.runs import Trial

Interval = tuple[float, float]

_Z95 = 1.959964
"""Standard errors to either side of the mean that hold 95 % of a normal distribution."""


def wilson(share: float, count: int) -> Interval:
    """The 95 % interval of a share that was seen in `count` independent draws.

    Source: E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference,
    JASA 22, 1927.
    """
    square = _Z95**2 / count
    middle = (share + square / 2) / (1 + square)
    half = _Z95 * sqrt(share * (1 - share) / count + square / (4 * count)) / (1 + square)
    # Of shares of 0 and 1 the ends come out a rounding away from these.
    return max(0.0, min(middle - half, share)), min(1.0, max(middle + half, share))


def student(values: Sequence[float]) -> Interval:
    """The 95 % interval of the mean of at least two values, by Student's t."""
    from scipy.special import stdtrit

    count = len(values)
    mean = sum(values) / count
    spread = sqrt(sum((value - mean) ** 2 for value in values) / (count - 1))
    half = float(stdtrit(count - 1, 0.975)) * spread / sqrt(count)
    return mean - half, mean + half


def validation_images(snapshot: Snapshot) -> int | None:
    """How many images the validation part has, if the run says so and its designs were trained."""
    split = snapshot.part("data").get("split")
    count = split.get("val") if isinstance(split, dict) else None
    return int(count) if snapshot.trained and is_number(count) and count >= 1 else None


def accuracy_interval(snapshot: Snapshot, trial: Trial) -> Interval | None:
    """Wilson's interval of a trial's validation accuracy: what chance in the images alone does."""
    count, accuracy = validation_images(snapshot), trial.values.get("accuracy")
    if count is None or accuracy is None or not 0 <= accuracy <= 1:
        return None
    return wilson(accuracy, count)
