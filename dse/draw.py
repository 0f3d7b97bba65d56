"""A network as a networkx graph, of blocks or of ops, and as a drawing in SVG.

The drawing runs from top to bottom: one row per topological generation, the longest path in the
first lane, other branches and skips in lanes beside it, so that no line passes behind a box. Blocks
of a stage stand in one frame; a block that repeats the one above it is drawn small.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from dse.cost import Row, cost, cost_by_block, cost_by_op
from dse.ir import Scope
from dse.network import Network

if TYPE_CHECKING:
    import networkx as nx

IMAGE = "input"
"""The node that stands for the image; no block may be called so."""


def graph(network: Network) -> nx.DiGraph:
    """The network as a graph: one node per block and one for the image, edges along the data.

    Nodes carry `kind`, `output` (a shape as text), `params`, `macs`, `stage` (or empty).

    Raises:
        InvalidDesign: the blocks do not fit each other.
    """
    import networkx as nx

    result = nx.DiGraph(name=network.name)
    result.add_node(IMAGE, kind="image", output=str(network.input), params=0, macs=0, stage="")
    names = [node.name for node in network.nodes]
    for row, sources in zip(cost_by_block(network), network.sources(), strict=True):
        stage, dot, _ = row.name.partition(".")
        result.add_node(row.name, **_attributes(row, stage if dot else ""))
        for source in sources:
            result.add_edge(IMAGE if source < 0 else names[source], row.name)
    return result


def graph_of_ops(network: Network) -> nx.DiGraph:
    """Like `graph`, of primitive ops: nodes are called ``3 stage1.0.conv``, by position and path.

    `kind` is the op's and `stage` the name of the block that it belongs to.

    Raises:
        InvalidDesign: the blocks do not fit each other.
    """
    import networkx as nx

    result = nx.DiGraph(name=network.name)
    result.add_node(IMAGE, kind="image", output=str(network.input), params=0, macs=0, stage="")
    program = network.lower()
    makers = {id(program.inputs[0]): IMAGE}
    owners = [
        scope.label for scope in program.body if isinstance(scope, Scope) for _ in scope.steps()
    ]
    walk = zip(program.walk(), cost_by_op(network), owners, strict=True)
    for number, ((path, step), row, owner) in enumerate(walk, start=1):
        name = f"{number} {path}"
        result.add_node(name, **_attributes(row, owner))
        for value in step.inputs:
            result.add_edge(makers[id(value)], name)
        makers[id(step.output)] = name
    return result


def _attributes(row: Row, stage: str) -> dict[str, str | int]:
    counts = {"params": row.cost.params, "macs": row.cost.macs}
    return {"kind": row.what, "output": row.output, **counts, "stage": stage}


# -- layout: rows, lanes, pixels ------------------------------------------------------------------

WIDTH, TALL, SMALL = 248, 46, 26  # of a box; its height, and that of a repetition
MARGIN, LANE_GAP, SKIP_LANE = 16, 28, 22
FRAME, FRAME_HEAD = 9, 24  # around the blocks of a stage, and above the first


@dataclass
class _Layout:
    """Where all stands: rows and lanes of nodes, lanes of edges that pass by rows, pixels."""

    graph: nx.DiGraph
    row: dict[str, int]
    lane: dict[str, int] = field(default_factory=dict)
    bypass: dict[tuple[str, str], int] = field(default_factory=dict)
    x: dict[int, float] = field(default_factory=dict)
    y: dict[str, float] = field(default_factory=dict)
    height: dict[str, int] = field(default_factory=dict)
    size: tuple[float, float] = (0, 0)

    def center(self, name: str) -> float:
        return self.x[self.lane[name]]

    def edge_lane(self, a: str, b: str) -> int:
        """The lane that an edge runs in: its own, or that of its outer end."""
        return self.bypass.get((a, b), max(self.lane[a], self.lane[b]))

    def bottom(self, name: str) -> float:
        return self.y[name] + self.height[name]


def _lay_out(network: Network) -> _Layout:
    import networkx as nx

    g = graph(network)
    row = {name: r for r, names in enumerate(nx.topological_generations(g)) for name in names}
    layout = _Layout(g, row)
    _choose_lanes(layout, nx.dag_longest_path(g))
    _choose_heights(layout, network)
    _place(layout)
    return layout


def _choose_lanes(layout: _Layout, main: list[str]) -> None:
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


def _choose_heights(layout: _Layout, network: Network) -> None:
    layout.height = {IMAGE: SMALL}
    attributes = layout.graph.nodes
    for before, node in zip((None, *network.nodes), network.nodes, strict=False):
        repeats = (
            before is not None
            and "." in node.name
            and attributes[node.name]["stage"] == attributes[before.name]["stage"]
            and node.block == before.block
            and attributes[node.name]["output"] == attributes[before.name]["output"]
        )
        layout.height[node.name] = SMALL if repeats else TALL


def _place(layout: _Layout) -> None:
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
        y += max(layout.height[name] for name in rows[number])
    layout.size = (left - LANE_GAP + FRAME + MARGIN, y + FRAME + MARGIN)


def _gap(layout: _Layout, above: list[str], below: list[str]) -> float:
    """Room between two rows: little within a stage, more where lines cross or frames begin."""
    stage = layout.graph.nodes
    before, after = ({stage[n]["stage"] for n in row} - {""} for row in (above, below))
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


# -- SVG ------------------------------------------------------------------------------------------

PALETTE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b3a125", "#8c8c8c")
"""Okabe and Ito's colours, which the colour-blind can tell apart (yellow darkened)."""

