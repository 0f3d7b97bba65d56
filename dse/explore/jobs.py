"""Commands that the page starts, each a process of its own: their lines as they come."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from dse.errors import InvalidValue

MOST_RUNNING = 2
"""Each takes all the cores it gets."""
_MOST_LINES = 5_000
_PATIENCE = 10.0
"""Seconds that a cancelled command has to end by itself."""


@dataclass
class Job:
    """A command, its lines so far, and its exit code once it has ended."""

    number: int
    title: str
    command: tuple[str, ...]
    lines: list[str] = field(default_factory=list)
    code: int | None = None
    cancelled: bool = False
    process: asyncio.subprocess.Process | None = None
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def state(self) -> str:
        """``running``, ``done``, ``cancelled`` or ``failed``."""
        if self.code is None:
            return "running"
        return "cancelled" if self.cancelled else "failed" if self.code else "done"

    def document(self) -> dict[str, Any]:
        """As the page shows it."""
        return {
            "number": self.number,
            "title": self.title,
            "command": shlex.join(["dse", *self.command]),
            "state": self.state,
        }


class Jobs:
    """The commands of one server. They end with it."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._jobs: dict[int, Job] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def all(self) -> list[Job]:
        """The jobs in order of their start."""
        return list(self._jobs.values())

    def find(self, number: int) -> Job:
        """A job by its number.

        Raises:
            InvalidValue: there is none.
        """
        if number not in self._jobs:
            raise InvalidValue(f"there is no job {number}")
        return self._jobs[number]

    async def begin(self, title: str, command: Sequence[str]) -> Job:
        """Start ``dse`` with a command line.

        Raises:
            InvalidValue: as many run already as may.
        """
        if sum(job.code is None for job in self.all()) >= MOST_RUNNING:
            raise InvalidValue(
                f"at most {MOST_RUNNING} commands run at a time; cancel one or wait for its end"
            )
        job = Job(next(self._numbers), title, tuple(command))
        self._jobs[job.number] = job
        job.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "dse",
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "COLUMNS": "100"},
            start_new_session=True,  # Ctrl-C at the server is the server's
        )
        task = asyncio.create_task(self._follow(job, job.process))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    async def cancel(self, job: Job) -> None:
        """End a job as Ctrl-C would; one that does not is killed."""
        if job.code is not None or job.process is None:
            return
        job.cancelled = True
        _signal(job.process, signal.SIGINT)
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(job.process.wait(), _PATIENCE)
            return
        _signal(job.process, signal.SIGKILL)

    async def close(self) -> None:
        """Cancel whatever runs."""
        await asyncio.gather(*(self.cancel(job) for job in self.all()))

    async def follow(self, job: Job, since: int) -> AsyncIterator[tuple[int, str]]:
        """A job's lines from number `since` on, as they come, each with the number of the next."""
        at = since
        while True:
            async with job.news:
                while at >= len(job.lines) and job.code is None:
                    await job.news.wait()
            if at >= len(job.lines):
                return
            at += 1
            yield at, job.lines[at - 1]

    async def _follow(self, job: Job, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            async with job.news:
                if len(job.lines) < _MOST_LINES:
                    job.lines.append(line.decode(errors="replace").rstrip())
                job.news.notify_all()
        async with job.news:
            job.code = await process.wait()
            job.news.notify_all()


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """Signal a process and all that it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
