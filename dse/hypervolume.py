"""How much of the room for improvement a set of designs covers."""

from __future__ import annotations

from collections.abc import Sequence

Losses = tuple[float, ...]
"""Objectives of a design, each the better the smaller."""


def hypervolume(points: Sequence[Losses], corner: Losses) -> float:
    """The exact volume that the points dominate below `corner`, sliced along one objective after
    the other.
    """
    inside = sorted({p for p in points if all(x < c for x, c in zip(p, corner, strict=True))})
    if not inside:
        return 0.0
    if len(corner) == 1:
        return corner[0] - inside[0][0]
    volume, best = 0.0, corner[1]
    for number, point in enumerate(inside):
        following = inside[number + 1][0] if number + 1 < len(inside) else corner[0]
        width = following - point[0]
        if len(corner) == 2:
            best = min(best, point[1])
            volume += width * (corner[1] - best)
        elif width:
            volume += width * hypervolume([p[1:] for p in inside[: number + 1]], corner[1:])
    return volume
