"""The layout of small graphs, whatever their wiring."""

from __future__ import annotations

from itertools import combinations

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from dse.draw.nest import GAP, Piece, Rules, nest

FIRST, LAST = -1, -2
Edges = frozenset[tuple[int, int]]


def laid_out(edges: Edges) -> Piece:
    """Boxes of several widths; what nothing reads flows to the last node, which is one."""
    inner = nx.DiGraph(sorted(edges))
    inner.add_nodes_from(range(1 + max((b for _, b in edges), default=0)))
    g = nx.DiGraph(inner)
    g.add_edges_from((FIRST, n) for n in inner if not inner.in_degree(n))
    out = len(inner)
    g.add_edges_from([(n, out) for n in inner if not inner.out_degree(n)])
    g.add_edge(out, LAST)
    rules = Rules(
        size=lambda node: (40 + 10 * node, 20),
        reads=lambda node: sorted(g.predecessors(node)),
        is_bar=lambda node: node % 5 == 4,
        stays=lambda node: node % 5 == 3,
        first=FIRST,
        last=LAST,
    )
    piece = nest(g, rules)
    assert set(piece.boxes) == set(g) - {FIRST, LAST}
    assert set(piece.lanes) == set(g.edges)
    return piece


def edge_sets(nodes: int = 8) -> st.SearchStrategy[Edges]:
    return st.frozensets(st.sampled_from(list(combinations(range(nodes), 2))), max_size=14)


@given(edges=edge_sets())
def test_boxes_and_lanes_keep_clear(edges: Edges) -> None:
    piece = laid_out(edges)
    for one, other in combinations(piece.boxes.values(), 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
    for left, top, right, bottom in piece.boxes.values():
        assert -piece.left <= left <= right <= piece.right
        assert 0 <= top <= bottom <= piece.height
    for (a, b), lane in piece.lanes.items():
        if FIRST in (a, b) or LAST in (a, b):
            continue
        high, low = piece.boxes[a][3], piece.boxes[b][1]
        assert low - high >= GAP
        for left, top, right, bottom in piece.boxes.values():
            assert not (left < lane < right and top < low and bottom > high)


def test_a_chain_stands_in_one_column() -> None:
    piece = laid_out(frozenset({(0, 1), (1, 2)}))
    assert set(piece.axis.values()) == set(piece.lanes.values()) == {0}
    tops = [piece.boxes[node][1] for node in range(3)]
    assert tops == sorted(tops)


def test_branches_stand_side_by_side_in_the_order_of_operands() -> None:
    piece = laid_out(frozenset({(0, 1), (0, 2), (1, 5), (2, 5)}))
    assert piece.boxes[1][2] < piece.boxes[2][0]
    assert piece.boxes[1][1] == piece.boxes[2][1]


def test_the_longest_branch_is_on_the_axis() -> None:
    piece = laid_out(frozenset({(0, 1), (0, 2), (2, 3), (1, 5), (3, 5)}))
    assert piece.axis[2] == piece.axis[3] == piece.axis[5] == 0
    assert piece.axis[1] < 0


def test_crossing_lines_stand_in_one_column_with_lanes_beside_it() -> None:
    edges = [(0, 1), (0, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 5), (4, 5)]
    piece = laid_out(frozenset(edges))
    assert {piece.axis[node] for node in range(6)} == {0}
    assert all(lane == 0 or lane < -piece.boxes[4][2] for lane in piece.lanes.values())
    assert len({lane for lane in piece.lanes.values() if lane}) == 5
