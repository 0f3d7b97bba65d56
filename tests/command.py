"""The `dse` command in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ON_ONE_CORE = """
import os, runpy
if hasattr(os, "sched_setaffinity"):
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[os.getpid() % len(cores)]})
runpy.run_module("dse", run_name="__main__", alter_sys=True)
"""


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def subprocess_dse(folder: Path, *arguments: object, **environment: str) -> Said:
    """Runs a command line in `folder`, on one core: trainings of tests stand beside others."""
    done = subprocess.run(
        [sys.executable, "-c", ON_ONE_CORE, *map(str, arguments)],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    return Said(done.returncode, done.stdout, done.stderr)
