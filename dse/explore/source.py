"""Python source as HTML, line by line: of a design that changes, most lines were there before."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

_QUOTES = '"""'


def highlighted(source: str) -> str:
    """Emitted source as spans with the classes of Pygments' tokens, escaped.

    Lines are highlighted one by one, which is right for all that does not go on in the next one;
    of what emitted code holds, that is a text in triple quotes.
    """
    parts: list[str] = []
    open_: list[str] = []
    for line in source.splitlines(keepends=True):
        if open_ or line.count(_QUOTES) == 1:
            open_.append(line)
            if len(open_) == 1 or _QUOTES not in line:
                continue
            line, open_ = "".join(open_), []
        parts.append(_piece(line))
    return "".join(parts) + _piece("".join(open_))


@lru_cache(20_000)
def _piece(text: str) -> str:
    from pygments import highlight  # type: ignore[import-untyped, unused-ignore]

    # Pygments ends what it is given with a newline, and drops those before it.
    if not text.strip():
        return text
    found: str = highlight(text, *_tools())
    return found


@cache
def _tools() -> tuple[Any, Any]:
    from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped, unused-ignore]
    from pygments.lexers import PythonLexer  # type: ignore[import-untyped, unused-ignore]

    return PythonLexer(stripnl=False), HtmlFormatter(nowrap=True)
