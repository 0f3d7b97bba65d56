"""A drawing read back from its SVG: what is written where."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise
from xml.etree import ElementTree

from dse.draw import svg
from dse.draw.text import text_width
from dse.network import Network

SVG = "{http://www.w3.org/2000/svg}"

Point = tuple[float, float]
Rect = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@dataclass
class Op:
    """One part of an inside: the ops in its tooltip, and what is written on it."""

    names: list[str]
    texts: list[str]
    area: Rect

    @property
    def is_sign(self) -> bool:
        return not self.texts


@dataclass
class Inside:
    """One frame of the panel."""

    badge: str
    title: str
    times: int
    area: Rect
    ops: list[Op]
    lines: list[list[Point]]


class Drawing:
    """The parts of a drawing. `nodes` and `folds` hold the texts of boxes by what their tooltips
    begin with: a node's name, or ``first to last``.
    """

    def __init__(self, network: Network) -> None:
        self.text = svg(network)
        self.root = ElementTree.fromstring(self.text)
        self.width, self.height = (float(self.root.attrib[side]) for side in ("width", "height"))
        self.nodes = self._boxes("node")
        self.folds = self._boxes("fold")
        self.tooltips = [_title(g) for g in self._groups("node") + self._groups("fold")]
        self.insides = [_inside(g) for g in self._groups("panel")]
        self.lines = _lines(self.root)
        self.areas = [_area(r) for g in self.root.iter(f"{SVG}g") for r in _of(g, "rect", "box")]
        self.frames = [_area(r) for r in _of(self.root, "rect", "frame")]

    def _groups(self, kind: str) -> list[ElementTree.Element]:
        return _of(self.root, "g", kind)

    def _boxes(self, kind: str) -> dict[str, list[str]]:
        return {_title(g).partition(":")[0]: _texts(g) for g in self._groups(kind)}

    def area(self, name: str) -> Rect:
        """The box of a node or a fold."""
        groups = self._groups("node") + self._groups("fold")
        [group] = [g for g in groups if _title(g).startswith(f"{name}:")]
        return _area(_of(group, "rect", "box")[0])

    def check(self) -> None:
        """Boxes, frames and the page's border keep clear of each other, lines keep clear of boxes,
        and texts of each other and of their box's border.
        """
        page = (0.0, 0.0, self.width, self.height)
        signs = [op.area for inside in self.insides for op in inside.ops if op.is_sign]
        boxes = [*self.areas, *signs]
        for area in boxes:
            assert _inside_of(area, page)
        for one, other in combinations(boxes, 2):
            assert _apart(one, other)
        for inside in self.insides:
            assert _inside_of(inside.area, page)
            own = [op.area for op in inside.ops]
            assert all(_inside_of(area, inside.area) for area in own)
            assert all(_apart(inside.area, area) for area in boxes if area not in own)
        for one, other in combinations([inside.area for inside in self.insides], 2):
            assert _apart(one, other)
        for group in self.root.iter(f"{SVG}g"):
            for rect in _of(group, "rect", "box"):
                _check_texts(group, _area(rect))
        for x, y in (point for line in self.lines for point in line):
            assert not any(a + 1 < x < c - 1 and b + 1 < y < d - 1 for a, b, c, d in boxes)


def _of(parent: ElementTree.Element, tag: str, kind: str) -> list[ElementTree.Element]:
    return [e for e in parent.findall(f"{SVG}{tag}") if e.attrib.get("class") == kind]


def _title(group: ElementTree.Element) -> str:
    return group.findtext(f"{SVG}title") or ""


def _texts(group: ElementTree.Element) -> list[str]:
    return ["".join(t.itertext()) for t in group.findall(f"{SVG}text")]


def _area(rect: ElementTree.Element) -> Rect:
    x, y, width, height = (float(rect.attrib[k]) for k in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def _check_texts(group: ElementTree.Element, area: Rect) -> None:
    """By a guess of the letters' widths that errs on the wide side."""
    spans: dict[str, list[tuple[float, float]]] = {}
    for text in group.findall(f"{SVG}text"):
        kind = text.attrib.get("class", "")
        if kind == "badge":
            continue
        op = group.attrib["class"] == "op"
        size = (13, 12, 11)[op + (kind == "quiet")]
        width = text_width(text.text or "", size, bold=kind == "name")
        anchor = "middle" if op else text.attrib.get("text-anchor", "start")
        left = float(text.attrib["x"]) - {"start": 0, "middle": width / 2, "end": width}[anchor]
        assert left > area[0] + 2
        assert left + width < area[2] - 2
        assert area[1] + 8 < float(text.attrib["y"]) < area[3] - 2
        spans.setdefault(text.attrib["y"], []).append((left, left + width))
    for row in spans.values():
        for one, other in pairwise(sorted(row)):
            assert one[1] < other[0]


def _inside(group: ElementTree.Element) -> Inside:
    badge, title, times, *_ = _texts(group)
    return Inside(
        badge,
        title,
        int(times.removeprefix("× ") or 1),
        _area(_of(group, "rect", "inside")[0]),
        [_op(g) for g in _of(group, "g", "op")],
        _lines(group),
    )


def _op(group: ElementTree.Element) -> Op:
    circle = group.find(f"{SVG}circle")
    if circle is None:
        area = _area(_of(group, "rect", "box")[0])
    else:
        x, y, r = (float(circle.attrib[k]) for k in ("cx", "cy", "r"))
        area = (x - r, y - r, x + r, y + r)
    return Op(_title(group).split(", "), _texts(group), area)


def _inside_of(one: Rect, other: Rect) -> bool:
    return one[0] >= other[0] and one[1] >= other[1] and one[2] <= other[2] and one[3] <= other[3]


def _apart(one: Rect, other: Rect) -> bool:
    return one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def _lines(parent: ElementTree.Element) -> list[list[Point]]:
    """Points along each line, a few pixels from each other."""
    return [
        list(_points(path.attrib["d"]))
        for path in parent.iter(f"{SVG}path")
        if path.attrib["class"] == "edge"
    ]


def _points(path: str) -> Iterator[Point]:
    here: list[Point] = []
    for letter, numbers in re.findall(r"([MLQC])([^MLQC]*)", path):
        values = [float(n) for n in re.findall(r"-?[0-9.]+(?:e-?\d+)?", numbers)]
        stops = [*here[-1:], *zip(values[::2], values[1::2], strict=True)]
        if letter == "M":
            here = stops
            continue
        length = sum(abs(c - a) + abs(d - b) for (a, b), (c, d) in pairwise(stops))
        steps = 2 + int(length / 4)
        yield from (_bezier(stops, i / steps) for i in range(steps + 1))
        here = stops


def _bezier(stops: list[Point], t: float) -> Point:
    """De Casteljau's construction, for a curve of any degree."""
    while len(stops) > 1:
        stops = [(a + t * (c - a), b + t * (d - b)) for (a, b), (c, d) in pairwise(stops)]
    return stops[0]
