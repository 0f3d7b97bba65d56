"""Where candidates are evaluated: in this process, or in several beside it."""

from __future__ import annotations

import pickle
import time
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from math import inf, isfinite
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from dse.errors import DseError, InvalidValue
from dse.processes import Pool, pool_state
from dse.search.candidate import Candidate, Evaluate, Report, Resumable
from dse.search.reports import Follower, writer
from dse.search.rungs import Gate

_LOOK = 0.3
"""Seconds between two looks at what jobs in other processes report."""


@dataclass(frozen=True)
class Job:
    """One go at a candidate.

    Attributes:
        candidate: what to evaluate.
        folder: where an evaluator that can pause keeps the candidate.
        until: the epoch after which such a one pauses; None is the end.
        gate: what stops one that cannot pause but reports.
    """

    candidate: Candidate
    folder: Path
    until: int | None = None
    gate: Gate | None = None

    @property
    def reports(self) -> Path:
        """The file through which a process beside this one tells what the candidate reports."""
        return self.folder.with_name(f"{self.folder.name}.jsonl")


@dataclass(frozen=True)
class Outcome:
    """How a job ended: metrics and history so far, or the reason why there are none.

    Of ``paused`` ones there may be more to come, ``stopped`` ones are given up, and ``killed`` ones
    took their process with them.
    """

    state: Literal["finished", "paused", "stopped", "failed", "killed"]
    values: dict[str, float]
    history: list[dict[str, float]]
    seconds: float
    reason: str = ""


class Workers(Protocol):
    """Takes jobs, gives outcomes."""

    @property
    def free(self) -> int:
        """How many more jobs may begin."""
        ...

    def submit(self, job: Job, report: Report) -> None:
        """Begin a job; one must be free."""
        ...

    def wait(self, seconds: float | None = None) -> list[tuple[Job, Outcome]]:
        """Block until at least one job ended, or for so long."""
        ...

    def close(self) -> None:
        """Give up what still runs."""
        ...


def make_workers(evaluate: Evaluate, count: int) -> Workers:
    """One worker runs here, which keeps its order and any debugger; more are processes."""
    return InProcess(evaluate) if count == 1 else Processes(evaluate, count)


class _Stopped(BaseException):
    """Passes through an evaluator to end it; none of the exceptions that one may care to catch."""


def run_one(evaluate: Evaluate, job: Job, report: Report) -> Outcome:
    """Evaluate one candidate; what goes wrong with it is its own failure, not the search's.

    Raises:
        InvalidValue: the evaluator returned no metrics at all, which no other candidate can mend.
    """
    started = time.perf_counter()
    history: list[dict[str, float]] = []
    values: dict[str, float] = {}

    def outcome(state: Literal["finished", "paused", "stopped"], seconds: float = 0) -> Outcome:
        bad = [name for name, value in values.items() if not isfinite(value)]
        if bad:
            return failed(f"the evaluator returned {bad[0]} = {values[bad[0]]}")
        return Outcome(state, values, history, seconds or time.perf_counter() - started)

    def failed(reason: str) -> Outcome:
        return Outcome("failed", {}, history, time.perf_counter() - started, reason)

    def keep(step: int, metrics: Mapping[str, float]) -> None:
        row = _numbers(metrics)
        history.append({"step": step, **row})
        report(step, metrics)
        if job.gate is not None and job.gate.stops(len(history), row):
            values.update(row)
            raise _Stopped

    try:
        if isinstance(evaluate, Resumable):
            reached = evaluate.advance(job.candidate, keep, job.until, job.folder)
            history = [dict(row) for row in reached.history]
            values = _numbers(reached.metrics)
            return outcome("finished" if reached.over else "paused", reached.seconds)
        result = evaluate(job.candidate, keep)
        if isinstance(result, Mapping):
            values = _numbers(result)
    except _Stopped:
        return outcome("stopped")
    except DseError as error:
        return failed(str(error))
    except Exception as error:
        # Any other kind too: a run that ends here would meet the same design again when resumed.
        return failed(f"{type(error).__name__}: {error}".partition("\n")[0].removesuffix(": "))
    if not isinstance(result, Mapping):
        raise InvalidValue(
            f"an evaluator must return a mapping of metrics to numbers, got {result!r}"
        )
    return outcome("finished")


def _numbers(metrics: Mapping[str, float]) -> dict[str, float]:
    return {str(name): float(value) for name, value in metrics.items()}


class InProcess:
    """Evaluates at the moment of waiting, one at a time."""

    def __init__(self, evaluate: Evaluate) -> None:
        self._evaluate = evaluate
        self._next: tuple[Job, Report] | None = None

    @property
    def free(self) -> int:
        return int(self._next is None)

    def submit(self, job: Job, report: Report) -> None:
        self._next = (job, report)

    def wait(self, seconds: float | None = None) -> list[tuple[Job, Outcome]]:
        assert self._next is not None
        job, report = self._next
        outcome = run_one(self._evaluate, job, report)
        self._next = None
        return [(job, outcome)]

    def close(self) -> None:
        self._next = None


class _Running(NamedTuple):
    """A job in a process of its own."""

    job: Job
    pool: Pool
    follower: Follower
    started: float


class Processes:
    """Evaluates in processes of their own, each a pool of one: the death of one is no other's."""

    def __init__(self, evaluate: Evaluate, count: int) -> None:
        try:
            pickle.dumps(evaluate)
        except Exception as error:
            raise InvalidValue(
                "with several workers an evaluator must be a function at the top of a module or "
                f"an object that can be pickled, got {evaluate!r}: {error}"
            ) from None
        self._evaluate = evaluate
        self._idle = [Pool(1, evaluate) for _ in range(count)]
        self._running: dict[Future[Outcome], _Running] = {}
        # Also while one is on its way from the former to the latter, where Ctrl-C may come.
        self._every = set(self._idle)

    @property
    def free(self) -> int:
        return len(self._idle)

    def submit(self, job: Job, report: Report) -> None:
        pool = self._idle.pop()
        follower = Follower(job.reports, report)
        future = pool.submit(_evaluate_here, job)
        self._running[future] = _Running(job, pool, follower, time.perf_counter())

    def wait(self, seconds: float | None = None) -> list[tuple[Job, Outcome]]:
        ended = []
        for future in self._done(seconds):
            job, pool, follower, started = self._running.pop(future)
            follower.close()
            try:
                outcome = future.result()
            except BrokenProcessPool:
                pool.close()
                self._every.remove(pool)
                pool = Pool(1, self._evaluate)
                self._every.add(pool)
                outcome = Outcome("killed", {}, [], time.perf_counter() - started)
            finally:
                self._idle.append(pool)
            ended.append((job, outcome))
        return ended

    def close(self) -> None:
        for pool in self._every:
            pool.close()
        for running in self._running.values():
            running.follower.close()
        self._idle, self._running, self._every = [], {}, set()

    def _done(self, seconds: float | None) -> set[Future[Outcome]]:
        """What has ended, as soon as something has or the time is up; reports pass meanwhile."""
        until = inf if seconds is None else time.monotonic() + seconds
        while True:
            left = max(0.0, min(_LOOK, until - time.monotonic()))
            done, _ = wait(self._running, timeout=left, return_when=FIRST_COMPLETED)
            for running in self._running.values():
                running.follower.look()
            if done or time.monotonic() >= until:
                return done


def _evaluate_here(job: Job) -> Outcome:
    return run_one(pool_state(), job, writer(job.reports))
