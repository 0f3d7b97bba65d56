"""One inside as SVG: its frame, its boxes and signs, and the lines between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise

from dse.draw.inside import END, OUT, START, Inside
from dse.draw.nest import Edge
from dse.draw.panel import HEAD, LINE, PAD, ROOM, SIGN, Frame
from dse.draw.style import BADGE, badge
from dse.draw.text import fitted
from dse.ir import ops

BUS, CORNER = 6, 4  # from the foot of a part to where its lines turn; how round they turn
TIP = 5  # length of an arrow's

Point = tuple[float, float]
Area = tuple[float, float, float, float]


def figure(frame: Frame, colour: str) -> str:
    """A frame as an SVG group, with a tooltip on what the blocks do."""
    inside, piece = frame.inside, frame.piece
    x = frame.x + (frame.width - piece.left - piece.right) / 2 + piece.left
    y = frame.y + HEAD
    areas = {n: (a + x, b + y, c + x, d + y) for n, (a, b, c, d) in piece.boxes.items()}
    axis = {node: at + x for node, at in piece.axis.items()}
    lines = [
        _line(inside, edge, lane + x, areas, axis)
        for edge, lane in piece.lanes.items()
        if START not in edge and END not in edge
    ]
    base = frame.y + 23.5
    return "".join(
        [
            f'<g class="panel"><title>{escape(f"{inside.title}: {inside.about}")}</title>',
            f'<rect class="inside" x="{frame.x:g}" y="{frame.y:g}" width="{frame.width:g}" '
            f'height="{frame.height:g}" rx="10"/>',
            badge(inside.badge, colour, frame.x + 12, frame.y + 11),
            f'<text class="name" x="{frame.x + 20 + BADGE:g}" y="{base:g}">'
            f"{escape(inside.title)}</text>",
            f'<text class="quiet" x="{frame.x + frame.width - PAD:g}" y="{base:g}" '
            f'text-anchor="end">{inside.times}</text>',
            *lines,
            *(_part(inside, node, area, axis[node]) for node, area in areas.items()),
            "</g>",
        ]
    )


def _part(inside: Inside, node: int, area: Area, axis: float) -> str:
    left, top, right, bottom = area
    if node == OUT or not inside.parts[node].steps:
        text = "out" if node == OUT else inside.lines(node)[1]
        return f'<g class="end"><text x="{axis:g}" y="{top + 11:g}">{text}</text></g>'
    title = f"<title>{escape(inside.tooltip(node))}</title>"
    if inside.is_a(node, ops.Add, ops.Mul):
        return f'<g class="op">{title}{_sign(inside.is_a(node, ops.Add), axis, top)}</g>'
    quiet = ' class="quiet"'
    lines = [
        (line, style)
        for line, style in zip(inside.lines(node), (quiet, "", quiet), strict=True)
        if line
    ]
    base = (top + bottom - LINE * len(lines)) / 2 + 11.5
    texts = [
        f'<text{style} x="{(left + right) / 2:g}" y="{base + LINE * number:g}">'
        f"{escape(fitted(line, right - left - ROOM, 12))}</text>"
        for number, (line, style) in enumerate(lines)
    ]
    return (
        f'<g class="op">{title}<rect class="box" x="{left:g}" y="{top:g}" '
        f'width="{right - left:g}" height="{bottom - top:g}" rx="4"/>{"".join(texts)}</g>'
    )


def _sign(plus: bool, x: float, top: float) -> str:
    """A plus or a times in a circle."""
    y, arm = top + SIGN / 2, 4.5 if plus else 3.4
    if plus:
        path = f"M{x - arm:g} {y:g}h{2 * arm:g}M{x:g} {y - arm:g}v{2 * arm:g}"
    else:
        low, high = y - arm, y + arm
        path = f"M{x - arm:g} {low:g}L{x + arm:g} {high:g}M{x + arm:g} {low:g}L{x - arm:g} {high:g}"
    return (
        f'<circle class="sign" cx="{x:g}" cy="{y:g}" r="{SIGN / 2:g}"/>'
        f'<path class="sign" d="{path}"/>'
    )


def _line(
    inside: Inside, edge: Edge, lane: float, areas: Mapping[int, Area], axis: Mapping[int, float]
) -> str:
    """From the foot of a part down its lane to the head of another, or to the side of a sign."""
    a, b = edge
    foot, (_, top, _, bottom) = areas[a][3], areas[b]
    points = [(axis[a], foot)]
    if lane != axis[a]:
        points += [(axis[a], foot + BUS), (lane, foot + BUS)]
    if lane != axis[b] and inside.is_a(b, ops.Add, ops.Mul):
        side = -1 if lane < axis[b] else 1
        middle, end = (top + bottom) / 2, axis[b] + side * (SIGN / 2 + TIP)
        points += [(lane, middle), (end, middle)]
        tip = f"M{end:g} {middle - 3.5:g}v7l{-side * TIP} -3.5z"
    else:
        end = lane if inside.is_a(b, ops.Cat) else axis[b]
        if lane != end:
            points += [(lane, top - TIP - BUS), (end, top - TIP - BUS)]
        points.append((end, top - TIP))
        tip = f"M{end - 3.5:g} {top - TIP:g}h7l-3.5 {TIP}z"
    return f'<path class="edge" d="{_rounded(points)}"/><path class="tip" d="{tip}"/>'


def _rounded(points: Sequence[Point]) -> str:
    """A line along points, its corners rounded."""
    path = ["M{:g} {:g}".format(*points[0])]
    for (before, corner), (_, after) in pairwise(pairwise(points)):
        a, b = _towards(corner, before), _towards(corner, after)
        path.append(f"L{a[0]:g} {a[1]:g}Q{corner[0]:g} {corner[1]:g} {b[0]:g} {b[1]:g}")
    path.append("L{:g} {:g}".format(*points[-1]))
    return "".join(path)


def _towards(corner: Point, other: Point) -> Point:
    """The point where a corner's bend begins, on the way to another."""
    dx, dy = other[0] - corner[0], other[1] - corner[1]
    length = abs(dx) + abs(dy)
    part = min(CORNER, length / 2) / length if length else 0
    return corner[0] + part * dx, corner[1] + part * dy
