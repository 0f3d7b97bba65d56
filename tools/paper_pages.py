"""Writes the tables of printed and computed sizes into the papers' pages: run without arguments."""

from __future__ import annotations

import re
from pathlib import Path

from dse.papers import comparisons
from dse.papers.page import tables

PAGES = Path(__file__).parents[1] / "docs" / "papers"
_PLACE = re.compile(r"<!-- figures: (\S+) -->\n.*?<!-- end -->\n", re.DOTALL)


def with_figures(text: str) -> str:
    """A page with the tables of the papers that it names."""

    def filled(match: re.Match[str]) -> str:
        rows = [row for row in comparisons() if row.figure.paper == match[1]]
        body = "\n".join(tables(rows, heading="###"))
        return f"<!-- figures: {match[1]} -->\n{body}\n\n<!-- end -->\n"

    return _PLACE.sub(filled, text)


if __name__ == "__main__":
    for page in PAGES.glob("*.md"):
        page.write_text(with_figures(page.read_text(encoding="utf-8")), encoding="utf-8")
