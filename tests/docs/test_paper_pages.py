"""The tables of sizes on the papers' pages are those that would be written now."""

from __future__ import annotations

import pytest

from dse.papers.figures import figures
from tools.paper_pages import PAGES, with_figures

PAPERS = sorted({figure.paper for figure in figures()})


@pytest.mark.parametrize("paper", PAPERS)
def test_each_paper_has_a_page_with_its_figures(paper: str) -> None:
    text = (PAGES / f"{paper}.md").read_text(encoding="utf-8")
    assert f"<!-- figures: {paper} -->" in text
    assert text == with_figures(text), "write it again: python -m tools.paper_pages"


def test_no_figure_is_left_out() -> None:
    rows = sum(
        line.startswith("| `")
        for page in PAGES.glob("*.md")
        if page.stem in PAPERS
        for line in page.read_text(encoding="utf-8").splitlines()
    )
    assert rows == len(figures())


def test_figures_that_are_out_of_date_are_written_again() -> None:
    text = "a\n\n<!-- figures: hl-cnn -->\nold\n<!-- end -->\n\nb\n"
    again = with_figures(text)
    assert again.startswith("a\n\n<!-- figures: hl-cnn -->\n\n### HL-CNN, Table II\n")
    assert again.endswith("|\n\n<!-- end -->\n\nb\n")
    assert "old" not in again
    assert "310,132,352" in again
