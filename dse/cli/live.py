"""A search as it stands, for its live view: what it was told, and how long it will take."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum

from rich.console import Console, ConsoleOptions, RenderResult

from dse.cli.live_rows import Row, draw
from dse.runs import COST_KEYS, Trial
from dse.search import Candidate


@dataclass
class Course:
    """A candidate that is not over: since when it runs, and its metric after each step so far."""

    candidate: Candidate
    since: float = 0.0
    steps: dict[int, float] = field(default_factory=dict)


class View:
    """What a terminal shows of a search; rich draws it anew several times a second.

    It is told and drawn in different threads.

    Args:
        run: the run's name.
        metric: what learning curves are of.
        objectives: what the front is over, the most important first.
        epochs: of a whole training, where they are known.
        time_limit: seconds after which no evaluation begins.
        clock: seconds of a clock that never goes back.
    """

    def __init__(
        self,
        run: str,
        metric: str,
        objectives: Sequence[str],
        *,
        epochs: int | None = None,
        time_limit: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.run = run
        self.metric = metric
        self.aims = " and ".join(objectives)
        self.costs = [o for o in objectives if o in COST_KEYS or o == "latency_ms"] or ["params"]
        self.done = 0
        self.total = 0
        self._before = 0
        self._epochs = epochs
        self._limit = time_limit
        self._clock = clock
        self._lock = threading.RLock()  # Ctrl-C may come while it is held
        self._began = clock()
        self._running: dict[int, Course] = {}
        self._paused: dict[int, Course] = {}
        self._front: list[Trial] = []

    # -- what it is told

    def began(self, done: int, total: int) -> None:
        """The same as `Listener.began`, as are those below."""
        with self._lock:
            self._began = self._clock()
            self._before = self.done = done
            self.total = total

    def started(self, candidate: Candidate) -> None:
        with self._lock:
            course = self._paused.pop(candidate.trial, None) or Course(candidate)
            course.since = self._clock()
            self._running[candidate.trial] = course

    def reported(self, candidate: Candidate, step: int, metrics: Mapping[str, float]) -> None:
        with self._lock:
            course = self._running.get(candidate.trial)
            if course is not None and self.metric in metrics:
                course.steps[step] = metrics[self.metric]

    def paused(self, candidate: Candidate) -> None:
        with self._lock:
            course = self._running.pop(candidate.trial, None) or Course(candidate)
            self._paused[candidate.trial] = course

    def ended(self, row: Trial, front: Sequence[Trial]) -> None:
        with self._lock:
            self._running.pop(row.trial, None)
            self._paused.pop(row.trial, None)
            self.done += 1
            self._front = list(front)

    # -- what it shows

    @property
    def spent(self) -> float:
        """Seconds since the search began, or went on."""
        return self._clock() - self._began

    @property
    def waiting(self) -> int:
        """How many designs wait at a rung."""
        return len(self._paused)

    @property
    def left(self) -> tuple[float, bool] | None:
        """Seconds to the end by how long designs took so far, those not over counted in part; and
        whether it is the time limit that comes first. None while neither is known.
        """
        under_way = [*self._running.values(), *self._paused.values()]
        work = self.done - self._before + fsum(self._share(course) for course in under_way)
        limit = None if self._limit is None else max(0.0, self._limit - self.spent)
        if work > 0:
            left = self.spent / work * max(0.0, self.total - self._before - work)
            if limit is None or left < limit:
                return left, False
        return None if limit is None else (limit, True)

    def rows(self) -> tuple[list[Row], list[Row]]:
        """What runs, and the front."""
        running = [
            Row(
                course.candidate.trial,
                course.candidate.name,
                list(course.steps.values()),
                max(course.steps, default=0),
                [getattr(course.candidate.cost, name) for name in self.costs],
                self._clock() - course.since,
            )
            for course in self._running.values()
        ]
        front = [
            Row(
                row.trial,
                row.name,
                [step[self.metric] for step in row.history if self.metric in step]
                or [row.values[name] for name in (self.metric,) if name in row.values],
                row.epochs,
                [row.objective(name) for name in self.costs],
                row.seconds,
            )
            for row in self._front
        ]
        return running, front

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        with self._lock:
            yield draw(self, options.max_width, console.size.height, options.ascii_only)

    def _share(self, course: Course) -> float:
        if not self._epochs or not course.steps:
            return 0.0
        return min(1.0, max(course.steps) / self._epochs)
