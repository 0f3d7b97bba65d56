"""How many threads torch may use beside other trainings."""

from __future__ import annotations

import os

import torch

from dse.errors import InvalidValue


def threads_for(concurrent: int) -> int:
    """Threads for each of `concurrent` trainings on this machine: an equal share, at least 1.

    Small networks gain little from a second thread, so many trainings with one thread each finish
    sooner than few with many.
    """
    if concurrent < 1:
        raise InvalidValue(
            f"the number of concurrent trainings must be at least 1, got {concurrent}"
        )
    return max(1, _cores() // concurrent)


def set_threads(threads: int) -> None:
    """Let torch use `threads` threads within an operation, in this process."""
    if threads < 1:
        raise InvalidValue(f"the number of threads must be at least 1, got {threads}")
    torch.set_num_threads(threads)


def _cores() -> int:
    """Cores this process may run on, which in a container or a job are fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
