"""Searches in a process of their own that are killed, interrupted and gone on with."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from dse.runs import Run, open_run

SEARCHER = Path(__file__).with_name("searcher.py")
SPACE = """
network:
  input: 3x16x16
  classes: 3
  nodes:
    - {name: stem, conv: {channels: {between: [2, 200]}, kernel: {choose: [1, 3, 5]}}}
    - {name: pool, global_pool: {}}
    - {name: classifier, classifier: {}}
"""
MARK = "DSE_TEST_MARK"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not Path("/proc/self/environ").exists(), reason="looks for left-over processes in /proc"
    ),
]


class Program:
    """The searcher, started again and again; its processes carry a mark in their environment."""

    def __init__(self) -> None:
        self.mark = uuid.uuid4().hex
        Path("space.yaml").write_text(SPACE)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, str(SEARCHER), "space.yaml", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, MARK: self.mark},
            start_new_session=True,
        )

    def finish(self, *arguments: str) -> str:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        return out

    def alive(self) -> list[int]:
        """Processes with the mark."""
        found = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    environment = (folder / "environ").read_bytes()
                    state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
                except OSError:
                    continue
                if f"{MARK}={self.mark}".encode() in environment and state != "Z":
                    found.append(int(folder.name))
        return found

    def all_end(self) -> bool:
        """Whether no process is left; those without a parent are given some time to notice."""
        for _ in range(300):
            if not self.alive():
                return True
            time.sleep(0.1)
        return False


@pytest.fixture
def program() -> Iterator[Program]:
    made = Program()
    yield made
    for number in made.alive():
        os.kill(number, signal.SIGKILL)


def ended(lines: list[str]) -> list[int]:
    return [int(line.split()[1]) for line in lines if line.startswith("ended")]


def begun() -> list[str]:
    path = Path("begun.log")
    return path.read_text().split() if path.exists() else []


def read_until(process: subprocess.Popen[str], count: int) -> list[str]:
    """Lines of the program until `count` trials ended, or it did."""
    assert process.stdout is not None
    lines: list[str] = []
    while len(ended(lines)) < count:
        line = process.stdout.readline()
        if not line:
            break
        lines.append(line)
    return lines


@pytest.mark.parametrize(
    ("workers", "trials", "arguments"),
    [
        pytest.param(1, 24, [], id="one worker"),
        pytest.param(2, 16, [], id="two workers", marks=pytest.mark.slow),
        pytest.param(
            1, 16, ["--storage", "sqlite:///study.db"], id="sqlite", marks=pytest.mark.slow
        ),
    ],
)
def test_killed_again_and_again_it_loses_nothing(
    program: Program, workers: int, trials: int, arguments: list[str]
) -> None:
    source = random.Random(workers)
    options = ["--trials", str(trials), "--workers", str(workers), *arguments]
    printed: set[int] = set()
    interrupted: set[str] = set()
    # At once, between evaluations, and in the midst of one; the first before run.json is there.
    for number, (lines, delay) in enumerate([(0, 0.6), (3, 0.0), (2, 0.02), (1, 0.05), (4, 0.01)]):
        resume = ["--resume"] if Path("runs/r/run.json").exists() else []
        process = program.start(*options, *resume)
        printed |= set(ended(read_until(process, lines)))
        time.sleep(delay * source.uniform(0.5, 1.5))
        process.kill()
        # A worker that lives on would hold the pipe open.
        out, err = process.communicate(timeout=60)
        assert "Traceback" not in err, (number, err)
        printed |= set(ended(out.splitlines()))
        assert program.all_end(), "worker processes live on"
        kept = {row.trial for row in Run(Path("runs/r")).trials}
        assert printed <= kept
        interrupted |= set(begun()) - {row.digest for row in Run(Path("runs/r")).trials}
    assert len(Run(Path("runs/r")).trials) < trials  # else nothing was resumed

    out = program.finish(*options, "--resume")
    assert "complete" in out
    run = open_run("r")
    rows = run.trials
    assert len(rows) == trials
    assert len({row.trial for row in rows}) == trials
    assert len({row.digest for row in rows}) == trials
    assert printed | set(ended(out.splitlines())) <= {row.trial for row in rows}
    assert not Path("again.log").exists(), "a finished design was evaluated again"
    assert interrupted <= {row.digest for row in rows}, "an interrupted design was dropped"
    assert all(row.state == "finished" for row in rows)
    assert program.all_end()


def test_a_second_process_at_the_same_run_is_refused(program: Program) -> None:
    first = program.start("--trials", "60")
    read_until(first, 1)
    second = program.start("--trials", "60", "--resume")
    _, err = second.communicate(timeout=60)
    assert second.returncode == 1
    assert err.strip() == "error: the run r is being worked on by another process"
    assert first.poll() is None
    first.kill()
    first.communicate()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_ends_everything_cleanly(program: Program, workers: str) -> None:
    process = program.start("--trials", "60", "--workers", workers)
    read_until(process, 2)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    # The program does not catch it; its own traceback is all there is to be seen, none of a worker.
    assert process.returncode == -signal.SIGINT
    assert err.count("Traceback") == 1, err
    assert program.all_end()
    done = len(open_run("r").trials)
    assert done >= 2
    program.finish("--trials", str(done + 2), "--workers", workers, "--resume")
    assert len(open_run("r").trials) == done + 2


@pytest.mark.parametrize("delay", [0.05, 0.2])
def test_ctrl_c_while_the_workers_start_shows_no_traceback_of_theirs(
    program: Program, delay: float
) -> None:
    process = program.start("--trials", "60", "--workers", "2")
    # This process, multiprocessing's tracker, and two that are importing.
    while len(program.alive()) < 4:
        assert process.poll() is None
        time.sleep(0.01)
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert err.count("Traceback") == 1, err
    assert "spawn_main" not in err, err
    assert program.all_end()


def test_a_worker_that_dies_is_said_and_its_design_tried_again(program: Program) -> None:
    Path("deadly").write_text("5 once")
    out = program.finish("--trials", "12", "--workers", "2")
    assert (
        "note the process at trial 5 was killed, most likely for want of memory; it is tried once "
        "more\n"
    ) in out
    rows = {row.trial: row for row in open_run("r").trials}
    assert len(rows) == 12
    assert {row.state for row in rows.values()} == {"finished"}
    assert begun().count(rows[5].digest) == 2
    assert program.all_end()


def test_a_design_that_kills_each_process_fails_and_the_search_goes_on(program: Program) -> None:
    Path("deadly").write_text("5 always")
    program.finish("--trials", "12", "--workers", "2")
    rows = {row.trial: row for row in open_run("r").trials}
    assert len(rows) == 12
    assert rows[5].state == "failed"
    assert rows[5].reason == "its process was killed 2 times, most likely for want of memory"
    assert begun().count(rows[5].digest) == 2
    assert {row.state for number, row in rows.items() if number != 5} == {"finished"}


@pytest.mark.slow
def test_a_death_before_the_search_was_killed_counts(program: Program) -> None:
    Path("deadly").write_text("5 always")
    process = program.start("--trials", "60", "--workers", "2")
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("note the process at trial 5"):
            break
    process.kill()
    process.communicate()
    program.finish("--trials", "12", "--workers", "2", "--resume")
    failed = [row for row in open_run("r").trials if row.state == "failed"]
    assert [row.trial for row in failed] == [5]
    assert program.all_end()
