"""Runs the code blocks of one page, in the current folder: ``run_page.py PAGE``.

A program, so that what a page registers or imports is no other page's; one for all commands of a
page, so that torch is imported once.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.docs.blocks import CodeBlock, code_blocks


class Wrong(Exception):
    """A block that does not do what the page says."""


def main(page: Path) -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    sys.path.insert(0, os.getcwd())
    blocks = code_blocks(page)
    for block, following in zip(blocks, [*blocks[1:], None], strict=True):
        try:
            _run(block, following, names)
        except Exception as error:
            print(f"{page}:{block.line}: {type(error).__name__}: {error}", file=sys.stderr)
            if not isinstance(error, Wrong):
                raise
            sys.exit(1)


def _run(block: CodeBlock, following: CodeBlock | None, names: dict[str, Any]) -> None:
    if not block.runs:
        return
    if block.file is not None:
        Path(block.file).parent.mkdir(parents=True, exist_ok=True)
        Path(block.file).write_text(block.text, encoding="utf-8")
    if block.language == "yaml":
        yaml.safe_load(block.text)
    elif block.language == "json":
        json.loads(block.text)
    elif block.language == "console":
        for command, printed in _commands(block.text):
            said = _said(command)
            if block.compared:
                _compare(printed, said, command)
    elif block.language == "python" and block.file is None:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(block.text, "the page", "exec"), names)
        if following is not None and following.language == "text" and following.follows:
            _compare(following.text, out.getvalue(), "it")


def _commands(text: str) -> list[tuple[str, str]]:
    """Each command of a session, and what the page says it prints."""
    found: list[tuple[str, str]] = []
    for line in text.splitlines(keepends=True):
        if line.startswith("$ "):
            found.append((line[2:], ""))
        elif found and found[-1][0].endswith("\\\n"):
            found[-1] = (found[-1][0] + line, "")
        elif found:
            found[-1] = (found[-1][0], found[-1][1] + line)
        else:
            raise Wrong(f"a session begins with a command after $, got {line!r}")
    return found


def _said(command: str) -> str:
    """What a command prints on stdout and stderr; it may fail where its output says `error:`."""
    words = shlex.split(command.replace("\\\n", " "), comments=True)
    if words[:1] == ["dse"] and not {"|", ">", "&&"} & set(words):
        code, said = _dse(words)
    else:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", command],
            env={**os.environ, "PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        code, said = done.returncode, done.stdout
    if code and not re.search("^error: ", said, re.MULTILINE):
        raise Wrong(f"{command.strip()} ended with {code}: {said}")
    return said


def _dse(words: Sequence[str]) -> tuple[int, str]:
    """A command of ours, in this process."""
    from dse.cli import main as run

    before, sys.argv = sys.argv, list(words)
    out = io.StringIO()
    code: Any = 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            run()
    except SystemExit as end:
        code = end.code or 0
    finally:
        sys.argv = before
    return int(code), out.getvalue()


def _compare(printed: str, said: str, what: str) -> None:
    """See that something printed what the page shows, but for what ``...`` leaves out.

    Spaces and line breaks within what is shown do not count: pages are narrower than terminals.
    """
    anything = r"[\s\S]*?"
    pattern = r"\s*"
    for word in printed.split():
        part = re.escape(word).replace(re.escape("..."), r"\S*")
        pattern += anything if word == "..." else rf"(?<!\S){part}(?!\S)\s*"
    if not re.fullmatch(rf"{pattern}\s*", said):
        raise Wrong(f"{what.strip()} prints\n{said}\nthe page shows\n{printed}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
