"""The whole drawing: the main column, and beside it what its blocks are inside."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from dse.cost import cost
from dse.draw.boxes import box, key, line, stage_frames
from dse.draw.column import Box, column
from dse.draw.figure import figure
from dse.draw.layout import FRAME, MARGIN, lay_out
from dse.draw.panel import BETWEEN, frames
from dse.draw.style import PALETTE, STYLE
from dse.network import Network


def svg(network: Network) -> str:
    """The network as a standalone SVG drawing that follows the reader's light or dark scheme.

    The main column runs from top to bottom, one box per block; blocks of a stage stand in one
    frame, and of many equal ones in a row only the first and the last are drawn. What blocks are
    inside is drawn once for each structure, under the letter and the colour that mark its blocks.

    Raises:
        InvalidDesign: the blocks do not fit each other.
    """
    graph, insides = column(network)
    layout = lay_out(graph)
    panel = frames(insides, layout.right + BETWEEN, MARGIN, layout.bottom - MARGIN)
    width = round(max([layout.right, *(f.x + f.width for f in panel)]) + MARGIN)
    height = round(max([layout.bottom + FRAME, *(f.y + f.height for f in panel)]) + MARGIN)
    total = cost(network)
    about = (
        f"{network.title or network.name}: {len(network.nodes)} blocks, "
        f"{total.params:,} parameters, {total.macs:,} MACs"
    )
    colours = _colours(layout.box(name) for name in graph)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="dse-network" role="img" '
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'style="min-width:{0.7 * width:.0f}px">',
        f"<title>{escape(about)}</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{width}" height="{height}"/>',
        *stage_frames(layout),
        *(line(layout, a, b) for a, b in graph.edges),
        *(box(layout, name, colours) for name in graph),
        *(figure(frame, colours[frame.inside.badge]) for frame in panel),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _colours(boxes: Iterable[Box]) -> dict[str, str]:
    """A colour for each inside, then for each kind of simple block, as far as they go round."""
    keys = list(dict.fromkeys((what.inside is None, key(what)) for what in boxes))
    ordered = [name for simple, name in sorted(keys, key=lambda k: k[0]) if name != "image"]
    given = {name: PALETTE[min(i, len(PALETTE) - 1)] for i, name in enumerate(ordered)}
    return {**given, "image": PALETTE[-1]}
