"""Colours, classes and the smallest pieces of SVG."""

from __future__ import annotations

from html import escape

PALETTE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b3a125", "#8c8c8c")
"""Okabe and Ito's colours, which the colour-blind can tell apart (yellow darkened). The last, grey,
serves for the image and for all that finds no other.
"""

_DARK = {"#0072b2", "#009e73", "#d55e00"}

STYLE = """
.dse-network { color: #1f2328; font: 13px system-ui, "Segoe UI", Roboto, sans-serif; }
.dse-network text { fill: currentColor; }
.dse-network .paper { fill: #ffffff; }
.dse-network .box { fill: #f6f7f9; stroke: #c4c9d0; }
.dse-network .sheet { fill: none; stroke: #c4c9d0; }
.dse-network .frame { fill: none; stroke: #c4c9d0; stroke-dasharray: 3 3; }
.dse-network .inside { fill: none; stroke: #c4c9d0; }
.dse-network .name { font-weight: 600; }
.dse-network .quiet { fill: #59636e; font-size: 12px; }
.dse-network .edge { fill: none; stroke: #808a95; stroke-width: 1.4; }
.dse-network .tip { fill: #808a95; }
.dse-network .op, .dse-network .end { font-size: 12px; text-anchor: middle; }
.dse-network .end { font-style: italic; }
.dse-network .op .quiet { font-size: 11px; }
.dse-network .sign { fill: #ffffff; stroke: #59636e; stroke-width: 1.4; }
.dse-network .badge { font-size: 10px; font-weight: 700; text-anchor: middle; }
@media (prefers-color-scheme: dark) {
  .dse-network { color: #e6e8eb; }
  .dse-network .paper { fill: #14171a; }
  .dse-network .box { fill: #1f2429; stroke: #454d56; }
  .dse-network .sheet, .dse-network .frame, .dse-network .inside { stroke: #454d56; }
  .dse-network .quiet { fill: #a3adb8; }
  .dse-network .sign { fill: #14171a; stroke: #a3adb8; }
}
"""

BADGE = 16


def badge(text: str, colour: str, x: float, y: float) -> str:
    """The mark of an inside, its top left corner at (x, y)."""
    ink = "#ffffff" if colour in _DARK else "#1f2328"
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{BADGE}" height="{BADGE}" rx="4" fill="{colour}"/>'
        f'<text class="badge" x="{x + BADGE / 2:g}" y="{y + 11.7:g}" style="fill:{ink}">'
        f"{escape(text)}</text>"
    )


def strip(colour: str, x: float, y: float, height: float) -> str:
    """The coloured line at the left of a box."""
    return f'<rect x="{x:g}" y="{y:g}" width="3" height="{height:g}" rx="1.5" fill="{colour}"/>'
