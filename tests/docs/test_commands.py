"""Every `dse` command in the documentation can be read, also those that the tests do not run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from dse.cli import UsageError, app
from tests.docs.blocks import code_blocks

ROOT = Path(__file__).parents[2]


def commands(page: Path) -> Iterator[tuple[int, str]]:
    """The commands of a page, each with the line of its block."""
    for block in code_blocks(page):
        text = block.text.replace("\\\n", " ")
        # In a session they follow a $; the README shows some by themselves.
        start = r"\$ " if block.language == "console" else r"(?:\$ )?"
        if block.language in ("", "console"):
            for found in re.finditer(rf"^{start}(dse .*)$", text, re.MULTILINE):
                yield block.line, found[1]


ALL = [
    pytest.param(command, id=f"{page.name}:{line}:{number}")
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    for number, (line, command) in enumerate(commands(page))
]


@cache
def root() -> Any:
    """The command line as typer reads it."""
    return get_command(app)


def read(command: str) -> None:
    """Read a command line without carrying it out."""
    name, *words = shlex.split(re.split(r" (?:\||&&|>) ", command)[0], comments=True)
    found: Any = root()
    context = found.make_context(name, list(words))
    while hasattr(found, "resolve_command"):
        rest = [*context._protected_args, *context.args]
        name, found, rest = found.resolve_command(context, rest)
        context = found.make_context(name, rest, parent=context)


@pytest.mark.parametrize("command", ALL)
def test_a_command_that_is_shown_exists(command: str) -> None:
    read(command)


@pytest.mark.parametrize("command", ["dse serch", "dse search --trial 3", "dse space shw fire"])
def test_a_command_that_does_not_exist_is_found(command: str) -> None:
    with pytest.raises(UsageError):
        read(command)
