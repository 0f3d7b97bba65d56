"""Processes beside this one: they leave Ctrl-C to it and die with it, however it ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Pool:
    """Runs calls in `count` processes, spawned so that nothing of this one leaks into them."""

    def __init__(self, count: int, state: Any = None) -> None:
        self._pool = ProcessPoolExecutor(
            count,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin,
            initargs=(os.getpid(), state),
        )

    def submit(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a module's function in one of the processes."""
        with _ctrl_c_later():
            return self._pool.submit(call, *args, **kwargs)

    def close(self) -> None:
        """End the processes, whatever they are at."""
        for process in list((self._pool._processes or {}).values()):
            process.terminate()
        self._pool.shutdown(wait=True, cancel_futures=True)


_state: list[Any] = []


def pool_state() -> Any:
    """In a process of a pool: what the pool was given."""
    return _state[0]


@contextmanager
def _ctrl_c_later() -> Iterator[None]:
    """Block SIGINT: a process spawned meanwhile never gets it, and this one gets it afterwards.

    Without it Ctrl-C in the second that a process takes to import torch prints its traceback.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # Begun by the first spawn otherwise, which would unblock the signal.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(parent: int, state: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()
    _state[:] = [state]


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