STYLE = """
.dse-network { color: #1f2328; font: 13px system-ui, "Segoe UI", Roboto, sans-serif; }
.dse-network text { fill: currentColor; }
.dse-network .paper { fill: #ffffff; }
.dse-network .box { fill: #f6f7f9; stroke: #c4c9d0; }
.dse-network .frame { fill: none; stroke: #c4c9d0; stroke-dasharray: 3 3; }
.dse-network .name { font-weight: 600; }
.dse-network .quiet { fill: #59636e; font-size: 12px; }
.dse-network .edge { fill: none; stroke: #808a95; stroke-width: 1.4; }
.dse-network .tip { fill: #808a95; }
@media (prefers-color-scheme: dark) {
  .dse-network { color: #e6e8eb; }
  .dse-network .paper { fill: #14171a; }
  .dse-network .box { fill: #1f2429; stroke: #454d56; }
  .dse-network .frame { stroke: #454d56; }
  .dse-network .quiet { fill: #a3adb8; }
}
"""


def svg(network: Network) -> str:
    """The network as a standalone SVG drawing that follows the reader's light or dark scheme.

    Raises:
        InvalidDesign: the blocks do not fit each other.
    """
    layout = _lay_out(network)
    width, height = (round(side) for side in layout.size)
    total = cost(network)
    about = (
        f"{network.title or network.name}: {len(network.nodes)} blocks, "
        f"{total.params:,} parameters, {total.macs:,} MACs"
    )
    colours: dict[str, str] = {}
    for _, data in layout.graph.nodes(data=True):
        colours.setdefault(data["kind"], PALETTE[min(len(colours), len(PALETTE)) - 1])
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="dse-network" role="img" '
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'style="min-width:{0.7 * width:.0f}px">',
        f"<title>{escape(about)}</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{width}" height="{height}"/>',
        *_frames(layout),
        *(_edge(layout, a, b) for a, b in layout.graph.edges),
        *(_box(layout, name, colours) for name in layout.graph),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _frames(layout: _Layout) -> list[str]:
    """A dashed frame around each stage whose blocks stand one below the other, undisturbed."""
    stages: dict[str, list[str]] = {}
    for name, data in layout.graph.nodes(data=True):
        if data["stage"]:
            stages.setdefault(data["stage"], []).append(name)
    frames = []
    for stage, names in stages.items():
        rows, lane = [layout.row[n] for n in names], layout.lane[names[0]]
        within = range(min(rows), max(rows) + 1)
        if set(names) != {
            n for n, r in layout.row.items() if r in within and layout.lane[n] == lane
        }:
            continue
        left = layout.center(names[0]) - WIDTH / 2 - FRAME
        top = layout.y[names[0]] - FRAME_HEAD
        height = layout.bottom(names[-1]) + FRAME - top
        times = f" × {len(names)}" if len(names) > 1 else ""
        frames.append(
            f'<rect class="frame" x="{left:g}" y="{top:g}" width="{WIDTH + 2 * FRAME}" '
            f'height="{height:g}" rx="10"/>'
            f'<text class="quiet" x="{left + FRAME + 2:g}" y="{top + 16:g}">'
            f"{escape(_short(stage, 32))}{times}</text>"
        )
    return frames


