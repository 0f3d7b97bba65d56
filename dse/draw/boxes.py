"""The main column as SVG: frames of stages, lines, boxes."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from dse.draw.column import Box
from dse.draw.layout import FRAME, FRAME_HEAD, SHEETS, TALL, WIDTH, Layout
from dse.draw.style import BADGE, badge, strip
from dse.draw.text import fitted, text_width

INDENT, MARGIN = 14, 10  # of text in a box: from its left and its right
SPACE = 8  # at least, between two texts


def stage_frames(layout: Layout) -> list[str]:
    """A dashed frame around each stage whose blocks stand one below the other, undisturbed."""
    stages: dict[str, list[str]] = {}
    for name in layout.graph:
        if layout.box(name).stage:
            stages.setdefault(layout.box(name).stage, []).append(name)
    found = []
    for stage, names in stages.items():
        rows, lane = [layout.row[n] for n in names], layout.lane[names[0]]
        within = range(min(rows), max(rows) + 1)
        if set(names) != {
            n for n, r in layout.row.items() if r in within and layout.lane[n] == lane
        }:
            continue
        left = layout.center(names[0]) - WIDTH / 2 - FRAME
        top = layout.y[names[0]] - FRAME_HEAD
        height = layout.foot(names[-1]) + FRAME - top
        blocks = sum(len(layout.box(name).names) for name in names)
        times = f" × {blocks}" if blocks > 1 else ""
        label = fitted(stage, WIDTH - text_width(times, 12), 12)
        found.append(
            f'<rect class="frame" x="{left:g}" y="{top:g}" width="{WIDTH + 2 * FRAME}" '
            f'height="{height:g}" rx="10"/>'
            f'<text class="quiet" x="{left + FRAME + 2:g}" y="{top + 16:g}">'
            f"{escape(label)}{times}</text>"
        )
    return found


def line(layout: Layout, a: str, b: str) -> str:
    """A line from the foot of one box to the head of another, in its lane where it passes rows."""
    lane = layout.edge_lane(a, b)
    side = lane and 44  # off the middle, where the main path runs
    start = layout.center(a) + (side if layout.lane[a] < lane else 0)
    end = layout.center(b) + (side if layout.lane[b] < lane else 0)
    top, bottom = layout.foot(a), layout.y[b] - 6
    path = f"M{start:g} {top:g}"
    if (a, b) in layout.bypass and lane:
        middle = layout.x[lane]
        between = [n for n in layout.row if layout.row[a] < layout.row[n] < layout.row[b]]
        high = min(layout.y[n] for n in between)
        low = max(layout.foot(n) for n in between)
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


def box(layout: Layout, name: str, colours: Mapping[str, str]) -> str:
    """The box of one node; `colours` holds those of badges and kinds."""
    what = layout.box(name)
    left, top = layout.center(name) - WIDTH / 2, layout.y[name]
    height = layout.height(name)
    colour = colours[key(what)]
    draw = _two_lines if height == TALL else _one_line
    return (
        f'<g class="{"fold" if what.is_fold else "node"}"><title>{escape(_tooltip(what))}</title>'
        f'<rect class="box" x="{left:g}" y="{top:g}" width="{WIDTH}" height="{height}" rx="6"/>'
        f"{_sheets(left, top + height) if what.is_fold else ''}"
        f"{strip(colour, left + 4, top + 5, height - 10)}"
        f"{draw(what, left + INDENT, left + WIDTH - MARGIN, top, colour)}</g>"
    )


def key(what: Box) -> str:
    """What has a colour of its own: an inside, or else a kind."""
    return what.kind if what.inside is None else what.inside.badge


def _tooltip(what: Box) -> str:
    title = what.kind if what.inside is None else f"{what.kind} ({what.inside.title})"
    times = f"{len(what.names)} × " if what.is_fold else ""
    return (
        f"{what.name}: {times}{title}, {what.output}, "
        f"{what.params:,} parameters, {what.macs:,} MACs"
    )


def _sheets(left: float, foot: float) -> str:
    """The edges of two more sheets below a box."""
    left, width = left + 6, WIDTH - 12
    return "".join(
        f'<path class="sheet" d="M{left + inset:g} {foot + down:g}h{width - 2 * inset:g}"/>'
        for inset, down in ((0, SHEETS / 2), (5, SHEETS))
    )


def _two_lines(what: Box, left: float, right: float, top: float, colour: str) -> str:
    label = f"… {len(what.names)} more" if what.is_fold else what.name
    room = right - left - text_width(what.output, 13) - SPACE
    params = f"{what.params:,} params"
    return (
        f'<text class="name" x="{left:g}" y="{top + 19:g}">'
        f"{escape(fitted(label, room, 13, bold=True))}</text>"
        f'<text x="{right:g}" y="{top + 19:g}" text-anchor="end">{escape(what.output)}</text>'
        f"{_kind(what, left, right - text_width(params, 12) - SPACE, top + 36, colour)}"
        f'<text class="quiet" x="{right:g}" y="{top + 36:g}" text-anchor="end">{params}</text>'
    )


def _one_line(what: Box, left: float, right: float, top: float, colour: str) -> str:
    room = right - left - text_width(what.output, 12) - SPACE
    label = fitted(what.name, room, 13, bold=True)
    base = top + 17.5
    after = left + text_width(label, 13, bold=True) + SPACE
    return (
        f'<text class="name" x="{left:g}" y="{base:g}">{escape(label)}</text>'
        f"{_kind(what, after, left + room, base, colour)}"
        f'<text class="quiet" x="{right:g}" y="{base:g}" text-anchor="end">'
        f"{escape(what.output)}</text>"
    )


def _kind(what: Box, left: float, right: float, base: float, colour: str) -> str:
    """The badge, the kind, and the note if there is room for it."""
    mark = ""
    if what.inside is not None and right - left >= BADGE:
        mark = badge(what.inside.badge, colour, left, base - 12.5)
        left += BADGE + 6
    text = f"{what.kind} {what.note}".rstrip()
    if text_width(text, 12) > right - left:
        text = fitted(what.kind, right - left, 12)
    return f'{mark}<text class="quiet" x="{left:g}" y="{base:g}">{escape(text)}</text>'
