"""How long the command line takes to answer."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.text import table
from benchmarks.timing import side_by_side

_COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "dse --help": ["-m", "dse", "--help"],
    "dse list": ["-m", "dse", "list"],
    "dse cost squeezenet": ["-m", "dse", "cost", "squeezenet"],
    "python -c 'import torch'": ["-c", "import torch"],
}


def main() -> None:
    """Each command in a process of its own."""
    print("starting: seconds of wall time, each command a process of its own\n")

    def start(arguments: list[str]) -> object:
        return subprocess.run([sys.executable, *arguments], capture_output=True, check=True)

    times = side_by_side({n: lambda a=a: start(a) for n, a in _COMMANDS.items()}, rounds=9)
    torch = "python -c 'import torch'"
    rows = [(n, f"{times.median(n):.3f}", str(times.ratio(n, torch))) for n in _COMMANDS]
    table(("command", "seconds", "share of import torch"), rows)
