"""Pareto fronts: who is on them, and how much of the room for improvement they cover."""

from __future__ import annotations

from collections.abc import Sequence

Losses = tuple[float, ...]
"""Objectives of a design, each the better the smaller."""


def first_front(points: Sequence[Losses]) -> list[int]:
    """The points that no other beats, best in the first objective first; of equal ones the first.

    Returns:
        their positions.
    """
    # Whatever beats a point comes before it in this order, or is beaten by something that does.
    order = sorted(range(len(points)), key=points.__getitem__)
    front: list[int] = []
    if len(points[0] if points else ()) <= 2:
        for number in order:
            if not front or points[number][-1] < points[front[-1]][-1]:
                front.append(number)
        return front
    for number in order:
        if not any(_is_no_worse(points[rival], points[number]) for rival in front):
            front.append(number)
    return front


def _is_no_worse(a: Losses, b: Losses) -> bool:
    return all(x <= y for x, y in zip(a, b, strict=True))


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
