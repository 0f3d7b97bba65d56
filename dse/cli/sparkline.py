"""A curve in one line of text."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum, isfinite

BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN = ".:-=+*#@"
"""The same where the terminal's encoding has no block characters."""


def sparkline(
    values: Sequence[float], low: float, high: float, *, width: int, marks: str = BLOCKS
) -> str:
    """A character for each value, from the lowest of `marks` at `low` to the highest at `high`.

    Of more values than `width`, neighbours share a character at their mean. A value that is not
    finite leaves a gap. Curves drawn between the same bounds can be compared by eye.
    """
    count = min(width, len(values))
    groups = [
        values[i * len(values) // count : (i + 1) * len(values) // count] for i in range(count)
    ]
    return "".join(_mark([v for v in group if isfinite(v)], low, high, marks) for group in groups)


def _mark(values: Sequence[float], low: float, high: float, marks: str) -> str:
    if not values:
        return " "
    if not high > low:
        return marks[len(marks) // 2]
    mean = fsum(min(high, max(low, value)) / len(values) for value in values)
    share = (mean / 2 - low / 2) / (high / 2 - low / 2)  # halves do not overflow
    return marks[min(len(marks) - 1, int(share * len(marks)))]
