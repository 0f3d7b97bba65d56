"""What evaluations in other processes report, on its way to this one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from dse.search.candidate import Report


def writer(path: Path) -> Report:
    """A report that adds a line to a file, which a `Follower` in another process reads.

    A file, since a process may be killed at any moment: a queue would be left locked by it. Where
    it cannot be written, the evaluation goes on unheard.
    """

    def report(step: int, metrics: Mapping[str, float]) -> None:
        line = json.dumps({"step": step, "metrics": {k: float(v) for k, v in metrics.items()}})
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")

    return report


class Follower:
    """Passes on what is added to a file of reports."""

    def __init__(self, path: Path, report: Report) -> None:
        self._path = path
        self._report = report
        self._read = 0
        path.unlink(missing_ok=True)  # an earlier process was killed at the same candidate

    def look(self) -> None:
        """Pass on the reports that are new; half a line waits for its other half."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._read)
                added = file.read()
        except OSError:
            return
        whole = added[: added.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            said = json.loads(line)
            self._report(said["step"], said["metrics"])

    def close(self) -> None:
        """Pass on the last reports and remove the file."""
        self.look()
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
