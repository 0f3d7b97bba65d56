"""Whole trials of a search, each from the start of its process, beside the plain way to train."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from PIL import Image

from benchmarks.text import table
from benchmarks.timing import Times, in_turn
from dse.data import load_dataset
from dse.data.folder import list_folder
from dse.data.places import shared_data
from dse.emit import emit
from dse.presets import load_preset
from dse.recipes import recipe

_EPOCHS = 5
_ROUNDS = 3

_DSE = """
import json, sys
from types import SimpleNamespace
from dse.network import read_network
from dse.recipes import recipe
from dse.runtime.evaluate import Train
task = json.load(open(sys.argv[1]))
train = Train(task["root"], recipe("quick", epochs=task["epochs"]), image_size=task["size"])
candidate = SimpleNamespace(network=read_network(task["design"]))
metrics = train(candidate, lambda epoch, metrics: None)
print(f"accuracy {metrics['accuracy']:.3f} loss {metrics['loss']:.3f}")
"""
_COMMANDS = {
    "dse": ["-c", _DSE],
    "dse, images not decoded yet": ["-c", _DSE],
    "plain": ["-m", "benchmarks.plain"],
}


@dataclass
class Task:
    """A trial that both sides do: the same network, images, division and recipe.

    `said` is what a process of each contestant printed last.
    """

    name: str
    file: Path
    cache: Path
    images: int
    said: dict[str, str] = field(default_factory=dict)

    def run(self, contestant: str, trials: int) -> Callable[[], None]:
        """Starts so many trials at once, each in a process of its own, and waits for all."""
        command = [sys.executable, *_COMMANDS[contestant], str(self.file)]
        environment = {**os.environ, "DSE_CACHE": str(self.cache)}

        def run() -> None:
            running = [
                subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
                for _ in range(trials)
            ]
            for process in running:
                out, _ = process.communicate()
                if process.returncode:
                    sys.exit(f"error: a trial of {contestant} failed")
                self.said[contestant] = out.splitlines()[-1]

        return run


def main() -> None:
    """Each network's trial alone, and two of them side by side."""
    print(
        f"whole trials from the start of the process: {_EPOCHS} epochs of the recipe quick, images\n"
        "read from files; images/s are images trained on over the time of everything\n"
    )
    rows, notes = [], []
    with tempfile.TemporaryDirectory() as folder:
        for task in (_covid(Path(folder)), _cifar10(Path(folder))):
            for trials in (1, 2):
                ...
    table(("network", "trials", "dse", "plain", "times faster"), rows)
