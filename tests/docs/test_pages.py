"""Every code block of the documentation is run, or says visibly that it is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs import run_page
from tests.docs.blocks import LANGUAGES, CodeBlock, code_blocks

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(DOCS)))


@every_page
def test_every_block_says_what_it_is(page: Path) -> None:
    for block in code_blocks(page):
        where = f"{page.name}:{block.line}"
        assert block.language in LANGUAGES, f"{where}: one of {LANGUAGES}, got {block.language!r}"
        known = not block.title or block.file or not block.runs or not block.compared
        assert known, f"{where}: a title is a file, 'not run: why' or 'numbers vary: why'"


@pytest.mark.slow
@every_page
def test_every_block_runs(page: Path, tmp_path: Path) -> None:
    if not any(block.runs and block.language != "text" for block in code_blocks(page)):
        pytest.skip("no code")
    done = subprocess.run(
        [sys.executable, "-m", "tests.docs.run_page", str(page)],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}",
            "COLUMNS": "120",
            "OMP_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr


def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("page.md").write_text(text)
    run_page.main(Path("page.md"))


@pytest.mark.parametrize(
    "text",
    [
        "```python\nprint(1)\n```\n\n```text\n2\n```\n",
        "```python\n1 / 0\n```\n",
        "```console\n$ echo one two\none three\n```\n",
        "```console\n$ false\n```\n",
        "```console\nno command\n```\n",
    ],
)
def test_a_block_that_does_not_do_what_it_says_is_found(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises((SystemExit, ZeroDivisionError)):
        run(tmp_path, monkeypatch, text)


def test_what_a_page_leaves_out_may_be_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(
        tmp_path,
        monkeypatch,
        '```text title="notes.txt"\nkept\n```\n'
        "```console\n$ cat notes.txt; seq 9\nkept\n1\n...\n9\n$ echo a b \\\n    c\na b\nc\n```\n"
        "```python\nprint('x')\n```\nIt draws:\n```text\n->\n```\n"
        "```console\n$ echo error: so; false\nerror: so\n```\n"
        '```console title="not run: it would fail"\n$ false\n```\n'
        '```console title="numbers vary: they do"\n$ echo 5\n6\n```\n',
    )


def test_blocks_are_found_where_they_are_indented(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        '1. a\n\n    ```python title="a.py"\n    if x:\n        y\n    ```\n\n```text\n```\n'
    )
    assert code_blocks(page) == [
        CodeBlock("python", "a.py", "if x:\n    y\n", 3),
        CodeBlock("text", "", "", 8, follows=True),
    ]
