"""The page of the documentation is what would be generated now."""

from __future__ import annotations

from pathlib import Path

from dse.papers import comparisons
from dse.papers.page import page

PAGE = Path(__file__).parents[2] / "docs" / "papers.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(comparisons()), (
        "write it again: dse papers --markdown > docs/papers.md"
    )
