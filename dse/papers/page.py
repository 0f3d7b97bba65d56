"""The comparison as a page of the documentation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from dse.papers.compare import Comparison

_TITLES = {
    "spp-covid-net": "SPP-COVID-Net",
    "enhanced-hybrid-mobilenet": "Enhanced Hybrid MobileNet",
    "res-squeezenet": "Res-SqueezeNet",
    "hl-cnn": "HL-CNN",
    "rachha-2020": "Rachha",
}
_QUANTITIES = {"params": "parameters", "macs": "multiply-adds", "size_mb": "model size, MB"}
_COUNTED = {
    "params": "trainable",
    "params_with_buffers": "with running statistics",
    "macs": "",
    "macs without classifier": "without the classifier",
    "macs of 10 classes": "of the 10-class network",
    "unstated": "",
}


def page(rows: Sequence[Comparison]) -> str:
    """Every printed size beside the computed one, in Markdown, a table for each paper's table."""
    counts = Counter(row.status for row in rows)
    numbers = ", ".join(f"{number} {status}" for status, number in counts.most_common())
    lines = [
        "# The papers' printed sizes beside ours",
        "",
        "Every parameter count, number of multiply-adds and model size that the five papers print, "
        "beside the one",
        "computed from the preset. `dse papers` prints the same table, `dse papers --markdown` "
        "this page.",
        "",
        "- **exact**: all digits are equal.",
        "- **rounds**: the computed figure, rounded or cut off, has the printed digits.",
        "- **inconsistent**: the paper's own architecture gives another figure; the note says what "
        "is known.",
        "- **unknown**: the paper does not say what it counted; ours is shown beside.",
        "",
        f"Of {len(rows)} figures: {numbers}.",
    ]
    lines += tables(rows, heading="##")
    return "\n".join(lines) + "\n"


def tables(rows: Sequence[Comparison], *, heading: str) -> list[str]:
    """Lines of Markdown: a heading and a table of sizes for each table of a paper."""
    lines = []
    for (paper, table), group in groupby(rows, lambda row: (row.figure.paper, row.figure.table)):
        place = f"Table {table}" if table[0].isdigit() or table.isupper() else table
        lines += [
            "",
            f"{heading} {_TITLES[paper]}, {place}",
            "",
            "| preset | settings | quantity | printed | computed | status | note |",
            "|---|---|---|--:|--:|---|---|",
            *(f"| {' | '.join(_cells(row))} |" for row in group),
        ]
    return lines


def _cells(row: Comparison) -> list[str]:
    figure = row.figure
    settings = {**figure.settings, **figure.variant}
    counted = _COUNTED[figure.counted]
    quantity = _QUANTITIES[figure.quantity] + (f", {counted}" if counted else "")
    return [
        f"`{figure.model}`",
        " ".join(f"{name}={value}" for name, value in settings.items()),
        quantity,
        figure.printed,
        row.computed_text,
        row.status,
        "" if row.status in ("exact", "rounds") and not figure.variant else figure.note,
    ]
