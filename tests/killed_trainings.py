"""Trainings that are killed again and again, and what comes of them: ``python -m`` this FOLDER.

A process of its own, which imports torch once and forks for every training: only a child is killed,
by SIGKILL, and no `finally` of it runs. Prints, as JSON, one document for each scenario.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook

from dse.errors import DataError
from dse.recipes import Recipe, recipe
from dse.runtime.train import checkpoint as checkpoints
from dse.runtime.train import fit, seeded
from dse.runtime.train.tune import Tune
from tests.trainings import CLASSES, TRAIN, VAL

AUGMENT = {"shift": 0.1, "rotate_degrees": 10, "brightness": 0.1, "erase": 0.3}
CHANGED: dict[str, dict[str, Any]] = {
    "adam": {"optimizer": "adam", "augment": AUGMENT},
    "sgd": {"optimizer": "sgd", "learning_rate": 0.05, "clip_grad_norm": 1.0},
    "radam": {"optimizer": "radam", "early_stopping": 2, "epochs": 12, "learning_rate": 0.1},
    "found": {"optimizer": "adamw", "find_learning_rate": True, "balance": "sampling"},
    "gradual": {"optimizer": "adam", "epochs": 9, "learning_rate": 0.01},
}
RECIPES = {
    name: recipe("quick", **{"epochs": 4, "batch_size": 38, **changed})
    for name, changed in CHANGED.items()
}

Moment = Callable[[], None]


def main() -> None:
    """Run all scenarios in a folder, and print what was seen."""
    torch.set_num_threads(1)
    for late in ("kornia", "torch._dynamo"):  # here, once, not in each child
        import_module(late)
    folder = Path(sys.argv[1])
    print(json.dumps({name: scenario(folder / name, name) for name in RECIPES}))


def scenario(folder: Path, name: str) -> dict[str, Any]:
    """One training left alone, and the same one killed on its way."""
    folder.mkdir()
    taken = -time.perf_counter()
    assert forked(lambda: train(name, None, folder / "alone.pt")) == 0
    taken += time.perf_counter()
    kept = folder / "kept"
    kills = 0
    if name == "adam":
        # Its first moment, its second, and so on: each child gets a little further.
        while forked(lambda n=kills: train(name, kept, folder / "killed.pt", die_at(n + 1))):
            kills += 1
    else:
        for share in (0.3, 0.9, 0.5, 0.7):
            kills += bool(forked(lambda: train(name, kept, folder / "killed.pt"), share * taken))
        # Twice within an epoch that is known to be there, and once while it is saved.
        for moment in (2, 5, 11):
            kills += bool(
                forked(lambda n=moment: train(name, kept, folder / "killed.pt", die_at(n)))
            )
    assert forked(lambda: train(name, kept, folder / "killed.pt")) == 0
    alone = torch.load(folder / "alone.pt", weights_only=True)
    killed = torch.load(folder / "killed.pt", weights_only=True)
    return {
        "kills": kills,
        "left": sorted(path.name for path in kept.iterdir()),
        "epochs": len(alone["history"]),
        "weights": all(
            torch.equal(value, killed["weights"][key]) for key, value in alone["weights"].items()
        ),
        "history": alone["history"] == killed["history"],
        "metrics": alone["metrics"] == killed["metrics"],
    } | ({"full": full_disk(folder, name)} if name == "adam" else {})


def full_disk(folder: Path, name: str) -> dict[str, Any]:
    """The same training, whose files may suddenly hold no more than a kilobyte."""
    kept, said = folder / "full", folder / "said.txt"

    def limited() -> None:
        def limit(epoch: int, metrics: object) -> None:
            if epoch == 2:
                resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))

        try:
            train(name, kept, folder / "full.pt", report=limit)
        except DataError as error:
            said.write_text(str(error))

    assert forked(limited) == 0
    left = sorted(path.name for path in kept.iterdir())
    assert forked(lambda: train(name, kept, folder / "full.pt")) == 0
    alone = torch.load(folder / "alone.pt", weights_only=True)
    resumed = torch.load(folder / "full.pt", weights_only=True)
    return {
        "said": said.read_text(),
        "left": left,
        "weights": all(
            torch.equal(value, resumed["weights"][key]) for key, value in alone["weights"].items()
        ),
    }


def network() -> nn.Module:
    """Dropout and fractional pooling draw from torch's global generator."""
    with seeded(0):
        return nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.FractionalMaxPool2d(2, output_ratio=0.6),
            nn.Conv2d(8, 8, 3, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(0.2),
            nn.Linear(8, CLASSES),
        )


def train(
    name: str,
    kept: Path | None,
    result: Path,
    moment: Moment = lambda: None,
    report: Callable[[int, object], None] | None = None,
) -> None:
    """Train, with `moment` called at every step and at every turn of the writing of files."""
    register_optimizer_step_post_hook(lambda *_: moment())
    if kept is not None:
        watch_files(str(kept), moment)
    chosen: Recipe = RECIPES[name]
    tune: Tune = "gradual" if name == "gradual" else "all"
    model = network()
    fitted = fit(
        model, TRAIN, VAL, chosen, classes=CLASSES, checkpoint=kept, tune=tune, report=report
    )
    state = {
        "weights": model.state_dict(),
        "history": fitted.history,
        "metrics": fitted.metrics,
    }
    torch.save(state, result)


def watch_files(folder: str, moment: Moment) -> None:
    """Call `moment` before files of the folder are opened, renamed and removed, and amid writes."""

    def happens(event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("open", "os.rename", "os.remove") and str(arguments[0]).startswith(folder):
            moment()

    def halting(path: Path, content: bytes | memoryview) -> None:
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
            file.flush()
            moment()
        write(path, content)

    write = checkpoints._write
    checkpoints._write = halting
    sys.addaudithook(happens)


def die_at(number: int) -> Moment:
    """A moment whose `number`-th call is the process's end."""
    calls = 0

    def moment() -> None:
        nonlocal calls
        calls += 1
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)

    return moment


def forked(work: Callable[[], None], seconds: float | None = None) -> int:
    """Do something in a child, killed after some seconds; 0 if it ended well, -9 if killed."""
    child = os.fork()
    if not child:
        try:
            work()
            os._exit(0)
        finally:
            sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
            os._exit(1)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL), f"a training failed by itself: exit code {code}"
    return code


if __name__ == "__main__":
    main()
