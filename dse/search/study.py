"""The study behind a run: Optuna by ask and tell, on a journal file or any storage."""

from __future__ import annotations

import json
import os
import warnings
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import optuna
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from dse.errors import InvalidValue, UnknownName
from dse.runs import direction
from dse.search.domain import Exhausted
from dse.search.foresight import PAUSED, RUNGS, STOPPED_AT, Course, Foresight
from dse.space import Categorical, Choice, Integer, Space

optuna.logging.set_verbosity(optuna.logging.WARNING)

_ASKER, _BEGUN, _AIM, _ROW, _DEATHS = "asker", "begun", "aim", "row", "deaths"

Rungs = Mapping[int, Sequence[float]]
"""Objectives by the epochs at which they were so."""


@dataclass(frozen=True)
class Entry:
    """A trial as the study knows it; decisions and facts are to be read only.

    Attributes:
        number: the trial's.
        open: whether it was asked for and not told yet.
        decisions: those asked so far.
        facts: what was enqueued with it.
        asker: who asked for it, where several processes may.
        begun: the design's ``digest`` and the ``owner`` who evaluates it; None where it was not
            admitted, or not yet.
        rungs: objectives at each rung that it reached, by epochs.
        paused: its outcome so far, with its ``epochs``, if it reached a rung and is not told.
        aim: the epochs up to which it was sent after its first rung; 0 if it was not.
        stopped_at: the epochs after which it was given up; 0 if it was not.
        deaths: processes that died of it.
        row: its row, where another machine's worker evaluated it.
    """

    number: int
    open: bool
    decisions: Mapping[str, Any]
    facts: Mapping[str, Any]
    asker: str
    begun: Mapping[str, Any] | None
    rungs: Rungs
    paused: Mapping[str, Any] | None
    aim: int
    stopped_at: int
    deaths: int
    row: Mapping[str, Any] | None

    @property
    def owner(self) -> str:
        """Whose it is; empty where that is not known."""
        return str(self.begun["owner"]) if self.begun else self.asker

    @property
    def waits(self) -> bool:
        """Whether it is paused and not sent on."""
        return self.open and self.paused is not None and self.aim <= self.paused["epochs"]

    def waits_at(self, epochs: int) -> bool:
        """Whether it waits after so many epochs."""
        return self.waits and self.paused is not None and self.paused["epochs"] == epochs

    @property
    def under_way(self) -> bool:
        """Whether somebody is at it."""
        return self.open and not self.waits


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
        asker: str = "",
    ) -> None:
        """Open the study called `name`, or make it.

        Args:
            space: whose decisions are asked.
            objectives: what is told of each trial.
            sampler: who proposes.
            name: the study's, in its storage.
            storage: the path of a journal file, an Optuna URL, or None for memory.
            fresh: nothing was evaluated yet, so that what an earlier start left behind is dropped.
            asker: this process, where several may be at the study.

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
            sampler=Foresight(sampler),
            directions=[direction(objective) for objective in objectives],
            load_if_exists=True,
        )
        self._adopted: deque[int] = deque()
        self._asker = asker

    # -- asking

    def ask(self) -> tuple[optuna.Trial, dict[str, Any]]:
        """A trial and its decisions: one that was adopted, else a new one.

        Raises:
            Exhausted: the sampler knows no point that fits.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            if self._adopted:
                # What was decided already stays, the rest is sampled as it would have been.
                trial = optuna.Trial(self._study, self._id(self._adopted.popleft()))
            else:
                trial = self._study.ask()
            if self._asker:
                self._note(trial.number, _ASKER, self._asker)
            try:
                decisions = self.space.walk(lambda name, choice: _suggest(trial, name, choice))
            except Exhausted:
                self.reject(trial.number)
                raise
        return trial, decisions

    def adopt(self, trial: int) -> None:
        """Let `ask` go on with a trial that was cut off while it was asked for."""
        self._adopted.append(trial)

    @property
    def adopted(self) -> bool:
        """Whether `ask` has trials to go on with."""
        return bool(self._adopted)

    def refused_in_a_row(self) -> int:
        """How many of the latest trials were closed without having been begun."""
        latest = takewhile(lambda trial: not trial.user_attrs.get(_BEGUN), self._trials()[::-1])
        return sum(trial.state.is_finished() for trial in latest)

    def __len__(self) -> int:
        """Trials asked for so far, and those enqueued."""
        return len(self._trials())

    def has_more(self) -> bool:
        """Whether the next `ask` goes on with a trial, or takes one that was enqueued."""
        waiting = self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
        return bool(self._adopted or waiting)

    def enqueue(self, decisions: Mapping[str, Any], **facts: Any) -> None:
        """Let the next `ask` return exactly these decisions; `facts` become user attributes."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            self._study.enqueue_trial(dict(decisions), user_attrs=facts or None)

    # -- noting

    def begin(self, trial: int, digest: str, owner: str) -> None:
        """Note that a trial's design is admitted, and who evaluates it."""
        self._note(trial, _BEGUN, {"digest": digest, "owner": owner})

    def withdraw(self, trial: int) -> None:
        """Take back that a trial was begun."""
        self._note(trial, _BEGUN, None)
        self.reject(trial)

    def pause(self, trial: int, outcome: Mapping[str, Any], rungs: Rungs) -> None:
        """Note how far a trial has come: its ``epochs``, and objectives at the rungs so far."""
        self._note_rungs(trial, rungs)
        self._note(trial, PAUSED, dict(outcome))

    def send_on(self, trial: int, epochs: int) -> None:
        """Note up to where a paused trial goes on."""
        self._note(trial, _AIM, epochs)

    def died(self, trial: int, deaths: int) -> None:
        """Note how many processes died of a trial."""
        self._note(trial, _DEATHS, deaths)

    def keep_row(self, trial: int, row: Mapping[str, Any]) -> None:
        """Leave a row for the process that keeps the run."""
        self._note(trial, _ROW, dict(row))

    # -- telling

    def finish(self, trial: int, values: Sequence[float], rungs: Rungs | None = None) -> None:
        """Record the objectives of a trial, and those at its rungs; telling twice is harmless."""
        if self._frozen(trial).state.is_finished():
            return
        self._note_rungs(trial, rungs or {})
        self._study.tell(trial, list(values), skip_if_finished=True)

    def constrain(self, trial: int, misses: Mapping[str, float]) -> None:
        """Note by how much a trial misses each requirement, as Optuna's samplers read it."""
        if self._frozen(trial).state.is_finished():
            return
        for name, amount in misses.items():
            # What `Trial.set_constraint` writes; a trial of another process is no `Trial` here.
            self._study._storage.set_trial_system_attr(
                self._id(trial), f"constraints:{name}", float(amount)
            )

    def stop(self, trial: int, epochs: int, rungs: Rungs) -> None:
        """Give up a trial after a rung: it is told what it would have reached, and says so."""
        if self._frozen(trial).state.is_finished():
            return
        self._note_rungs(trial, rungs)
        course = Course(self._trials(), self._study.directions)
        values = course.foreseen(self._frozen(trial), epochs)
        if values is None:
            self.reject(trial)
            return
        self._note(trial, STOPPED_AT, epochs)
        self._study.tell(trial, values, skip_if_finished=True)

    def reject(self, trial: int) -> None:
        """Close a trial that has no values: infeasible, impossible, failed or lost."""
        self._study.tell(trial, state=TrialState.FAIL, skip_if_finished=True)

    # -- reading

    def entries(self) -> list[Entry]:
        """All trials that were asked for, by number."""
        return [_entry(t) for t in self._trials() if t.state != TrialState.WAITING]

    def count_from(self, number: int) -> None:
        """Give no number below `number` to a new trial, should the storage have lost some."""
        for _ in range(len(self._trials()), number):
            self._study.add_trial(optuna.trial.create_trial(state=TrialState.FAIL))

    # -- facts of the whole study

    def tell_all(self, key: str, value: Any) -> None:
        """Note a fact for whoever opens the study."""
        self._study.set_user_attr(key, value)

    def facts(self) -> dict[str, Any]:
        """The facts that were noted."""
        return self._study.user_attrs

    # -- parts

    def _trials(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False)

    def _id(self, number: int) -> int:
        return self._study._storage.get_trial_id_from_study_id_trial_number(
            self._study._study_id, number
        )

    def _frozen(self, number: int) -> FrozenTrial:
        return self._study._storage.get_trial(self._id(number))

    def _note_rungs(self, number: int, rungs: Rungs) -> None:
        if rungs:
            self._note(number, RUNGS, {str(epochs): list(rungs[epochs]) for epochs in rungs})

    def _note(self, number: int, key: str, value: Any) -> None:
        self._study._storage.set_trial_user_attr(self._id(number), key, value)


