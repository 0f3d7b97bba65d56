"""The panel beside the main column: what the blocks of each structure are inside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

from dse.draw.inside import END, OUT, START, Inside, inside_graph
from dse.draw.nest import Piece, Rules, nest
from dse.draw.style import BADGE
from dse.draw.text import text_width
from dse.ir import ops

PAD, HEAD, BETWEEN = 16, 40, 20  # around and above what is drawn in a frame; between frames
LINE, SIGN, BAR = 15, 18, 20  # heights of a line of text, of the signs + and x, of "concat"
ROOM = 9  # beside the text in a box
NARROWEST, WIDEST = 84, 230  # of a box
_SIGNS = (ops.Add, ops.Mul)
_MOST_KEPT = 1_000  # layouts that are kept for the next drawing


@dataclass(slots=True)
class Frame:
    """One inside, laid out; `x` and `y` are its place on the page."""

    inside: Inside
    piece: Piece
    width: float
    height: float
    x: float = 0
    y: float = 0


class _Shape(NamedTuple):
    """What the layout of an inside hangs on; equal ones are laid out once."""

    sizes: tuple[tuple[float, float], ...]
    reads: tuple[tuple[int, ...], ...]
    result: int
    bars: frozenset[int]
    stays: frozenset[int]


def frames(insides: Sequence[Inside], x: float, y: float, height: float) -> list[Frame]:
    """Frames in columns from (x, y), as high as `height` or the tallest frame."""
    found = [_frame(inside) for inside in insides]
    for column in _columns(found, height):
        width = max(frame.width for frame in column)
        top = y
        for frame in column:
            frame.x, frame.y, frame.width = x, top, width
            top += frame.height + BETWEEN
        x += width + BETWEEN
    return found


def _columns(found: Sequence[Frame], height: float) -> list[list[Frame]]:
    """Frames in order, in as few columns as `height` allows, and those about equally long."""
    lengths = [
        sum(frame.height + BETWEEN for frame in found[i:j]) - BETWEEN
        for i, j in combinations(range(len(found) + 1), 2)
    ]
    fewest = len(_filled(found, height))
    fillings = (_filled(found, length) for length in sorted(lengths))
    return next((columns for columns in fillings if len(columns) <= fewest), [])


def _filled(found: Sequence[Frame], length: float) -> list[list[Frame]]:
    """Columns filled one after another; a frame that is longer than `length` has its own."""
    columns: list[list[Frame]] = []
    room = 0.0
    for frame in found:
        if frame.height > room:
            columns.append([])
            room = length
        columns[-1].append(frame)
        room -= frame.height + BETWEEN
    return columns


def _frame(inside: Inside) -> Frame:
    lines = {i: inside.lines(i) for i in range(len(inside.parts)) if not inside.is_a(i, *_SIGNS)}
    widest = max(text_width(line, 12) for part in lines.values() for line in part)
    wide = min(max(widest + 2 * ROOM, NARROWEST), WIDEST)
    rows = {node: sum(map(bool, part)) for node, part in lines.items()}
    usual = min(2, max(rows.values()))  # boxes that stand side by side look best equally high

    def size(node: int) -> tuple[float, float]:
        if node == OUT or not inside.parts[node].steps:
            return text_width("out", 12), LINE
        if inside.is_a(node, *_SIGNS):
            return SIGN, SIGN
        if inside.is_a(node, ops.Cat):
            return wide, BAR
        rides = inside.parts[node].main is None
        return wide, LINE * (rows[node] if rides else max(rows[node], usual)) + 9

    nodes = range(len(inside.parts))
    shape = _Shape(
        sizes=tuple([size(node) for node in (OUT, *nodes)]),
        reads=tuple([tuple(part.reads) for part in inside.parts]),
        result=inside.result,
        bars=frozenset([node for node in nodes if inside.is_a(node, ops.Cat)]),
        stays=frozenset([node for node in nodes if inside.is_a(node, ops.Mul)]),
    )
    piece = _laid_out(shape)
    head = BADGE + 24 + text_width(inside.title, 13, bold=True) + text_width(inside.times, 12)
    width = max(piece.left + piece.right, head) + 2 * PAD
    return Frame(inside, piece, width, HEAD + piece.height + PAD)


@lru_cache(_MOST_KEPT)
def _laid_out(shape: _Shape) -> Piece:
    """The piece of such a graph, to be read only."""
    rules = Rules(
        size=lambda node: shape.sizes[0 if node == OUT else node + 1],
        reads=lambda node: shape.reads[node] if node >= 0 else [shape.result],
        is_bar=lambda node: node in shape.bars,
        stays=lambda node: node in shape.stays,
        first=START,
        last=END,
    )
    return nest(inside_graph(shape.reads, shape.result), rules)
