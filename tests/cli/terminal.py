"""A command in a terminal of its own, and what a person would see there."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pyte


class Terminal:
    """Runs `dse` as in a terminal window of `columns` by `rows`; stdout may go to a file instead.

    Attributes:
        shown: the screen's lines as they stand.
        raw: every byte that came.
    """

    def __init__(
        self,
        folder: Path,
        *arguments: object,
        columns: int = 100,
        rows: int = 30,
        stdout: Path | None = None,
        **environment: str,
    ) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.raw = b""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        out = stdout.open("wb") if stdout else theirs
        kept = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "dse", *map(str, arguments)],
            cwd=folder,
            env={**kept, "TERM": "xterm-256color", "OMP_NUM_THREADS": "1", **environment},
            stdin=theirs,
            stdout=out,
            stderr=theirs,
            # Ctrl-C comes from the terminal, which a session of its own needs for itself.
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(theirs)
        self._fd = ours

    @property
    def shown(self) -> list[str]:
        return [line.rstrip() for line in self._screen.display]

    @property
    def cursor_hidden(self) -> bool:
        return bool(self._screen.cursor.hidden)

    def until(self, seen: Callable[[list[str]], bool], seconds: float = 120) -> list[str]:
        """The screen at the first moment at which it is as wanted."""
        end = time.monotonic() + seconds
        while not seen(self.shown):
            assert self._read(), f"it ended, and its screen is\n{self}"
            assert time.monotonic() < end, f"its screen is still\n{self}"
        return self.shown

    def ended(self) -> int:
        """Its exit code, once it has ended by itself."""
        while self._read():
            pass
        return self._process.wait(120)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._fd, keys.encode())

    def close(self) -> None:
        """End it, whatever it is at."""
        self._process.kill()
        self._process.wait()
        os.close(self._fd)

    def __str__(self) -> str:
        return "\n".join(line for line in self.shown if line)

    def _read(self) -> bool:
        """Take what came meanwhile; false once there is nobody left to write."""
        if not select.select([self._fd], [], [], 0.2)[0]:
            return True
        try:
            got = os.read(self._fd, 65536)
        except OSError:  # Linux says so of a terminal that nobody holds any more
            return False
        self.raw += got
        self._stream.feed(got)
        return bool(got)
