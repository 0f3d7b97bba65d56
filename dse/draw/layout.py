"""Where the boxes of the main column stand.

One row per topological generation, from top to bottom; the longest path in the first lane, other
branches and skips in lanes beside it, so that no line passes behind a box.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dse.draw.column import Box

if TYPE_CHECKING:
    import networkx as nx

WIDTH, TALL, SMALL = 292, 46, 26  # of a box; its height, and that of a repetition
SHEETS = 6  # what shows of the sheets below a fold
MARGIN, LANE_GAP, SKIP_LANE = 16, 28, 22
FRAME, FRAME_HEAD = 9, 24  # around the blocks of a stage, and above the first


@dataclass
class Layout:
    """Where all stands: rows and lanes of nodes, lanes of edges that pass by rows, pixels."""

    graph: nx.DiGraph
    row: dict[str, int]
    lane: dict[str, int] = field(default_factory=dict)
    bypass: dict[tuple[str, str], int] = field(default_factory=dict)
    x: dict[int, float] = field(default_factory=dict)
    y: dict[str, float] = field(default_factory=dict)
    right: float = 0
    bottom: float = 0

    def box(self, name: str) -> Box:
        box: Box = self.graph.nodes[name]["box"]
        return box

    def height(self, name: str) -> int:
        box = self.box(name)
        return SMALL if box.kind == "image" or (box.repeats and not box.is_fold) else TALL

    def center(self, name: str) -> float:
        return self.x[self.lane[name]]

    def edge_lane(self, a: str, b: str) -> int:
        """The lane that an edge runs in: its own, or that of its outer end."""
        return self.bypass.get((a, b), max(self.lane[a], self.lane[b]))

    def foot(self, name: str) -> float:
        return self.y[name] + self.height(name) + (SHEETS if self.box(name).is_fold else 0)


def lay_out(g: nx.DiGraph) -> Layout:
    """Place the boxes of a column (see `dse.draw.column`), the first one at the top left."""
    import networkx as nx

    row = {name: r for r, names in enumerate(nx.topological_generations(g)) for name in names}
    layout = Layout(g, row)
    _choose_lanes(layout, nx.dag_longest_path(g))
    _place(layout)
    return layout


def _choose_lanes(layout: Layout, main: list[str]) -> None:
    """The longest path takes lane 0, other nodes and long edges the first that is free there."""
    row, g = layout.row, layout.graph
    taken: dict[int, set[int]] = {}

    def first_free(rows: set[int], wanted: int = 1) -> int:
        lane = wanted
        while rows & taken.get(lane, set()):
            lane = 1 if lane == wanted and wanted > 1 else lane + 1
        taken.setdefault(lane, set()).update(rows)
        return lane

    layout.lane = dict.fromkeys(main, 0)
    for name in g:
        if name in layout.lane:
            continue
        first = min(row[source] for source in g.predecessors(name)) + 1
        last = max((row[target] for target in g.successors(name)), default=row[name] + 1) - 1
        before = [layout.lane[s] for s in g.predecessors(name) if layout.lane.get(s)]
        rows = set(range(first, last + 1))
        if before:  # the branch goes on in its own lane, which is kept for it up to here
            rows -= set(range(first, row[name]))
        layout.lane[name] = first_free(rows, before[0] if before else 1)
    for a, b in g.edges:
        if row[b] - row[a] > 1:
            ends = layout.lane[a] or layout.lane[b]
            layout.bypass[a, b] = ends or first_free(set(range(row[a] + 1, row[b])))


def _place(layout: Layout) -> None:
    wide = set(layout.lane.values())
    left: float = MARGIN + FRAME
    for lane in range(max([*wide, *layout.bypass.values()]) + 1):
        width = WIDTH if lane in wide else SKIP_LANE
        layout.x[lane] = left + width / 2
        left += width + LANE_GAP
    rows: dict[int, list[str]] = {}
    for name, number in layout.row.items():
        rows.setdefault(number, []).append(name)
    y: float = MARGIN
    for number in sorted(rows):
        if number:
            y += _gap(layout, rows[number - 1], rows[number])
        for name in rows[number]:
            layout.y[name] = y
        y = max(layout.foot(name) for name in rows[number])
    layout.right = left - LANE_GAP + FRAME
    layout.bottom = y


def _gap(layout: Layout, above: list[str], below: list[str]) -> float:
    """Room between two rows: little within a stage, more where lines cross or frames begin."""
    before, after = ({layout.box(n).stage for n in row} - {""} for row in (above, below))
    gap = 8 if before and before == after else 20
    if before - after:
        gap += FRAME
    if after - before:
        gap += FRAME_HEAD
    lane = layout.edge_lane
    leaves = {layout.lane[a] != lane(a, b) for a in above for b in layout.graph.successors(a)}
    enters = {layout.lane[b] != lane(a, b) for b in below for a in layout.graph.predecessors(b)}
    if True in leaves | enters:
        gap += 14
    return gap