def _entry(trial: FrozenTrial) -> Entry:
    facts = trial.user_attrs
    return Entry(
        number=trial.number,
        open=trial.state == TrialState.RUNNING,
        decisions=trial.params,
        facts=facts,
        asker=facts.get(_ASKER, ""),
        begun=facts.get(_BEGUN),
        rungs={int(epochs): values for epochs, values in facts.get(RUNGS, {}).items()},
        paused=facts.get(PAUSED),
        aim=facts.get(_AIM, 0),
        stopped_at=facts.get(STOPPED_AT, 0),
        deaths=facts.get(_DEATHS, 0),
        row=facts.get(_ROW),
    )


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


def add_waiting(
    run: str,
    storage: str | Path,
    decisions: Mapping[str, Any],
    *,
    running: bool,
    **facts: Any,
) -> int:
    """Have the study of a run ask for these decisions next, from outside; returns their number.

    Args:
        run: the study's name.
        storage: the path of its journal file, or an Optuna URL.
        decisions: what is asked next.
        running: whether a search is at it, to whom the end of the journal belongs.
        facts: user attributes of the trial.

    Raises:
        InvalidValue: the storage cannot be opened, or does not hold the study.
    """
    opened: Any
    if isinstance(storage, Path) and running:
        opened = optuna.storages.JournalStorage(_Journal(str(storage)))
    else:
        opened = _storage(storage)
    try:
        study = optuna.load_study(study_name=run, storage=opened)
    except KeyError:
        raise InvalidValue(f"{storage} holds no study of the run {run}") from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.enqueue_trial(dict(decisions), user_attrs=facts)
    waiting = study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
    return waiting[-1].number


def facts_in(url: str, name: str) -> dict[str, Any]:
    """The facts that were noted of a study in a storage.

    Raises:
        InvalidValue: the storage cannot be opened.
        UnknownName: it has no study of this name.
    """
    storage = _by_url(url)
    names = optuna.get_all_study_names(storage)
    if name not in names:
        raise UnknownName(f"run in {url}", name, names)
    return optuna.load_study(study_name=name, storage=storage).user_attrs


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
        if url.startswith("sqlite"):
            # A file is locked for a moment by whoever writes: with several processes one waits.
            patience = {"connect_args": {"timeout": 60}}
            return optuna.storages.get_storage(
                optuna.storages.RDBStorage(url, engine_kwargs=patience)
            )
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
