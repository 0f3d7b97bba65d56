"""When to learn anew what takes long to learn."""

from __future__ import annotations

_SHARE = 8


def settled(count: int) -> int:
    """How many of the first points there are to learn from: as many as when there were last an
    eighth more than the time before.

    It hangs on the number of points alone, so that a search that was resumed goes on as if it had
    not been.
    """
    found = 0
    while (more := found + max(1, found // _SHARE)) <= count:
        found = more
    return found
