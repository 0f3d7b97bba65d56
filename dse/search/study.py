"""The study behind a run: Optuna by ask and tell, on a journal file or any storage."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.storages.journal import JournalFileBackend
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
        fresh: bool = False,
    ) -> None:
        """Open the study called `name`, or make it.

        Args:
            space: whose decisions are asked.
            objectives: what is told of each trial.
            sampler: who proposes.
            name: the study's, in its storage.
            storage: the path of a journal file, an Optuna URL, or None for memory.
            fresh: nothing was evaluated yet, so that what an earlier start left behind is dropped.

        Raises:
            InvalidValue: the storage cannot be opened, or holds a study of this name that is
                another search's.
        """
        self.space = space
        self.objectives = tuple(objectives)
        if fresh and isinstance(storage, Path):
            storage.unlink(missing_ok=True)
        opened = _storage(storage)
        if fresh and isinstance(storage, str):
            _drop_unused(name, opened)
        self._study = optuna.create_study(
            study_name=name,
            storage=opened,
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
        """Trials that were asked for but never told: number, decisions, user attributes.

        The decisions of one that was enqueued are those it was enqueued with, asked or not yet.
        """
        return [
            (
                trial.number,
                dict(trial.system_attrs.get("fixed_params") or trial.params),
                dict(trial.user_attrs),
            )
            for trial in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        ]

    def waiting(self) -> list[dict[str, Any]]:
        """Decisions enqueued and not asked for yet."""
        return [
            dict(trial.system_attrs.get("fixed_params", {}))
            for trial in self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
        ]

    def count_from(self, number: int) -> None:
        """Give no number below `number` to a new trial, should the storage have lost some."""
        for _ in range(len(self._study.get_trials(deepcopy=False)), number):
            self._study.add_trial(optuna.trial.create_trial(state=TrialState.FAIL))


def _suggest(trial: optuna.Trial, name: str, choice: Choice) -> Any:
    if isinstance(choice, Categorical):
        return trial.suggest_categorical(name, list(choice.options))
    if isinstance(choice, Integer):
        return trial.suggest_int(name, choice.low, choice.high, step=choice.step, log=choice.log)
    return trial.suggest_float(name, choice.low, choice.high, step=choice.step, log=choice.log)


def _storage(storage: str | Path | None) -> optuna.storages.BaseStorage | None:
    """A journal file for a path, what Optuna knows for a URL, memory for None."""
    if storage is None:
        return None
    if isinstance(storage, str):
        return _by_url(storage)
    storage.parent.mkdir(parents=True, exist_ok=True)
    _drop_half_line(storage)
    return optuna.storages.JournalStorage(_Journal(str(storage)))


class _Journal(JournalFileBackend):
    """Optuna's journal file without its lock and without a sync to the disk for each decision.

    The run's own lock says that nobody else is here, and dies with its process; a journal's lock
    file outlives a kill, and is waited for half a minute. What a power cut takes from the journal
    is made up from the rows, which are synced; 50 syncs a proposal would cost more than it.
    """

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._path = path

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        lines = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs)
        with open(self._path, "ab") as file:
            file.write(lines.encode())


def check_storage(url: str) -> None:
    """See that a storage's URL can be one, without opening it.

    Raises:
        InvalidValue: it cannot.
    """
    if "://" not in url:
        raise InvalidValue(f"a storage is a URL as in sqlite:///study.db, got {url!r}")


def _by_url(url: str) -> optuna.storages.BaseStorage:
    check_storage(url)
    try:
        return optuna.storages.get_storage(url)
    except Exception as error:
        # SQLAlchemy, its drivers and Redis each have their own errors; the first line says it.
        reason = str(error).partition("\n")[0]
        raise InvalidValue(f"the storage {url} cannot be opened: {reason}") from None


def _drop_half_line(journal: Path) -> None:
    """Cut off a last line that a crash left unfinished: the next one would be written into it."""
    text = journal.read_bytes() if journal.exists() else b""
    if text and not text.endswith(b"\n"):
        os.truncate(journal, text.rfind(b"\n") + 1)


def _drop_unused(name: str, storage: optuna.storages.BaseStorage | None) -> None:
    """Delete a study of this name in which nothing was evaluated.

    Raises:
        InvalidValue: something was.
    """
    assert storage is not None
    if name not in optuna.get_all_study_names(storage):
        return
    found = optuna.load_study(study_name=name, storage=storage)
    if any(trial.state.is_finished() for trial in found.get_trials(deepcopy=False)):
        raise InvalidValue(
            f"the storage has a study called {name} already, of another run; choose another --run"
        )
    optuna.delete_study(study_name=name, storage=storage)
