"""Call again and again: until it has warmed up, and then for the record."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from dse.devices.base import Taken

_WINDOW_CALLS = 5
_WINDOW_MS = 20.0
_SETTLED = 0.05
"""A window's median is within this part of the one before."""
_LONGEST_MS = 2000.0
"""A machine whose times never settle is measured as it is; the interval will say so."""


def timed_by_processor(call: Callable[[], object]) -> Callable[[], Taken]:
    """Times calls on the wall and by the time that this process has a processor."""

    def taken() -> Taken:
        wall, processor = time.perf_counter(), time.process_time()
        call()
        # The clock on the wall is within the other: it is the one that costs next to nothing.
        processor = time.process_time() - processor
        return Taken(1e3 * (time.perf_counter() - wall), 1e3 * processor)

    return taken


def threads_note(threads: int) -> str:
    """As notes have it."""
    return "1 thread" if threads == 1 else f"{threads} threads"


def warm_up(taken: Callable[[], Taken]) -> int:
    """Call until the median of the last calls has settled, at most about two seconds long.

    The first call is left aside: it may compile, allocate, or wait for a file.

    Returns:
        the number of calls.
    """
    taken()
    calls, spent = 1, 0.0
    before: float | None = None
    while spent < _LONGEST_MS:
        window: list[float] = []
        while len(window) < _WINDOW_CALLS or sum(window) < _WINDOW_MS:
            now = taken()
            window.append(now.processor)
            spent += now.wall
            calls += 1
            if spent >= _LONGEST_MS:
                return calls
        median = statistics.median(window)
        if before is not None and abs(median - before) <= _SETTLED * before:
            return calls
        before = median
    return calls


def repeat(taken: Callable[[], Taken], milliseconds: float) -> list[Taken]:
    """Call for so long, at least once; one call before does not count, which finds caches cold."""
    taken()
    counted: list[Taken] = []
    spent = 0.0
    while not counted or spent < milliseconds:
        counted.append(taken())
        spent += counted[-1].wall
    return counted
