"""Where candidates are evaluated: in this process, or in several beside it."""

from __future__ import annotations

import pickle
import time
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from math import isfinite
from typing import Protocol

from dse.errors import DseError, InvalidValue
from dse.processes import Pool, pool_state
from dse.search.candidate import Candidate, Evaluate, Report


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
    return InProcess(evaluate) if count == 1 else Processes(evaluate, count)


def run_one(evaluate: Evaluate, candidate: Candidate, report: Report) -> Outcome:
    """Evaluate one candidate; what goes wrong with it is its own failure, not the search's.

    Raises:
        InvalidValue: the evaluator returned no metrics at all, which no other candidate can mend.
    """
    started = time.perf_counter()
    history: list[dict[str, float]] = []

    def keep(step: int, metrics: Mapping[str, float]) -> None:
        history.append({"step": step, **{name: float(value) for name, value in metrics.items()}})
        report(step, metrics)

    values: dict[str, float] = {}
    reason = ""
    try:
        result = evaluate(candidate, keep)
        if isinstance(result, Mapping):
            values = {str(name): float(value) for name, value in result.items()}
    except DseError as error:
        reason = str(error)
    except Exception as error:
        # Any other kind too: a run that ends here would meet the same design again when resumed.
        reason = f"{type(error).__name__}: {error}".partition("\n")[0].removesuffix(": ")
    else:
        if not isinstance(result, Mapping):
            raise InvalidValue(
                f"an evaluator must return a mapping of metrics to numbers, got {result!r}"
            )
    bad = [name for name, value in values.items() if not isfinite(value)]
    if bad:
        reason, values = f"the evaluator returned {bad[0]} = {values[bad[0]]}", {}
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
    """Evaluates in processes of their own."""

    def __init__(self, evaluate: Evaluate, count: int) -> None:
        try:
            pickle.dumps(evaluate)
        except Exception as error:
            raise InvalidValue(
                "with several workers an evaluator must be a function at the top of a module or "
                f"an object that can be pickled, got {evaluate!r}: {error}"
            ) from None
        self.free = count
        self._running: dict[Future[Outcome], Candidate] = {}
        self._pool = Pool(count, evaluate)

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
        self._pool.close()
        self._running.clear()


def _evaluate_here(candidate: Candidate) -> Outcome:
    return run_one(pool_state(), candidate, lambda step, metrics: None)
