"""Where the parts of a small graph stand: what is in series one below the other, what is parallel
side by side.

The graph is taken apart at the nodes that all paths pass (dominators); between two of them, what
hangs together is one branch, which is taken apart in turn. A branch that cannot be, because its
lines cross, stands in one column with lanes beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import networkx as nx

GAP = 16  # between one part and the next below
LANE, ASIDE = 12, 12  # of a line that passes by; between branches

Edge = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Rules:
    """What the layout must know of the graph's nodes.

    Attributes:
        size: width and height of a node.
        reads: a node's operands, in order.
        is_bar: whether a node is as wide as what comes into it.
        stays: whether a node's first operand is what goes straight on, as that of a product.
        first, last: the nodes above and below all, which take no room.
    """

    size: Callable[[int], tuple[float, float]]
    reads: Callable[[int], Sequence[int]]
    is_bar: Callable[[int], bool]
    stays: Callable[[int], bool]
    first: int
    last: int


@dataclass(slots=True)
class Piece:
    """Laid out nodes. Positions are relative to an axis, on which lines come in and go out.

    Attributes:
        left: how far it reaches to the left of the axis.
        right: and to the right.
        height: from its top at 0.
        boxes: for each node left, top, right and bottom.
        axis: for each node the x where its lines come in and go out.
        lanes: for each edge the x where it runs down.
    """

    left: float = 0
    right: float = 0
    height: float = 0
    boxes: dict[int, tuple[float, float, float, float]] = field(default_factory=dict)
    axis: dict[int, float] = field(default_factory=dict)
    lanes: dict[Edge, float] = field(default_factory=dict)

    def put(self, other: Piece, x: float, y: float) -> None:
        """Take in what another holds, its axis at `x` and its top at `y`."""
        self.left = max(self.left, other.left - x)
        self.right = max(self.right, other.right + x)
        self.height = max(self.height, y + other.height)
        for node, (left, top, right, bottom) in other.boxes.items():
            self.boxes[node] = (left + x, top + y, right + x, bottom + y)
        self.axis.update((node, at + x) for node, at in other.axis.items())
        self.lanes.update((edge, at + x) for edge, at in other.lanes.items())


def nest(g: nx.DiGraph, rules: Rules) -> Piece:
    """Lay out a graph without cycles that has one first and one last node."""
    return _series(g, rules.first, rules.last, rules)


def _series(g: nx.DiGraph, a: int, b: int, rules: Rules) -> Piece:
    """All between `a` and `b`: what every path passes, and what stands between that."""
    import networkx as nx

    piece = Piece()
    for above, below in pairwise(_waists(g, a, b)):
        inner = nx.descendants(g, above) & nx.ancestors(g, below)
        between = _parallel(g.subgraph(inner | {above, below}), above, below, rules)
        piece.put(between, 0, piece.height)
        if below != b:
            piece.put(_single(below, between, rules), 0, piece.height)
    return piece


def _waists(g: nx.DiGraph, a: int, b: int) -> list[int]:
    """`a`, the nodes that every path from there to `b` passes, and `b`."""
    import networkx as nx

    above = nx.immediate_dominators(g, a)
    waists = [b]
    while waists[-1] != a:
        waists.append(above[waists[-1]])
    return waists[::-1]


def _single(node: int, above: Piece, rules: Rules) -> Piece:
    width, height = rules.size(node)
    left = right = width / 2
    if rules.is_bar(node):
        left, right = max(left, above.left), max(right, above.right)
    return Piece(left, right, height, {node: (-left, 0, right, height)}, {node: 0})


def _parallel(g: nx.DiGraph, a: int, b: int, rules: Rules) -> Piece:
    """What stands between two nodes, with a gap above and below."""
    import networkx as nx

    direct = g.has_edge(a, b)
    inner = g.subgraph(set(g) - {a, b})
    if not inner:
        outer = a == rules.first or b == rules.last
        return Piece(height=0 if outer else GAP, lanes={(a, b): 0})
    branches = [
        (_operand(b, branch, rules), len(branch), _branch(g, a, b, branch, rules))
        for branch in nx.weakly_connected_components(inner)
    ]
    if direct:
        lane = Piece(left=LANE / 2, right=LANE / 2, lanes={(a, b): 0})
        branches.append((_operand(b, {a}, rules), 0, lane))
    return _side_by_side(branches, rules.stays(b))


def _operand(b: int, branch: set[int], rules: Rules) -> int:
    return next(i for i, source in enumerate(rules.reads(b)) if source in branch)


def _side_by_side(branches: list[tuple[int, int, Piece]], stays: bool) -> Piece:
    """Branches as (operand, number of nodes, piece). One is on the axis: the first operand if it
    `stays` there, else the longest; where several are, all stand around it.
    """
    branches.sort(key=lambda branch: branch[0])
    pieces = [piece for *_, piece in branches]
    sizes = [size for _, size, _ in branches]
    centers = [0.0]
    for before, after in pairwise(pieces):
        centers.append(centers[-1] + before.right + ASIDE + after.left)
    if stays:
        axis = centers[0]
    elif sizes.count(max(sizes)) == 1:
        axis = centers[sizes.index(max(sizes))]
    else:
        axis = centers[-1] / 2
    whole = Piece()
    tallest = max(piece.height for piece in pieces)
    for center, piece in zip(centers, pieces, strict=True):
        whole.put(piece, center - axis, (tallest - piece.height) / 2)
    return whole


def _branch(g: nx.DiGraph, a: int, b: int, branch: set[int], rules: Rules) -> Piece:
    own = g.subgraph(branch | {a, b}).copy()
    if own.has_edge(a, b):
        own.remove_edge(a, b)
    return (_series if len(_waists(own, a, b)) > 2 else _tangle)(own, a, b, rules)


def _tangle(g: nx.DiGraph, a: int, b: int, rules: Rules) -> Piece:
    """All nodes one below the other; lines that do not go to the next one have lanes beside it."""
    import networkx as nx

    order = [*nx.lexicographical_topological_sort(g)]
    piece = Piece(height=GAP)
    for node in order[1:-1]:
        piece.put(_single(node, Piece(), rules), 0, piece.height)
        piece.height += GAP
    piece.lanes = {edge: 0 for edge in pairwise(order) if g.has_edge(*edge)}
    for edge in sorted(set(g.edges) - set(piece.lanes)):
        piece.put(Piece(left=LANE / 2, right=LANE / 2, lanes={edge: 0}), -piece.left - LANE, 0)
    return piece
