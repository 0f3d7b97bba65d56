"""Calibrate this machine: write a pack, run it in a process of its own, read what it says."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from dse.devices import runner
from dse.devices.pack import write_pack
from dse.devices.results import import_results
from dse.errors import DseError
from dse.latency.profile import Profile, check_name

MINUTES = 7.0
"""Of measuring, after half a minute of preparation."""

_PREPARATION = 0.12
"""The share of the whole that writing the pack takes."""

Progress = Callable[[float], None]
"""Told the share of the work that is done."""


class FailedCalibration(DseError):
    """The process that measures ended without results."""


def calibrate(
    name: str | None = None,
    *,
    minutes: float = MINUTES,
    threads: int = 1,
    progress: Progress = lambda done: None,
) -> Profile:
    """Measure this machine, as a pack is measured elsewhere.

    ONNX Runtime runs in a process of its own, where no other library's threads disturb it. After
    Ctrl-C the profile is of what was measured until then, if every network had its turn.

    Args:
        name: of the profile; made of the processor's name if not given.
        minutes: how long to measure. Each network has its turn at least once, however long that
            takes.
        threads: of ONNX Runtime.
        progress: see `Progress`.

    Raises:
        InvalidValue: the name is none for a profile.
        FailedCalibration: the process ended without results; says its last words.
        KeyboardInterrupt: Ctrl-C came before every network had its turn.
    """
    if name is not None:
        check_name(name)
    with tempfile.TemporaryDirectory(prefix="dse-calibrate-") as place:
        folder = Path(place) / "pack"
        write_pack(folder, lambda done: progress(_PREPARATION * done))
        _run(folder, minutes, threads, progress)
        return import_results(folder / runner.RESULTS, name)


def _run(folder: Path, minutes: float, threads: int, progress: Progress) -> None:
    options = ["--minutes", str(minutes), "--threads", str(threads)]
    with (
        (folder / "errors").open("w+", encoding="utf-8") as errors,
        subprocess.Popen(
            [sys.executable, str(folder / "runner.py"), str(folder), *options],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            # Ctrl-C is for this process, which passes it on once.
            start_new_session=True,
        ) as child,
    ):
        assert child.stdout is not None
        interrupted = False
        try:
            _follow(child.stdout, progress)
        except KeyboardInterrupt:
            interrupted = True
            child.send_signal(signal.SIGINT)
            child.stdout.read()
        except BaseException:
            child.kill()
            raise
        code = child.wait()
        if code and interrupted:
            raise KeyboardInterrupt
        if code:
            errors.seek(0)
            words = errors.read().strip().splitlines() or [f"exit code {code}"]
            raise FailedCalibration(f"measuring ended without results: {words[-1]}")


def _follow(lines: IO[str], progress: Progress) -> None:
    for line in lines:
        if percent := re.match(r"\d+(?= %)", line):
            progress(_PREPARATION + (1 - _PREPARATION) * int(percent[0]) / 100)
