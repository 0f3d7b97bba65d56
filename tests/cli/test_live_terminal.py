"""The live view of `dse search` in a real terminal, and what stands in its place elsewhere."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dse.runs import Run
from tests.cli.terminal import Terminal

SLOW = """
import time
from pathlib import Path


def evaluate(candidate, report):
    best = 0.9 - candidate.trial / 100
    for step in range(1, 6):
        report(step, {"accuracy": best * step / 5})
        while candidate.trial >= 2 and step == 3 and Path("hold").exists():
            time.sleep(0.02)
    return {"accuracy": best}
"""
"""The third design and those after it wait in their third step while a file is there."""

Search = Callable[..., Terminal]


@pytest.fixture
def search(tmp_path: Path, small_space: Path) -> Iterator[Search]:
    """Begins a search for six designs in a terminal, which holds in its third design."""
    begun: list[Terminal] = []
    (tmp_path / "slow.py").write_text(SLOW)
    (tmp_path / "hold").touch()

    def run(*arguments: object, **terminal: Any) -> Terminal:
        asked = ["search", "--space", small_space, "--evaluate", "slow:evaluate", "--run", "r"]
        asked += ["--trials", 6, "--sampler", "random"]
        path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
        begun.append(Terminal(tmp_path, *asked, *arguments, PYTHONPATH=path, **terminal))
        return begun[-1]

    yield run
    for terminal in begun:
        terminal.close()


def rows_below(lines: list[str], title: str) -> list[list[str]]:
    """The words of the lines under a section's title."""
    start = next((i for i, line in enumerate(lines) if re.match(rf"trial +{title}", line)), None)
    if start is None:
        return []
    found = []
    for line in lines[start + 1 :]:
        if not line or line.startswith("trial"):
            break
        found.append(line.split())
    return found


@pytest.mark.slow
def test_ctrl_c_in_the_live_view_gives_the_terminal_back(search: Search, tmp_path: Path) -> None:
    """In a window of 60 columns, without colours."""
    terminal = search("--workers", 1, columns=60, rows=14, NO_COLOR="1")
    lines = terminal.until(
        lambda lines: "▁▂▄ " in "".join(lines) and bool(rows_below(lines, "running"))
    )
    assert [row[0] for row in rows_below(lines, "running")] == ["2"]
    assert rows_below(lines, "front")[0][0] == "0"
    assert any(re.match(r"r +[━╸╺]+ +2/6", line) for line in lines)
    assert terminal.cursor_hidden
    terminal.type("\x03")
    assert terminal.ended() == 130
    assert not terminal.cursor_hidden
    said = "".join(terminal.shown)
    assert "stopped after 2 trials; go on with: dse search --run r --resume" in said
    assert "running" not in str(terminal)
    assert len(Run(tmp_path / "runs" / "r").trials) == 2
    colours = re.findall(rb"\x1b\[[0-9;]*m", terminal.raw)
    assert not [code for code in colours if re.search(rb"[\[;](3|4|9|10)[0-7]", code)], colours


@pytest.mark.slow
def test_several_workers_report_into_one_view(search: Search, tmp_path: Path) -> None:
    out = tmp_path / "out.txt"
    terminal = search("--workers", 2, stdout=out)
    lines = terminal.until(
        lambda lines: (
            [row[0] for row in rows_below(lines, "running")] == ["2", "3"]
            and all("0." in " ".join(row) for row in rows_below(lines, "running"))
        )
    )
    assert len(rows_below(lines, "front of accuracy and params")) >= 1
    (tmp_path / "hold").unlink()
    assert terminal.ended() == 0
    ended = [line for line in terminal.shown if re.match(r" +\d/6 trial \d ", line)]
    assert [line.split()[0] for line in ended] == [f"{done}/6" for done in range(1, 7)]
    assert "running" not in str(terminal)
    assert "r: 6 designs evaluated" in out.read_text()
    assert "\x1b" not in out.read_text()


@pytest.mark.slow
def test_programs_get_one_document_and_a_quiet_terminal(search: Search, tmp_path: Path) -> None:
    (tmp_path / "hold").unlink()
    out = tmp_path / "out.json"
    terminal = search("--workers", 1, "--json", stdout=out)
    assert terminal.ended() == 0
    assert json.loads(out.read_text())["run"] == "r"
    assert b"\x1b[?25l" not in terminal.raw


@pytest.mark.slow
def test_a_terminal_that_cannot_move_its_cursor_gets_lines(search: Search, tmp_path: Path) -> None:
    (tmp_path / "hold").unlink()
    terminal = search("--workers", 1, TERM="dumb")
    assert terminal.ended() == 0
    assert "6/6 trial " in str(terminal)
    assert b"\x1b" not in terminal.raw
