"""Workers in processes of their own, where Ctrl-C comes at a bad moment."""

from __future__ import annotations

import os
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from dse.processes import Pool
from dse.search import Candidate, Report
from dse.search.workers import Job, Outcome, Processes


def endless(candidate: Candidate, report: Report) -> dict[str, float]:
    Path("pid.draft").write_text(str(os.getpid()))
    os.replace("pid.draft", "pid")
    time.sleep(600)
    return {}


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_what_was_being_begun_at_ctrl_c_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal that is held back while a process is spawned comes right after it."""
    monkeypatch.chdir(tmp_path)
    begin = Pool.submit

    def interrupted(pool: Pool, call: Any, job: Job) -> Future[Outcome]:
        begin(pool, call, job)
        while not Path("pid").exists():
            time.sleep(0.05)
        raise KeyboardInterrupt

    monkeypatch.setattr(Pool, "submit", interrupted)
    workers = Processes(endless, 2)
    candidate: Any = None
    with pytest.raises(KeyboardInterrupt):
        workers.submit(Job(candidate, tmp_path / "0"), lambda step, metrics: None)
    pid = int(Path("pid").read_text())
    assert alive(pid)
    workers.close()
    assert not alive(pid)
