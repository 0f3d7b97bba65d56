"""The search: propose within the budget, evaluate, record, and do it again."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from dse.atomic import write_atomically
from dse.cost import Budget
from dse.errors import DataError, DseError, InvalidValue
from dse.runs import COST_KEYS, Run, Trial, check_run_name, front, runs_folder
from dse.search.baselines import baselines
from dse.search.candidate import Candidate, Documented, Evaluate, Listener
from dse.search.proposals import Exhausted, LatencyOf, Proposer
from dse.search.samplers import make_sampler
from dse.search.study import Study
from dse.search.workers import Outcome, Workers, make_workers
from dse.space import Space
from dse.version import dse_version


@dataclass
class Search:
    """One search and where it stands. `run` may be called again to go on.

    Attributes:
        space: what to search, for the images and classes in question.
        evaluate: what turns a candidate into metrics.
        budget: hard limits.
        objectives: what to aim at, the most important first.
        trials: how many evaluations in all, baselines included.
        seed: of the sampler.
        sampler: its name.
        workers: evaluations side by side.
        time_limit: seconds after which no further evaluation begins.
        storage: an Optuna storage URL; by default a journal file in the run's folder.
        latency_of: milliseconds per image of a network, where latency is limited or an objective.
        compare: whether the papers' networks are tried first.
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
    latency_of: LatencyOf | None = None
    compare: bool = True
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
        if needs_latency and self.latency_of is None:
            raise InvalidValue("a latency budget or objective needs a device to be measured on")

    def run(self, name: str, *, resume: bool = False, folder: Path | None = None) -> Run:
        """Search until all trials are done, and return the run.

        Everything finished is on disk at any moment, so that a kill loses only what was being
        evaluated; with `resume` those designs are the first to be tried again.

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
        rows = run.trials
        for problem in run.damaged:
            self.listener.note(f"trials.jsonl: {problem}; the row is left out")
        self._check_same(run.name, kept)
        sampler = make_sampler(self.sampler, self.seed + len(rows))
        papers = list(baselines(self.space, self.budget)) if self.compare else []
        proposer = Proposer(
            self.space,
            self.budget,
            latency_of=self.latency_of,
            seed=self.seed + len(rows),
            presets={paper.network.digest: paper.network for paper in papers},
        )
        proposer.check_reachable()
        workers = make_workers(self.evaluate, self.workers)
        study = Study(
            self.space,
            self.objectives,
            sampler,
            name=run.name,
            storage=self.storage or kept.get("storage") or run.folder / "study.log",
            fresh=not kept,
        )
        started = time.time()
        if kept:
            run.save_settings({**kept, "trials": self.trials})
        else:
            # Settings last: a run without them is one that never began, and begins anew.
            for paper in papers:
                study.enqueue(paper.choices, name=paper.name, baseline=True)
            for name, text in self.files.items():
                write_atomically(run.folder / name, text)
            run.save_settings({**self._facts(), "started": _clock(started), "seconds": 0.0})
        before = run.settings
        proposer.refused.update(before.get("counts", {}))
        study.count_from(1 + max((row.trial for row in rows), default=-1))
        for row in rows:
            proposer.remember(row.digest, self._objective_values(row))
        self._repair(study, rows)
        self.listener.began(len(rows), self.trials)
        try:
            self._loop(run, rows, study, proposer, workers, started)
        finally:
            workers.close()
            seconds = before.get("seconds", 0.0) + time.time() - started
            counts = dict(proposer.refused)
            counts["failed"] = sum(row.state == "failed" for row in rows)
            run.save_settings({**run.settings, "seconds": round(seconds, 3), "counts": counts})
        return run

    def _loop(
        self,
        run: Run,
        rows: list[Trial],
        study: Study,
        proposer: Proposer,
        workers: Workers,
        started: float,
    ) -> None:
        running = 0
        proposing = True
        while True:
            late = self.time_limit is not None and time.time() - started > self.time_limit
            while proposing and not late and workers.free and len(rows) + running < self.trials:
                try:
                    candidate = proposer.next(study)
                except Exhausted:
                    if running == 0:
                        self.listener.note(
                            "no further new design that fits the budget was found: ending after "
                            f"{_trials(len(rows))}"
                        )
                        proposing = False
                    break
                self.listener.started(candidate)
                workers.submit(candidate, self._reporter(candidate))
                running += 1
            if running == 0:
                if late:
                    self.listener.note(f"the time limit is reached after {_trials(len(rows))}")
                return
            for candidate, outcome in workers.wait():
                running -= 1
                self._record(run, rows, study, proposer, candidate, outcome)

    def _record(
        self,
        run: Run,
        rows: list[Trial],
        study: Study,
        proposer: Proposer,
        candidate: Candidate,
        outcome: Outcome,
    ) -> None:
        row = self._row(candidate, outcome)
        values = self._objective_values(row)
        if values is None and row.state == "finished":
            missing = next(name for name in self.objectives if row.objective(name) is None)
            raise InvalidValue(
                f"the evaluator must return every objective, got "
                f"{', '.join(outcome.values) or 'nothing'} and no {missing}"
            )
        # The row first: a crash between the two lines is repaired from it.
        run.append(row)
        rows.append(row)
        if values is None:
            study.reject(candidate.trial)
        else:
            study.finish(candidate.trial, values)
        proposer.remember(row.digest, values)
        self.listener.ended(row, front(rows, self.objectives))

    # -- parts

    def _repair(self, study: Study, rows: list[Trial]) -> None:
        """After a kill: tell what was recorded but not told, and try again what was cut off."""
        by_number = {row.trial: row for row in rows}
        waiting = study.waiting()
        for number, decisions, facts in study.open_trials():
            row = by_number.get(number)
            values = self._objective_values(row) if row else None
            if values is not None:
                study.finish(number, values)
                continue
            study.reject(number)
            # A trial killed while its decisions were still being asked is just dropped.
            if row is None and decisions not in waiting and self._is_whole(decisions):
                study.enqueue(decisions, **facts)

    def _is_whole(self, decisions: dict[str, Any]) -> bool:
        try:
            self.space.bind(decisions)
        except DseError:
            return False
        return True

    def _reporter(self, candidate: Candidate) -> Any:
        return lambda step, metrics: self.listener.reported(candidate, step, metrics)

    def _objective_values(self, row: Trial) -> list[float] | None:
        values = [row.objective(name) for name in self.objectives]
        known = [value for value in values if value is not None]
        return known if row.state == "finished" and len(known) == len(values) else None

    def _row(self, candidate: Candidate, outcome: Outcome) -> Trial:
        evaluate = self.evaluate
        conditions: dict[str, Any] = (
            evaluate.provenance() if isinstance(evaluate, Documented) else {}
        )
        return Trial(
            trial=candidate.trial,
            name=candidate.name,
            state="failed" if outcome.reason else "finished",
            baseline=candidate.baseline,
            choices=candidate.choices,
            design=candidate.network.model_dump(mode="json", exclude_defaults=True),
            digest=candidate.network.digest,
            cost={name: int(getattr(candidate.cost, name)) for name in COST_KEYS},
            latency_ms=candidate.latency_ms,
            values=outcome.values,
            history=outcome.history,
            seconds=round(outcome.seconds, 3),
            reason=outcome.reason,
            provenance={"dse": dse_version(), "search_seed": self.seed, **conditions},
        )

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
    """Hold the run for this process; the lock dies with it.

    Of a run that never began nothing is left, `files` least of all.
    """
    try:
        run.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(run.folder / ".lock")
        lock.acquire(timeout=0)
    except Timeout:
        raise InvalidValue(f"the run {run.name} is being worked on by another process") from None
    except OSError as error:
        raise DataError(f"{run.folder}: the run cannot be written: {error.strerror}") from None
    try:
        yield
    finally:
        if not (run.folder / "run.json").exists():
            for name in (*files, ".lock"):
                (run.folder / name).unlink(missing_ok=True)
            with suppress(OSError):
                run.folder.rmdir()
        lock.release()


def _trials(number: int) -> str:
    return f"{number} trial" if number == 1 else f"{number} trials"


def _clock(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(seconds))
