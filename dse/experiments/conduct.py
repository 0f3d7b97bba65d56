"""Carry an experiment out: every cell once, in this process or in several beside it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from dse.atomic import write_atomically
from dse.errors import DataError, DseError, InvalidValue
from dse.experiments.cell import LIVE, Cell, Result
from dse.experiments.experiment import FILE, Experiment, open_experiment
from dse.experiments.inference import measure
from dse.experiments.machine import machine
from dse.experiments.plan import Plan
from dse.experiments.prepare import Asked, Prepared, prepare
from dse.experiments.training import Trainer
from dse.processes import Pool
from dse.runs import check_run_name, runs_folder
from dse.version import dse_version

_LOOK = 0.3
"""Seconds between two looks at how far the cells of other processes are."""


class Listener:
    """Hears of an experiment's progress. This one is deaf; the command line's draws."""

    def prepared(self, prepared: Prepared) -> None:
        """Everything fits; nothing trains yet."""

    def began(self, experiment: Experiment) -> None:
        """Some cells may be done already."""

    def reported(self, cell: Cell, epoch: int, metrics: Mapping[str, float]) -> None:
        """A cell has come so far."""

    def ended(self, result: Result) -> None:
        """A cell has ended, one way or the other."""

    def note(self, text: str) -> None:
        """Something worth a line."""

    def close(self) -> None:
        """No more will be heard."""


@dataclass
class Conductor:
    """Carries one experiment out. What has finished is on disk at any moment.

    Attributes:
        name: the experiment's, a folder below ``runs``.
        asked: what is wanted.
        resume: whether it goes on with one that exists.
        workers: trainings side by side; by default one for each core, on a GPU one.
        device: where to train: auto, cpu, cuda, mps.
        command: the command line, for the record.
        listener: hears of the progress.
    """

    name: str
    asked: Asked
    resume: bool = False
    workers: int | None = None
    device: str = "auto"
    command: str = ""
    listener: Listener = field(default_factory=Listener)

    def run(self) -> Experiment:
        """Train every cell that has not ended, and return the experiment.

        Raises:
            InvalidValue: it exists and `resume` is not set, or does not fit what is asked, or
                another process is at it.
            UnknownName: there is nothing to resume.
            KeyboardInterrupt: Ctrl-C, after what trained was given up cleanly; its checkpoints
                stay.
        """
        from dse.runtime.train import pick_device

        folder = runs_folder() / check_run_name(self.name)
        device = pick_device(self.device)
        kept = self._kept(folder)
        prepared = prepare(self.asked, place=self.name, kept=kept.plan if kept else None)
        self.listener.prepared(prepared)
        with _alone(folder):
            now = self._kept(folder)
            if now is not None and kept is not None and now.plan != kept.plan:
                raise InvalidValue(f"another process has just changed the experiment {self.name}")
            started = time.time()
            before = kept.settings if kept else {}
            settings = {
                "dse": dse_version(),
                "command": before.get("command") or self.command,
                "data": _facts(prepared),
                "machine": machine(device),
                "started": before.get("started") or _clock(started),
                "seconds": before.get("seconds", 0.0),
            }
            _save(folder, prepared.plan, settings)
            experiment = open_experiment(folder)
            self.listener.began(experiment)
            try:
                self._train(experiment, Trainer(folder, prepared.plan, device))
            finally:
                self.listener.close()
                settings["seconds"] = round(settings["seconds"] + time.time() - started, 3)
                _save(folder, prepared.plan, settings)
            experiment = open_experiment(folder)
            measure(experiment)
        return open_experiment(folder)

    def _kept(self, folder: Path) -> Experiment | None:
        if (folder / "run.json").exists():
            raise InvalidValue(f"{self.name} is the run of a search; give another --run")
        exists = (folder / FILE).exists()
        if exists and not self.resume:
            raise InvalidValue(
                f"the experiment {self.name} exists; give --resume to go on with it, or another "
                "--run"
            )
        return open_experiment(folder) if self.resume else None

    def _train(self, experiment: Experiment, trainer: Trainer) -> None:
        from dse.runtime.train import threads_for

        pending = experiment.pending
        usual = threads_for(1) if trainer.device == "cpu" else 1
        workers = min(self.workers or usual, len(pending))
        if workers <= 1:
            for cell in pending:
                self.listener.ended(trainer.train(cell, self._reporter(cell)))
            return
        pool = Pool(workers)
        try:
            running = {pool.submit(trainer.train_aside, cell): cell for cell in pending}
            self._follow(experiment.folder, running)
        finally:
            pool.close()

    def _follow(self, folder: Path, running: dict[Future[Result], Cell]) -> None:
        """Hear of cells in other processes until all have ended."""
        heard: dict[Cell, int] = {}
        while running:
            done, _ = wait(running, timeout=_LOOK, return_when=FIRST_COMPLETED)
            for future in done:
                cell = running.pop(future)
                try:
                    self.listener.ended(future.result())
                except BrokenProcessPool:
                    raise DseError(
                        "a process that trained was killed, most likely for want of memory; use "
                        f"fewer --workers, and --run {self.name} --resume"
                    ) from None
            for cell in running.values():
                live = _live(folder / cell.folder / LIVE)
                if live and heard.get(cell) != live[0]:
                    heard[cell] = live[0]
                    self.listener.reported(cell, *live)

    def _reporter(self, cell: Cell) -> Any:
        return lambda epoch, metrics: self.listener.reported(cell, epoch, metrics)


def _live(path: Path) -> tuple[int, dict[str, float]] | None:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return int(said["epoch"]), dict(said["metrics"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _facts(prepared: Prepared) -> dict[str, Any]:
    """What results and reports say of the data."""
    data = prepared.data
    return {
        "name": data.name,
        "classes": list(data.classes),
        "digest": data.digest,
        "synthetic": data.synthetic,
        "channels": data.channels,
        "note": data.note,
        "images": len(data.labels),
        "skipped": len(data.skipped),
        "parts": [
            {
                "fold": split.fold,
                "grouped": split.grouped,
                "train": len(split.train),
                "val": len(split.val),
                "test": len(split.test),
            }
            for split in prepared.splits
        ],
    }


def _save(folder: Path, plan: Plan, settings: Mapping[str, Any]) -> None:
    document = {**settings, "plan": plan.model_dump(mode="json")}
    write_atomically(folder / FILE, json.dumps(document, indent=1) + "\n")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the experiment for this process; the lock dies with it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".lock")
        lock.acquire(timeout=0)
    except Timeout:
        raise InvalidValue(
            f"the experiment {folder.name} is being worked on by another process"
        ) from None
    except OSError as error:
        raise DataError(f"{folder}: the experiment cannot be written: {error.strerror}") from None
    try:
        yield
    finally:
        lock.release()


def _clock(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(seconds))
