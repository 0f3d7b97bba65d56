"""A run on disk: its settings, one JSON row per trial, and what is read off them.

``runs/NAME/`` holds ``run.json`` (settings, data, machine, at the end the result), ``trials.jsonl``
(one row per trial, appended and flushed as each ends), ``study.log`` (Optuna's journal),
while it runs ``checkpoints`` and at the end ``report.html``.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from itertools import count
from math import isfinite
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from dse.atomic import write_atomically
from dse.errors import DataError, InvalidValue, UnknownName
from dse.fronts import Losses, first_front
from dse.network import Network, read_network

Direction = Literal["maximize", "minimize"]

OBJECTIVES: dict[str, Direction] = {
    "accuracy": "maximize",
    "balanced_accuracy": "maximize",
    "loss": "minimize",
    "params": "minimize",
    "params_with_buffers": "minimize",
    "macs": "minimize",
    "latency_ms": "minimize",
    "peak_activation_bytes": "minimize",
    "size_bytes": "minimize",
}
"""What a search can aim at, and which way is better. Other metrics that an evaluator returns are
maximised.
"""

COST_KEYS = ("params", "params_with_buffers", "macs", "peak_activation_bytes", "size_bytes")

_LOOKED_AT = 0.2
"""Seconds that a run's lock is waited for: `is_held` holds it for a moment."""

_RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


def direction(objective: str) -> Direction:
    """Whether more or less of an objective is better."""
    return OBJECTIVES.get(objective, "maximize")


@dataclass(frozen=True)
class Trial:
    """One row of a run.

    Attributes:
        trial: its number in the run.
        name: the design's name; a preset's own name if it is a baseline.
        state: ``finished``; ``stopped`` after a part of its epochs, since others did better by
            then; or ``failed`` with the `reason`.
        baseline: whether it is a paper's network, put in to compare with.
        choices: the space's decisions, flat.
        design: the network as a document (see `dse.network`).
        digest: equal for equal networks.
        cost: ``params params_with_buffers macs peak_activation_bytes size_bytes`` of one image
            in float32.
        latency_ms: predicted milliseconds per image on the run's device, if it has one.
        measured_ms: the median measured at the end of the search, of designs on its front.
        measured_interval: between which milliseconds another measurement's median falls, in 95 of
            100 cases.
        values: metrics by the evaluator, on the validation part; of a stopped trial those after the
            epochs it had.
        history: metrics per epoch.
        epochs: how many it was trained for; 0 if its evaluator reports none.
        ended: when the row was written, ISO 8601; empty in rows of older versions.
        misses: the search's requirements that its values do not meet, as in
            ``recall.covid>=0.9``, and by how much.
        provenance: dse version, seed, device, data set and its content hash, recipe.
    """

    trial: int
    name: str
    state: Literal["finished", "stopped", "failed"]
    baseline: bool
    choices: dict[str, Any]
    design: dict[str, Any]
    digest: str
    cost: dict[str, int]
    latency_ms: float | None = None
    values: dict[str, float] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    seconds: float = 0.0
    reason: str = ""
    provenance: dict[str, Any] = field(default_factory=dict)
    epochs: int = 0
    misses: dict[str, float] = field(default_factory=dict)
    ended: str = ""
    measured_ms: float | None = None
    measured_interval: list[float] | None = None

    @property
    def eligible(self) -> bool:
        """Whether it may be on a front or win: it finished and meets every requirement."""
        return self.state == "finished" and not self.misses

    @property
    def network(self) -> Network:
        """The design as a network."""
        return read_network(self.design)

    def objective(self, name: str) -> float | None:
        """The value of an objective, whether it is a metric or a cost."""
        if name in self.values:
            return self.values[name]
        if name == "latency_ms":
            return self.latency_ms
        return self.cost.get(name)

    def front_row(self) -> dict[str, Any]:
        """The row as `dse search --json` and `dse report --json` give it."""
        return {
            "trial": self.trial,
            "name": self.name,
            "baseline": self.baseline,
            "params": self.cost["params"],
            "macs": self.cost["macs"],
            "latency_ms": self.latency_ms,
            "predicted_ms": self.latency_ms,
            "measured_ms": self.measured_ms,
            "measured_interval": self.measured_interval,
            "values": self.values,
            "choices": self.choices,
            "design": self.design,
        }


def front(trials: Sequence[Trial], objectives: Sequence[str]) -> list[Trial]:
    """The eligible trials that no other beats in every objective, best in the first objective
    first.

    Of trials equal in all objectives the earliest stays.
    """
    signs = [-1 if direction(name) == "maximize" else 1 for name in objectives]
    scored: list[Trial] = []
    losses: list[Losses] = []
    for trial in sorted(trials, key=lambda trial: trial.trial):
        values = [v for v in map(trial.objective, objectives) if v is not None and isfinite(v)]
        if trial.eligible and len(values) == len(signs):
            scored.append(trial)
            losses.append(tuple([s * v for s, v in zip(signs, values, strict=True)]))
    return [scored[number] for number in first_front(losses)]


