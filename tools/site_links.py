"""A hook of the documentation site: links to files of the repository that are no pages.

Where the pages are read beside the code they lead there; the site has only the file's name.
"""

from __future__ import annotations

import os
import re
from typing import Any

_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((\.\./[^)\s#]*)(?:#[^)\s]*)?\)")


def on_page_markdown(markdown: str, page: Any, **others: Any) -> str:
    """Called by mkdocs with the text of each page."""
    return without_outside_links(markdown, page.file.src_uri)


def without_outside_links(markdown: str, place: str) -> str:
    """The text of the page at `place`, below ``docs``, with names in place of links that leave
    ``docs``.
    """

    def named(match: re.Match[str]) -> str:
        text, target = match.groups()
        file = os.path.normpath(os.path.join("docs", os.path.dirname(place), target))
        if file.startswith("docs" + os.sep):
            return match[0]
        return f"`{file}`" if text.strip("`") == file else f"{text} (`{file}`)"

    return _LINK.sub(named, markdown)
