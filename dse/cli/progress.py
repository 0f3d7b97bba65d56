"""A search's progress: a bar with the best so far in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar

from dse.cost import Budget
from dse.runs import Trial
from dse.search import Candidate, Listener


class Progress(Listener):
    """Draws on stderr, so that stdout holds only the result."""

    def __init__(
        self, run: str, budget: Budget, *, quiet: bool = False, metric: str = "accuracy"
    ) -> None:
        self._run = run
        self._metric = metric
        self._live = sys.stderr.isatty() and not quiet
        self._quiet = quiet
        self._console = Console(stderr=True, highlight=False)
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[best]}"),
            console=self._console,
            transient=True,
            disable=not self._live,
        )
        self._task = self._bar.add_task(run, total=None, best="")
        self._total = 0
        self._done = 0

    def began(self, done: int, total: int) -> None:
        self._total, self._done = total, done
        self._bar.update(self._task, total=total, completed=done)
        self._bar.start()

    def reported(self, candidate: Candidate, step: int, metrics: Mapping[str, float]) -> None:
        value = metrics.get(self._metric)
        if value is not None:
            self._bar.update(self._task, description=f"{candidate.name} epoch {step}: {value:.3f}")

    def ended(self, row: Trial, front: list[Trial]) -> None:
        self._done += 1
        if front:
            best = front[0]
            value = best.values.get(self._metric, 0.0)
            text = f"best {value:.3f} with {best.cost['params']:,} parameters"
            self._bar.update(self._task, best=text)
        self._bar.update(self._task, completed=self._done, description=self._run)
        line = f"{self._done:>3}/{self._total} trial {row.trial:<4} {self._outcome(row)}"
        if self._done >= self._total:
            self._bar.stop()
        if not self._quiet:
            self._console.print(line, soft_wrap=True, markup=False)

    def note(self, text: str) -> None:
        self._bar.stop()
        self._console.print(text, soft_wrap=True, markup=False)

    def close(self) -> None:
        """Give the terminal back."""
        self._bar.stop()

    def _outcome(self, row: Trial) -> str:
        if row.state == "failed":
            return f"{row.name}: failed: {row.reason}"
        value = row.values.get(self._metric)
        scored = "" if value is None else f"{self._metric} {value:.3f}  "
        early = f", stopped after {row.epochs} epochs" if row.state == "stopped" else ""
        return f"{scored}params {row.cost['params']:>9,}  {row.seconds:5.1f} s  {row.name}{early}"
