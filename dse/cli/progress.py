"""A search's progress: a live view in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.live import Live

from dse.cli.live import View
from dse.runs import Trial
from dse.search import Candidate, Listener

_REFRESH = 0.25
"""Seconds between two drawings of the view."""


class _Screen(Console):
    """A console on which one thread draws at a time, until what it drew is written.

    A view whose height changes is else drawn over a line that another thread prints meanwhile.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.drawing = threading.RLock()

    def print(self, *objects: Any, **options: Any) -> None:
        with self.drawing:
            super().print(*objects, **options)


class Progress(Listener):
    """Draws on stderr, so that stdout holds only the result.

    Each trial that ends leaves a line. In a terminal that can move its cursor a view stands below
    them until `close`: progress, the designs that train with their learning curves, the front.

    Args:
        run: the run's name.
        quiet: show notes alone.
        metric: what is shown of each trial.
        objectives: what the front is over.
        epochs: of a whole training, where they are known.
        time_limit: seconds after which no evaluation begins.
    """

    def __init__(
        self,
        run: str,
        *,
        quiet: bool = False,
        metric: str = "accuracy",
        objectives: Sequence[str] = ("accuracy", "params"),
        epochs: int | None = None,
        time_limit: float | None = None,
    ) -> None:
        self._metric = metric
        self._quiet = quiet
        self._console = _Screen(stderr=True, highlight=False)
        self._view = View(run, metric, objectives, epochs=epochs, time_limit=time_limit)
        self._live: Live | None = None
        self._over = threading.Event()
        if sys.stderr.isatty() and not self._console.is_dumb_terminal and not quiet:
            self._live = Live(
                self._view,
                console=self._console,
                auto_refresh=False,
                transient=True,
                # What an evaluator prints goes above the view; never from a pipe to the terminal.
                redirect_stdout=sys.stdout.isatty(),
            )

    def began(self, done: int, total: int) -> None:
        self._view.began(done, total)
        if self._live is not None:
            self._live.start(refresh=True)
            threading.Thread(target=self._refresh, args=(self._live,), daemon=True).start()

    def started(self, candidate: Candidate) -> None:
        self._view.started(candidate)

    def reported(self, candidate: Candidate, step: int, metrics: Mapping[str, float]) -> None:
        self._view.reported(candidate, step, metrics)

    def paused(self, candidate: Candidate, epochs: int) -> None:
        self._view.paused(candidate)

    def ended(self, row: Trial, front: list[Trial]) -> None:
        self._view.ended(row, front)
        if not self._quiet:
            self._say(
                f"{self._view.done:>3}/{self._view.total} trial {row.trial:<4} {self._outcome(row)}"
            )

    def note(self, text: str) -> None:
        self._say(text)

    def close(self) -> None:
        """Give the terminal back."""
        self._over.set()
        if self._live is not None:
            with self._console.drawing:
                self._live.stop()

    def _refresh(self, live: Live) -> None:
        while not self._over.wait(_REFRESH):
            with self._console.drawing:
                if not self._over.is_set():
                    live.refresh()

    def _say(self, text: str) -> None:
        self._console.print(text, soft_wrap=True, markup=False)

    def _outcome(self, row: Trial) -> str:
        if row.state == "failed":
            return f"{row.name}: failed: {row.reason}"
        value = row.values.get(self._metric)
        scored = "" if value is None else f"{self._metric} {value:.3f}  "
        early = f", stopped after {row.epochs} epochs" if row.state == "stopped" else ""
        return f"{scored}params {row.cost['params']:>9,}  {row.seconds:5.1f} s  {row.name}{early}"
