"""Whole trials of a search, each from the start of its process, beside the plain way to train."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from PIL import Image

from benchmarks.text import table
from benchmarks.timing import Times
from dse.data import load_dataset
from dse.data.folder import list_folder
from dse.data.places import shared_data
from dse.emit import emit
from dse.presets import load_preset
from dse.recipes import recipe

_EPOCHS = 4
_ROUNDS = 3
_CIFAR10 = 1000  # images, of which 700 are trained on

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
_COMMANDS = {"dse": ["-c", _DSE], "plain": ["-m", "benchmarks.plain"]}
_SETTINGS = {
    "epochs",
    "batch_size",
    "learning_rate",
    "weight_decay",
    "warmup_epochs",
    "label_smoothing",
}


@dataclass
class Task:
    """A trial that both sides do: the same network, image files, division and recipe.

    `said` is what a process of each contestant printed last.
    """

    name: str
    file: Path
    cache: Path
    images: int
    said: dict[str, str] = field(default_factory=dict)

    def seconds(self, contestant: str, trials: int) -> float:
        """Wall time of so many trials at once, each in a process of its own.

        No image has been decoded before: a search does that once for all its trials.
        """
        shutil.rmtree(self.cache, ignore_errors=True)
        command = [sys.executable, *_COMMANDS[contestant], str(self.file)]
        environment = {**os.environ, "DSE_CACHE": str(self.cache)}
        started = perf_counter()
        running = [
            subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
            for _ in range(trials)
        ]
        for process in running:
            out, _ = process.communicate()
            if process.returncode:
                sys.exit(f"error: a trial of {contestant} failed")
            self.said[contestant] = out.splitlines()[-1]
        return perf_counter() - started


def main() -> None:
    """Each network's trial alone, and two of them side by side."""
    print(
        f"whole trials from the start of the process to its end: {_EPOCHS} epochs of the recipe\n"
        "quick, from image files; images/s count those trained on over the time of everything\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        tasks = [_covid(Path(folder) / "covid"), _cifar10(Path(folder) / "cifar10")]
        rows = [row for task in tasks for trials in (1, 2) for row in _rows(task, trials)]
    table(("network", "trials", "way", "s", "images/s", "times faster than plain"), rows)
    for task in tasks:
        for contestant, said in task.said.items():
            print(f"{task.name}, {contestant}: validation {said}")
    print()


def _rows(task: Task, trials: int) -> list[tuple[str, ...]]:
    taken: dict[str, list[float]] = {contestant: [] for contestant in _COMMANDS}
    order = list(_COMMANDS)
    for number in range(_ROUNDS):
        turn = number % len(order)
        for contestant in order[turn:] + order[:turn]:
            taken[contestant].append(task.seconds(contestant, trials))
    times = Times(taken)
    return [
        (
            task.name,
            str(trials),
            contestant,
            f"{times.median(contestant):.1f}",
            f"{trials * task.images * _EPOCHS / times.median(contestant):,.0f}",
            "" if contestant == "plain" else str(times.ratio("plain", contestant)),
        )
        for contestant in order
    ]


def _covid(folder: Path) -> Task:
    """The X-rays as they come, JPEG files of 128 pixels, at half that size."""
    places = shared_data()
    root = places / "covid-xray-128" if places is not None else None
    if root is None or not root.is_dir():
        sys.exit("error: the benchmark trial needs covid-xray-128 in $DSE_DATA")
    return _task(folder, "spp-covid-net", root, 64)


def _cifar10(folder: Path) -> Task:
    """Some of the CIFAR-10 images that this machine has, written as PNG files."""
    data = load_dataset("cifar10")
    some = zip(data.images[:_CIFAR10], data.labels[:_CIFAR10], strict=True)
    for number, (image, label) in enumerate(some):
        path = folder / "images" / data.classes[label] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    return _task(folder, "hybrid-mobilenet", folder / "images", 32)


def _task(folder: Path, name: str, root: Path, size: int) -> Task:
    data = load_dataset(root, image_size=size)
    files = [str(root / row.file) for row in list_folder(root).rows]
    if len(files) != len(data.labels):
        sys.exit(f"error: the benchmark trial needs images that can all be read, in {root}")
    split = data.splits()
    pixels = data.images[split.train].reshape(-1, data.channels) / 255
    mean, std = pixels.mean(axis=0).tolist(), pixels.std(axis=0).tolist()
    quick = recipe("quick", epochs=_EPOCHS)
    network = load_preset(name, classes=len(data.classes), input=f"3x{size}x{size}")
    folder.mkdir(parents=True, exist_ok=True)
    module = folder / "network.py"
    module.write_text(emit(network))
    task = {
        "root": str(root),
        "size": size,
        "design": json.loads(network.to_json()),
        "module": str(module),
        "classes": network.classes,
        "train": [(files[i], int(data.labels[i])) for i in split.train],
        "val": [(files[i], int(data.labels[i])) for i in split.val],
        "mean": mean * (3 // data.channels),
        "std": std * (3 // data.channels),
        "shift": quick.augment.shift,
        **quick.model_dump(include=_SETTINGS),
    }
    file = folder / "task.json"
    file.write_text(json.dumps(task))
    return Task(name, file, folder / "cache", len(split.train))
