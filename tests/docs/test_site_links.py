"""Links that leave the documentation become names on the site, and lead somewhere beside it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.site_links import without_outside_links

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize(
    ("place", "text", "shown"),
    [
        ("a.md", "[all](../b/c.md#d) of", "all (`b/c.md`) of"),
        ("x/a.md", "[all](../../b/c.md)", "all (`b/c.md`)"),
        ("x/a.md", "[`b/c.md`](../../b/c.md)", "`b/c.md`"),
        ("x/a.md", "[rungs](../search.md#rungs)", "[rungs](../search.md#rungs)"),
        ("a.md", "![p](../p.png) [q](https://a.b/)", "![p](../p.png) [q](https://a.b/)"),
    ],
)
def test_a_link_that_leaves_the_pages_is_a_name(place: str, text: str, shown: str) -> None:
    assert without_outside_links(text, place) == shown


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.S | re.M)
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)", text)
    missing = [t for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert missing == []