def _read_row(line: bytes) -> Trial:
    """A row of ``trials.jsonl``.

    Raises:
        ValueError, TypeError: it is cut short, or no row.
    """
    fields = json.loads(line)
    if not isinstance(fields, dict):
        raise TypeError(f"a row is a mapping, got {type(fields).__name__}")
    row = Trial(**fields)
    for name, kind in (("trial", int), ("design", dict), ("cost", dict), ("values", dict)):
        if not isinstance(getattr(row, name), kind):
            raise TypeError(f"{name} is of type {kind.__name__}, got {getattr(row, name)!r}")
    return row


class Run:
    """A search run: the rows so far and the settings they were made with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.damaged: list[str] = []
        """Rows that could not be read, as ``line 7: why``."""

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def settings(self) -> dict[str, Any]:
        """What ``run.json`` says: space, budget, objectives, data, machine, and at the end the
        result.
        """
        path = self.folder / "run.json"
        try:
            settings = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return settings if isinstance(settings, dict) else {}

    @property
    def objectives(self) -> tuple[str, ...]:
        return tuple(self.settings.get("objectives", ("accuracy", "params")))

    @property
    def trials(self) -> list[Trial]:
        """The rows, in order of their end. A row cut short by a crash is left out and named in
        `damaged`; of a trial that was stopped when time was up and went on later, the last counts.
        """
        path = self.folder / "trials.jsonl"
        rows: dict[int, Trial] = {}
        self.damaged = []
        if not path.exists():
            return []
        for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
            if not line.strip():
                continue
            try:
                row = _read_row(line)
            except (ValueError, TypeError) as error:
                self.damaged.append(f"line {number}: {error}")
            else:
                rows.pop(row.trial, None)
                rows[row.trial] = row
        return list(rows.values())

    @property
    def best(self) -> Trial | None:
        """The eligible trial that is best in the run's first objective; of equals, the smallest."""
        found = front(self.trials, self.objectives)
        return found[0] if found else None

    def front(self, *objectives: str) -> list[Trial]:
        """The Pareto front over the given objectives, or the run's own."""
        return front(self.trials, objectives or self.objectives)

    # -- writing

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes from working on the run; a lock that dies with this one.

        Raises:
            InvalidValue: one is at it.
            DataError: the run's folder cannot be written.
        """
        lock = FileLock(self.folder / ".lock")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=_LOOKED_AT, poll_interval=_LOOKED_AT / 4)
        except Timeout:
            raise InvalidValue(
                f"the run {self.name} is being worked on by another process"
            ) from None
        except OSError as error:
            raise DataError(f"{self.folder}: the run cannot be written: {error.strerror}") from None
        try:
            yield
        finally:
            lock.release()

    def append(self, trial: Trial) -> None:
        """Write one row so that it is on disk when this returns."""
        path = self.folder / "trials.jsonl"
        # A crash may have left half a line; what follows it must start on a line of its own.
        with path.open("ab+") as file:
            size = file.tell()
            file.seek(max(0, size - 1))
            broken = size > 0 and file.read() != b"\n"
            file.write(("\n" * broken + json.dumps(asdict(trial)) + "\n").encode())
            file.flush()
            os.fsync(file.fileno())

    def amend(self, trials: Sequence[Trial]) -> None:
        """Put rows in the places of those of the same trials, in one step."""
        path = self.folder / "trials.jsonl"
        rows = {trial.trial: trial for trial in trials}
        lines = []
        for line in path.read_text(encoding="utf-8").split("\n"):
            with suppress(ValueError, TypeError):
                row = rows.get(_read_row(line.encode()).trial)
                line = line if row is None else json.dumps(asdict(row))
            lines.append(line)
        write_atomically(path, "\n".join(lines))

    def save_settings(self, settings: Mapping[str, Any]) -> None:
        """Replace ``run.json`` in one step."""
        write_atomically(self.folder / "run.json", json.dumps(dict(settings), indent=2) + "\n")


def is_held(folder: Path) -> bool:
    """Whether a process works on a run, or an experiment, at this moment."""
    path = folder / ".lock"
    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:  # a folder that only its owner may write to, or one just removed
        return False
    lock.release()
    return False


def runs_folder() -> Path:
    """Where runs are kept: ``runs`` in the current directory."""
    return Path("runs")


def run_names() -> list[str]:
    """Names of the runs in the current directory."""
    folder = runs_folder()
    return sorted(p.parent.name for p in folder.glob("*/run.json")) if folder.is_dir() else []


def check_run_name(name: str) -> str:
    """A run's name is one folder's name.

    Raises:
        InvalidValue: it could leave its folder or is no file name.
    """
    if not _RUN_NAME.fullmatch(name) or name in (".", ".."):
        raise InvalidValue(
            "a run's name is up to 80 letters, digits, dots, - and _, and starts with a letter or "
            f"digit; got {name!r}"
        )
    return name


def free_run_name(stem: str) -> str:
    """``stem-1``, or the next number that neither a search nor an experiment has taken."""
    names = (f"{stem}-{number}" for number in count(1))
    return next(name for name in names if not (runs_folder() / name).exists())


def open_run(name: str) -> Run:
    """A run by its name.

    Raises:
        UnknownName: there is no such run here.
    """
    folder = runs_folder() / check_run_name(name)
    if not (folder / "run.json").exists():
        raise UnknownName("run", name, run_names())
    return Run(folder)
