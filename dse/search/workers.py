"""Where candidates are evaluated: in this process, or in several beside it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any, Protocol

from dse.errors import DseError
from dse.search.candidate import Candidate, Concurrent, Evaluate, Report


@dataclass(frozen=True)
class Outcome:
    """How an evaluation ended: metrics and history, or the reason why there are none."""

    values: dict[str, float]
    history: list[dict[str, float]]
    seconds: float
    reason: str = ""


class Workers(Protocol):
    """Takes candidates, gives outcomes."""

    free: int

    def submit(self, candidate: Candidate, report: Report) -> None:
        """Begin an evaluation; only while `free` is above 0."""
        ...

    def wait(self) -> list[tuple[Candidate, Outcome]]:
        """Block until at least one evaluation ended."""
        ...

    def close(self) -> None:
        """Give up what still runs."""
        ...


def make_workers(evaluate: Evaluate, count: int) -> Workers:
    """One worker runs here, which keeps its order and any debugger; more are processes."""
    shared = evaluate.concurrent(count) if isinstance(evaluate, Concurrent) else evaluate
    return InProcess(shared) if count == 1 else Processes(shared, count)


def run_one(evaluate: Evaluate, candidate: Candidate, report: Report) -> Outcome:
    """Evaluate one candidate; what goes wrong with it is its own failure, not the search's."""
    started = time.perf_counter()
    history: list[dict[str, float]] = []

    def keep(step: int, metrics: Mapping[str, float]) -> None:
        history.append({"step": step, **{name: float(value) for name, value in metrics.items()}})
        report(step, metrics)

    values: dict[str, float] = {}
    reason = ""
    try:
        values = {name: float(value) for name, value in evaluate(candidate, keep).items()}
    except DseError as error:
        reason = str(error)
    except (MemoryError, RuntimeError, ArithmeticError, ValueError) as error:
        # torch reports what a network cannot do, or a full memory, as RuntimeError.
        reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    bad = [name for name, value in values.items() if value != value or abs(value) == float("inf")]
    if bad:
        reason, values = f"the evaluator returned {bad[0]} = not a finite number", {}
    return Outcome(values, history, time.perf_counter() - started, reason)


class InProcess:
    """Evaluates at the moment of waiting, one at a time."""

    def __init__(self, evaluate: Evaluate) -> None:
        self.free = 1
        self._evaluate = evaluate
        self._next: tuple[Candidate, Report] | None = None

    def submit(self, candidate: Candidate, report: Report) -> None:
        self._next = (candidate, report)
        self.free = 0

    def wait(self) -> list[tuple[Candidate, Outcome]]:
        assert self._next is not None
        candidate, report = self._next
        outcome = run_one(self._evaluate, candidate, report)
        self._next, self.free = None, 1
        return [(candidate, outcome)]

    def close(self) -> None:
        self._next, self.free = None, 1


class Processes:
    """Evaluates in processes of their own. They are spawned, so nothing of this process leaks into
    them.
    """

    def __init__(self, evaluate: Evaluate, count: int) -> None:
        self.free = count
        self._running: dict[Future[Outcome], Candidate] = {}
        self._pool = ProcessPoolExecutor(
            count,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin,
            initargs=(evaluate, os.getpid()),
        )

    def submit(self, candidate: Candidate, report: Report) -> None:
        self._running[self._pool.submit(_evaluate_here, candidate)] = candidate
        self.free -= 1

    def wait(self) -> list[tuple[Candidate, Outcome]]:
        done, _ = wait(self._running, return_when=FIRST_COMPLETED)
        ended = []
        for future in done:
            candidate = self._running.pop(future)
            self.free += 1
            try:
                ended.append((candidate, future.result()))
            except BrokenProcessPool:
                raise DseError(
                    f"the process training trial {candidate.trial} was killed, most likely for "
                    "want of memory; use fewer --workers, and --resume"
                ) from None
        return ended

    def close(self) -> None:
        for process in list((self._pool._processes or {}).values()):
            process.terminate()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._running.clear()


_state: dict[str, Any] = {}


def _begin(evaluate: Evaluate, parent: int) -> None:
    """Set up a worker: keep the evaluator, leave Ctrl-C to the parent, and die with it."""
    _state["evaluate"] = evaluate
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: int) -> None:
    """End this process when its parent is gone, however that was killed."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _evaluate_here(candidate: Candidate) -> Outcome:
    return run_one(_state["evaluate"], candidate, lambda step, metrics: None)