def _edge(layout: _Layout, a: str, b: str) -> str:
    """A line from the foot of one box to the head of another, in its lane where it passes rows."""
    lane = layout.edge_lane(a, b)
    side = lane and 44  # off the middle, where the main path runs
    start = layout.center(a) + (side if layout.lane[a] < lane else 0)
    end = layout.center(b) + (side if layout.lane[b] < lane else 0)
    top, bottom = layout.bottom(a), layout.y[b] - 6
    path = f"M{start:g} {top:g}"
    if (a, b) in layout.bypass and lane:
        middle = layout.x[lane]
        between = [n for n in layout.row if layout.row[a] < layout.row[n] < layout.row[b]]
        high = min(layout.y[n] for n in between)
        low = max(layout.bottom(n) for n in between)
        path += _bend(start, top, middle, high) + f"L{middle:g} {low:g}"
        start, top = middle, low
    path += _bend(start, top, end, bottom)
    tip = f"M{end - 4:g} {bottom:g}h8l-4 6z"
    return f'<path class="edge" d="{path}"/><path class="tip" d="{tip}"/>'


def _bend(x: float, y: float, to_x: float, to_y: float) -> str:
    if x == to_x:
        return f"L{to_x:g} {to_y:g}"
    half = (y + to_y) / 2
    return f"C{x:g} {half:g} {to_x:g} {half:g} {to_x:g} {to_y:g}"


def _box(layout: _Layout, name: str, colours: dict[str, str]) -> str:
    data = layout.graph.nodes[name]
    left, top = layout.center(name) - WIDTH / 2, layout.y[name]
    height = layout.height[name]
    right = left + WIDTH - 10
    text = left + 14
    kind, output = escape(_short(data["kind"], 22)), escape(data["output"])
    full = (
        f"{name}: {data['kind']}, {data['output']}, "
        f"{data['params']:,} parameters, {data['macs']:,} MACs"
    )
    label = escape(_short(name, 18))
    if height == TALL:
        lines = (
            f'<text class="name" x="{text:g}" y="{top + 19:g}">{label}</text>'
            f'<text x="{right:g}" y="{top + 19:g}" text-anchor="end">{output}</text>'
            f'<text class="quiet" x="{text:g}" y="{top + 36:g}">{kind}</text>'
            f'<text class="quiet" x="{right:g}" y="{top + 36:g}" text-anchor="end">'
            f"{data['params']:,} params</text>"
        )
    else:
        lines = (
            f'<text x="{text:g}" y="{top + 17.5:g}"><tspan class="name">{label}</tspan>'
            f'<tspan class="quiet" dx="8">{kind}</tspan></text>'
            f'<text class="quiet" x="{right:g}" y="{top + 17.5:g}" text-anchor="end">'
            f"{output}</text>"
        )
    colour = colours[data["kind"]]
    return (
        f'<g class="node"><title>{escape(full)}</title>'
        f'<rect class="box" x="{left:g}" y="{top:g}" width="{WIDTH}" height="{height}" rx="6"/>'
        f'<rect x="{left + 4:g}" y="{top + 5:g}" width="3" height="{height - 10}" rx="1.5" '
        f'fill="{colour}"/>'
        f"{lines}</g>"
    )


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
