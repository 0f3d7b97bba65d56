"""Commands that the page starts."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from dse.errors import InvalidValue
from dse.explore.jobs import MOST_RUNNING, Job, Jobs

SLEEPER = "import time; print('up', flush=True); time.sleep(60)"


async def _lines(jobs: Jobs, job: Job, since: int = 0) -> list[tuple[int, str]]:
    return [line async for line in jobs.follow(job, since)]


@pytest.fixture
def sleepers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `dse` that does nothing for a minute."""
    (tmp_path / "dse.py").write_text(SLEEPER)
    monkeypatch.chdir(tmp_path)  # where Python looks first


def test_a_command_is_followed_to_its_end_by_all_who_ask() -> None:
    async def run() -> None:
        jobs = Jobs()
        job = await jobs.begin("a list", ("list", "spaces"))
        first, second = await asyncio.gather(_lines(jobs, job), _lines(jobs, job))
        assert first == second
        assert any("lightweight" in line for _, line in first)
        assert await _lines(jobs, job, since=1) == first[1:]
        assert (job.state, job.code) == ("done", 0)
        assert job.document()["command"] == "dse list spaces"

    asyncio.run(run())


def test_a_mistake_is_one_of_its_lines() -> None:
    async def run() -> None:
        jobs = Jobs()
        job = await jobs.begin("a training", ("train", "no-such", "--dataset=--json"))
        lines = [line for _, line in await _lines(jobs, job)]
        assert lines[-1].startswith("error: ")
        assert (job.state, job.code) == ("failed", 2)

    asyncio.run(run())


@pytest.mark.usefixtures("sleepers")
def test_commands_are_cancelled_counted_and_end_with_the_server() -> None:
    async def run() -> None:
        jobs = Jobs()
        begun = [await jobs.begin("sleep", ("a",)) for _ in range(MOST_RUNNING)]
        for job in begun:
            while not job.lines:
                await asyncio.sleep(0.02)
        with pytest.raises(InvalidValue, match=f"at most {MOST_RUNNING} commands"):
            await jobs.begin("one more", ("b",))
        await jobs.cancel(begun[0])
        await _lines(jobs, begun[0])
        assert begun[0].state == "cancelled"
        await jobs.close()
        for job in begun:
            assert job.process is not None
            with pytest.raises(ProcessLookupError):
                os.kill(job.process.pid, 0)
            assert job.state == "cancelled"

    asyncio.run(run())


def test_a_job_that_is_not_there_is_said() -> None:
    with pytest.raises(InvalidValue, match="no job 7"):
        Jobs().find(7)
