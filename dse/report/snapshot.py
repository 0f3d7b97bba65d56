"""One reading of a run, which may still be going on: everything in a report agrees with it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Real
from pathlib import Path
from typing import Any, TypeGuard

from dse.runs import COST_KEYS, Run, Trial, front

COSTS = (*COST_KEYS, "latency_ms")


@dataclass(frozen=True)
class Snapshot:
    """A run as it stood at one moment.

    Attributes:
        folder: of the run.
        settings: what ``run.json`` said; any key may be absent.
        trials: the sound rows.
        damaged: rows that could not be read, or whose facts are of the wrong kind, with the reason.
    """

    folder: Path
    settings: dict[str, Any]
    trials: tuple[Trial, ...]
    damaged: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def objectives(self) -> tuple[str, ...]:
        given = self.settings.get("objectives")
        names = tuple(str(name) for name in given) if isinstance(given, list | tuple) else ()
        return names or ("accuracy", "params")

    @property
    def quality(self) -> str:
        """The objective that says how good a design is, as against what it costs."""
        return next((name for name in self.objectives if name not in COSTS), "accuracy")

    @property
    def trained(self) -> bool:
        """Whether designs were trained, and so measured on a validation part."""
        return str(self.settings.get("evaluate", "train")) == "train"

    @cached_property
    def finished(self) -> list[Trial]:
        return [trial for trial in self.trials if trial.state == "finished"]

    @cached_property
    def failed(self) -> list[Trial]:
        return [trial for trial in self.trials if trial.state == "failed"]

    @cached_property
    def stopped(self) -> list[Trial]:
        return [trial for trial in self.trials if trial.state == "stopped"]

    @cached_property
    def baselines(self) -> list[Trial]:
        return [trial for trial in self.finished if trial.baseline]

    def front(self, *objectives: str) -> list[Trial]:
        """The Pareto front over the given objectives, or the run's own."""
        return front(self.finished, objectives) if objectives else self._own_front

    @cached_property
    def _own_front(self) -> list[Trial]:
        return front(self.finished, self.objectives)

    @cached_property
    def winner(self) -> Trial | None:
        """The trial that the run calls its winner; without one, the best in the first objective."""
        by_number = {trial.trial: trial for trial in self.finished}
        chosen = self.settings.get("winner")
        if isinstance(chosen, int) and chosen in by_number:
            return by_number[chosen]
        return next(iter(self.front()), None)

    def part(self, key: str) -> dict[str, Any]:
        """A mapping of the settings; empty if it is absent."""
        value = self.settings.get(key)
        return dict(value) if isinstance(value, Mapping) else {}


def read_snapshot(run: Run) -> Snapshot:
    """Read a run's settings and rows, and set apart the rows that cannot be used."""
    settings = run.settings
    rows = run.trials
    damaged = list(run.damaged)
    sound = []
    for trial in rows:
        fault = _fault(trial)
        if fault:
            damaged.append(f"trial {trial.trial}: {fault}")
        else:
            sound.append(_finite(trial))
    return Snapshot(
        run.folder, settings if isinstance(settings, dict) else {}, tuple(sound), tuple(damaged)
    )


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value read from JSON is a finite number (true and false are none)."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _fault(trial: Trial) -> str:
    """What is wrong with a row that has every field, or nothing."""
    if not isinstance(trial.trial, int):
        return f"its number is no integer: {trial.trial!r}"[:80]
    kinds = {"cost": dict, "values": dict, "choices": dict, "design": dict, "history": list}
    for name, kind in kinds.items():
        if not isinstance(getattr(trial, name), kind):
            return f"{name} is no {kind.__name__}"
    for key in COST_KEYS:
        if not is_number(trial.cost.get(key)):
            return f"cost has no number for {key}"
    return ""


def _finite(trial: Trial) -> Trial:
    """A trial whose metrics are numbers: what is not a finite one is left out."""
    return replace(
        trial,
        values={str(k): v for k, v in trial.values.items() if is_number(v)},
        latency_ms=trial.latency_ms if is_number(trial.latency_ms) else None,
        measured_ms=trial.measured_ms if is_number(trial.measured_ms) else None,
        measured_interval=_interval(trial.measured_interval),
        history=[dict(row) for row in trial.history if isinstance(row, Mapping)],
    )


def _interval(value: Any) -> list[float] | None:
    sound = isinstance(value, list) and len(value) == 2 and all(map(is_number, value))
    return value if sound else None
