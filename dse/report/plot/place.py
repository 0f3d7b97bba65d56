"""Labels beside marks, where they cover neither marks nor each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Anchor = Literal["start", "middle", "end"]
_GAP = 7.0
"""Pixels between the middle of a mark and its label."""


@dataclass(frozen=True)
class Placed:
    """A label's place: `x` and the baseline `y` in pixels, and which end of the text is at `x`."""

    text: str
    x: float
    y: float
    anchor: Anchor


Box = tuple[float, float, float, float]


def placed(
    labels: Sequence[tuple[float, float, str]],
    marks: Sequence[tuple[float, float]],
    width: float,
    height: float,
    em: float = 11.0,
) -> list[Placed]:
    """Put each label to the right, the left, above or below its mark; leave out what fits nowhere.

    Args:
        labels: x, y and text, the most important first.
        marks: middles of all marks that are drawn.
        width: of the plot, pixels.
        height: of the plot, pixels.
        em: height of the letters, pixels.
    """
    taken: list[Box] = [(x - 4, y - 4, x + 4, y + 4) for x, y in marks]
    found = []
    for x, y, text in labels:
        wide = 0.56 * em * len(text)
        sides: tuple[tuple[float, float, Anchor, float], ...] = (
            (x + _GAP, y + em / 3, "start", x + _GAP),
            (x - _GAP, y + em / 3, "end", x - _GAP - wide),
            (x, y - _GAP, "middle", x - wide / 2),
            (x, y + _GAP + em * 0.8, "middle", x - wide / 2),
        )
        for at, base, anchor, left in sides:
            box = (left, base - em * 0.8, left + wide, base + em * 0.2)
            inside = box[0] >= 0 and box[1] >= 0 and box[2] <= width and box[3] <= height
            if inside and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                found.append(Placed(text, at, base, anchor))
                break
    return found


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
