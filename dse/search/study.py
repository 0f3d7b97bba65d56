"""The study behind a run: Optuna by ask and tell, on a journal file or any storage."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import TrialState

from dse.errors import InvalidValue
from dse.runs import direction
from dse.space import Categorical, Choice, Integer, Space

optuna.logging.set_verbosity(optuna.logging.WARNING)


class Study:
    """Asks for decisions of a space and tells how they fared."""

    def __init__(
        self,
        space: Space,
        objectives: Sequence[str],
        sampler: optuna.samplers.BaseSampler,
        *,
        name: str,
        storage: str | Path | None,
    ) -> None:
        self.space = space
        self.objectives = tuple(objectives)
        self._study = optuna.create_study(
            study_name=name,
            storage=_storage(storage),
            sampler=sampler,
            directions=[direction(objective) for objective in objectives],
            load_if_exists=True,
        )

    def ask(self) -> tuple[optuna.Trial, dict[str, Any]]:
        """A new trial and its decisions."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            trial = self._study.ask()
            decisions = self.space.walk(lambda name, choice: _suggest(trial, name, choice))
        return trial, decisions

    def enqueue(self, decisions: Mapping[str, Any], **facts: Any) -> None:
        """Let the next `ask` return exactly these decisions; `facts` become user attributes."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            self._study.enqueue_trial(dict(decisions), user_attrs=facts or None)

    def finish(self, trial: int, values: Sequence[float]) -> None:
        """Record the objectives of a trial; telling twice is harmless."""
        self._study.tell(trial, list(values), skip_if_finished=True)

    def reject(self, trial: int) -> None:
        """Close a trial that has no values: infeasible, impossible, failed or lost."""
        self._study.tell(trial, state=TrialState.FAIL, skip_if_finished=True)

    def open_trials(self) -> list[tuple[int, dict[str, Any], dict[str, Any]]]:
        """Trials that were asked for but never told: number, decisions, user attributes."""
        return [
            (trial.number, dict(trial.params), dict(trial.user_attrs))
            for trial in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        ]

    def waiting(self) -> list[dict[str, Any]]:
        """Decisions enqueued and not asked for yet."""
        return [
            dict(trial.system_attrs.get("fixed_params", {}))
            for trial in self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
        ]

    def __len__(self) -> int:
        return len(self._study.get_trials(deepcopy=False))


def _suggest(trial: optuna.Trial, name: str, choice: Choice) -> Any:
    if isinstance(choice, Categorical):
        return trial.suggest_categorical(name, list(choice.options))
    if isinstance(choice, Integer):
        return trial.suggest_int(name, choice.low, choice.high, step=choice.step, log=choice.log)
    return trial.suggest_float(name, choice.low, choice.high, step=choice.step, log=choice.log)


def _storage(storage: str | Path | None) -> optuna.storages.BaseStorage | str | None:
    """A journal file for a path (3 ms a trial), what Optuna knows for a URL, memory for None."""
    if not isinstance(storage, Path):
        if storage is not None and "://" not in storage:
            raise InvalidValue(f"a storage is a URL as in sqlite:///study.db, got {storage!r}")
        return storage
    storage.parent.mkdir(parents=True, exist_ok=True)
    # A kill -9 may leave the journal's lock file behind, and Optuna would wait half a minute for
    # it. The run's own lock, which dies with its process, says that nobody else is here.
    Path(f"{storage}.lock").unlink(missing_ok=True)
    backend = JournalFileBackend(str(storage), lock_obj=JournalFileOpenLock(str(storage)))
    return optuna.storages.JournalStorage(backend)
