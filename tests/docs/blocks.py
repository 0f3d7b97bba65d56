"""The code blocks of a page of the documentation, and what the tests do with each.

The page itself says it, in the language and the title of a block, which readers see above it:

================================  =================================================================
``python``                        run, all of a page in one program; where a ``text`` block follows
                                  at once, that is what it prints
``console``                       lines after ``$ `` are run, the others are what they print;
                                  ``...`` stands for anything
``yaml``, ``json``, ...           read
any, titled with a file name      written to that file first
any, titled ``not run: why``      read by people alone
``console``, titled ``numbers     run, and what it prints is not compared
vary: why``
``text``                          no code
================================  =================================================================
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

LANGUAGES = ("console", "html", "json", "python", "text", "yaml")

_FENCE = re.compile(
    r"^(?P<indent> *)(?P<fence>```+)(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=indent)(?P=fence) *$",
    re.MULTILINE | re.DOTALL,
)
_TITLE = re.compile(r'title="([^"]*)"')


@dataclass(frozen=True)
class CodeBlock:
    """A fenced block.

    Attributes:
        language, title, text: as it is written.
        line: of the page, at which it begins.
        follows: whether nothing stands between it and the block before.
    """

    language: str
    title: str
    text: str
    line: int
    follows: bool = False

    @property
    def file(self) -> str | None:
        """The file that it is, if its title is a file's name."""
        return self.title if re.fullmatch(r"[\w./-]+\.\w+", self.title) else None

    @property
    def runs(self) -> bool:
        return not self.title.startswith("not run: ")

    @property
    def compared(self) -> bool:
        return not self.title.startswith("numbers vary: ")


def code_blocks(page: Path) -> list[CodeBlock]:
    """The blocks of a page in their order."""
    text = page.read_text(encoding="utf-8")
    found: list[CodeBlock] = []
    end = 0
    for match in _FENCE.finditer(text):
        info = match["info"].strip()
        title = _TITLE.search(info)
        lines = match["text"].splitlines(keepends=True)
        body = "".join(line.removeprefix(match["indent"]) for line in lines)
        line = text.count("\n", 0, match.start()) + 1
        follows = bool(found) and not text[end : match.start()].strip()
        name = info.partition(" ")[0]
        found.append(CodeBlock(name, title[1] if title else "", body, line, follows))
        end = match.end()
    return found
