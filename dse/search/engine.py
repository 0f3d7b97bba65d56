"""The search: propose within the budget, evaluate, record, and do it again."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from dse.atomic import write_atomically
from dse.cost import Budget
from dse.errors import DataError, InvalidValue
from dse.runs import Run, check_run_name, runs_folder
from dse.search.baselines import baselines
from dse.search.book import Book
from dse.search.candidate import Evaluate, Listener
from dse.search.crew import Crew
from dse.search.feasible import FeasibleSpace
from dse.search.proposals import Proposer
from dse.search.remote import COMPLETE, MAIN, SEARCH, signs_of_life
from dse.search.requirement import Requirement
from dse.search.samplers import make_sampler
from dse.search.study import Study
from dse.search.workers import make_workers
from dse.space import Space
from dse.version import dse_version


@dataclass
class Search:
    """One search and where it stands. `run` may be called again to go on.

    Attributes:
        space: what to search, for the images and classes in question; with a timer where latency is
            limited or an objective.
        evaluate: what turns a candidate into metrics.
        budget: hard limits.
        objectives: what to aim at, the most important first.
        trials: how many designs are begun in all, baselines included.
        seed: of the sampler.
        sampler: its name.
        workers: evaluations side by side.
        time_limit: seconds after which no further evaluation begins.
        storage: an Optuna storage URL; by default a journal file in the run's folder.
        compare: whether the papers' networks are tried first.
        require: what metrics a design has to reach to be on the front, or to win.
        rungs: whether designs pause after a part of their epochs, or reports, and only the best go
            on (see `dse.search.rungs`), or after how many. The papers' networks never do.
        settings: facts about data and command to keep with the run.
        files: texts to keep in the run's folder, by file name.
    """

    space: Space
    evaluate: Evaluate
    budget: Budget = field(default_factory=Budget)
    objectives: Sequence[str] = ("accuracy", "params")
    trials: int = 16
    seed: int = 0
    sampler: str = "auto"
    workers: int = 1
    time_limit: float | None = None
    storage: str | None = None
    compare: bool = True
    require: Sequence[Requirement] = ()
    rungs: bool | tuple[int, ...] = True
    settings: dict[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    listener: Listener = field(default_factory=Listener)

    def __post_init__(self) -> None:
        if self.trials < 1:
            raise InvalidValue(f"a search has at least 1 trial, got {self.trials}")
        if self.workers < 1:
            raise InvalidValue(f"a search has at least 1 worker, got {self.workers}")
        if not self.objectives or len(set(self.objectives)) != len(self.objectives):
            raise InvalidValue(
                "objectives are one or more different names, "
                f"got {', '.join(self.objectives) or 'none'}"
            )
        needs_latency = self.budget.latency_ms is not None or "latency_ms" in self.objectives
        if needs_latency and self.space.timer is None:
            raise InvalidValue(
                "a latency budget or objective needs a device: give the space a timer, as in "
                "space.timed_by(Predictor(profile))"
            )
        if not isinstance(self.rungs, bool):
            rungs = (0, *self.rungs)
            if any(low >= high for low, high in pairwise(rungs)):
                raise InvalidValue(f"rungs are rising numbers of epochs, got {list(self.rungs)}")

    def run(self, name: str, *, resume: bool = False, folder: Path | None = None) -> Run:
        """Search until all trials are done, and return the run.

        Everything finished is on disk at any moment, so that a kill loses only what was being
        evaluated, and of an evaluator that can pause only an epoch of that. With `resume` the run
        goes on from there; with one worker it is, row for row, the run that was never cut off.

        Raises:
            InvalidValue: the run exists already and `resume` is not set, or another process is
                at it.
            DataError: the run's folder cannot be written or its settings not be read.
            OverBudget: no design fits; said before any evaluation.
            KeyboardInterrupt: Ctrl-C, after what ran was given up cleanly.
        """
        run = Run(folder or runs_folder() / check_run_name(name))
        with _alone(run, ("study.log", *self.files)):
            exists = (run.folder / "run.json").exists()
            if (run.folder / "experiment.json").exists():
                raise InvalidValue(f"{run.name} is an experiment of trainings; give another --run")
            if exists and not resume:
                raise InvalidValue(
                    f"the run {run.name} exists; give --resume to go on with it, or another --run"
                )
            if exists and not run.settings:
                raise DataError(f"{run.folder / 'run.json'}: the run's settings cannot be read")
            try:
                return self._run(run)
            except InvalidValue:
                # Asked wrongly and nothing evaluated: it may be asked again under this name.
                if not exists and not run.trials:
                    (run.folder / "run.json").unlink(missing_ok=True)
                raise

    def _run(self, run: Run) -> Run:
        kept = run.settings
        storage = self.storage or kept.get("storage")
        book = Book(run, shared=storage is not None)
        for problem in run.damaged:
            self.listener.note(f"trials.jsonl: {problem}; the row is left out")
        self._check_same(run.name, kept)
        domain = FeasibleSpace(self.space, self.budget)
        domain.check_reachable()
        sampler = make_sampler(self.sampler, domain, self.objectives, self.seed)
        papers = list(baselines(self.space, self.budget)) if self.compare else []
        presets = {paper.network.digest: paper.network for paper in papers}
        proposer = Proposer(domain, presets=presets)
        workers = make_workers(self.evaluate, self.workers)
        study = Study(
            self.space,
            self.objectives,
            sampler,
            name=run.name,
            storage=storage or run.folder / "study.log",
            fresh=not kept,
            asker=MAIN if storage else "",
        )
        started = time.time()
        checkpoints = run.folder / "checkpoints"
        if kept:
            run.save_settings({**kept, "trials": self.trials, "complete": False})
        else:
            shutil.rmtree(checkpoints, ignore_errors=True)
            # Settings last: a run without them is one that never began, and begins anew.
            for paper in papers:
                study.enqueue(paper.choices, name=paper.name, baseline=True)
            for name, text in self.files.items():
                write_atomically(run.folder / name, text)
            run.save_settings({**self._facts(), "started": _clock(started), "seconds": 0.0})
        before = run.settings
        proposer.refused.update(before.get("counts", {}))
        study.count_from(1 + max((row.trial for row in book.rows), default=-1))
        crew = Crew(
            self,
            study,
            proposer,
            workers,
            book,
            owner=MAIN,
            folder=checkpoints,
        )
        complete = False
        try:
            with self._open_to_others(study) if storage else nullcontext():
                book.take_up(crew)
                self.listener.began(len(book.rows), self.trials)
                complete = crew.run(started)
                book.close(crew, complete=complete)
            if complete:
                shutil.rmtree(checkpoints, ignore_errors=True)
        finally:
            workers.close()
            seconds = before.get("seconds", 0.0) + time.time() - started
            counts = dict(proposer.refused)
            for state in ("failed", "stopped"):
                counts[state] = sum(row.state == state for row in book.rows)
            run.save_settings(
                {
                    **run.settings,
                    "seconds": round(seconds, 3),
                    "complete": complete,
                    "counts": counts,
                    "rungs": list(crew.rungs_met) or before.get("rungs", []),
                }
            )
        return run

    # -- parts

    @contextmanager
    def _open_to_others(self, study: Study) -> Iterator[None]:
        """Let other machines help while the context lasts."""
        study.tell_all(SEARCH, {**self._facts(), "files": dict(self.files), "rungs": self.rungs})
        study.tell_all(COMPLETE, False)
        with signs_of_life(study, MAIN):
            yield
            study.tell_all(COMPLETE, True)

    def _check_same(self, name: str, kept: Mapping[str, Any]) -> None:
        """See that a run goes on as it began; its rows could not be compared otherwise."""
        for key, value in self._question().items():
            given = key != "storage" or value is not None
            if given and key in kept and kept[key] != value:
                raise InvalidValue(
                    f"a resumed run keeps its {key}: {kept[key]!r} in {name}, got {value!r}"
                )

    def _question(self) -> dict[str, Any]:
        return {
            "space": self.space.name,
            "input": str(self.space.input),
            "classes": self.space.classes,
            "objectives": list(self.objectives),
            "budget": self.budget.limits(),
            "require": [str(each) for each in self.require],
            "storage": self.storage,
        }

    def _facts(self) -> dict[str, Any]:
        return {
            "dse": dse_version(),
            **self._question(),
            "trials": self.trials,
            "seed": self.seed,
            "sampler": self.sampler,
            **self.settings,
        }


@contextmanager
def _alone(run: Run, files: Sequence[str]) -> Iterator[None]:
    """Hold the run for this process; of a run that never began leave nothing, `files` least."""
    with run.held():
        try:
            yield
        finally:
            if not (run.folder / "run.json").exists():
                for name in (*files, ".lock"):
                    (run.folder / name).unlink(missing_ok=True)
                shutil.rmtree(run.folder / "checkpoints", ignore_errors=True)
                with suppress(OSError):
                    run.folder.rmdir()


def _clock(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(seconds))
