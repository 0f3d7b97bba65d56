"""Progress bars on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


def bars(console: Console, *more: ProgressColumn, quiet: bool, period: float) -> Progress:
    """Bars with an estimate, in a terminal alone.

    Args:
        console: where they are drawn.
        more: what stands behind each.
        quiet: draw nothing.
        period: seconds over which speed is taken.
    """
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        *more,
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
        speed_estimate_period=period,
    )


@contextmanager
def bar(title: str, *, quiet: bool = False) -> Iterator[Callable[[float], None]]:
    """A bar on stderr; takes the share that is done."""
    with bars(Console(stderr=True), quiet=quiet, period=600) as progress:
        task = progress.add_task(title, total=1.0)
        yield lambda share: progress.update(task, completed=share)
