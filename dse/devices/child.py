"""What runs in the process that measures: one runtime, many networks, asked through pipes.

Each message is a pickle. The first is the device's name and the number of threads; each further one
names a method of `Served` and its arguments, and is answered by `Done` or `Refused`. The process
ends with its input, so that none is left when the process that asks is gone.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from dse.devices import find_device
from dse.devices.base import Ready, Taken
from dse.devices.energy import Energy, energy_of
from dse.devices.timing import repeat, warm_up
from dse.errors import DseError


@dataclass(frozen=True)
class Done:
    """The answer."""

    value: Any


@dataclass(frozen=True)
class Refused:
    """Why there is none, in one sentence; `ours` where it is no mistake of who asks."""

    sentence: str
    ours: bool


class Served:
    """The networks that are loaded here, by what they are called."""

    def __init__(self, device: str, threads: int) -> None:
        self._runtime = find_device(device)
        self._threads = threads
        self._open: dict[str, tuple[AbstractContextManager[Ready], Ready]] = {}

    def load(self, key: str, packed: bytes, batch: int) -> str:
        """Load a network and warm it up; returns what runs it."""
        context = self._runtime.ready(packed, batch=batch, threads=self._threads)
        ready = context.__enter__()
        self._open[key] = context, ready
        warm_up(ready.taken)
        return ready.note

    def round(self, key: str, milliseconds: float) -> list[Taken]:
        """Calls of one round."""
        return repeat(self._open[key][1].taken, milliseconds)

    def energy(self, key: str) -> Energy | None:
        """What an image takes, in joules."""
        return energy_of(self._open[key][1].call, self._runtime.processor)

    def drop(self, key: str) -> None:
        """Forget a network."""
        context, _ = self._open.pop(key)
        context.__exit__(None, None, None)


def main() -> None:
    """Answer until there are no more questions."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What libraries print must not come between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    served = Served(*pickle.load(sys.stdin.buffer))
    while True:
        try:
            method, arguments = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(_answer(served, method, arguments), answers)
        answers.flush()


def _answer(served: Served, method: str, arguments: tuple[Any, ...]) -> Done | Refused:
    try:
        return Done(getattr(served, method)(*arguments))
    except DseError as error:
        return Refused(str(error), ours=False)
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        return Refused(f"{type(error).__name__}: {reason}", ours=True)
