"""Keeps workers busy: what each of them does next, and what came of it."""

from __future__ import annotations

import math
import shutil
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from dse.runs import COST_KEYS, Trial, direction, front
from dse.search.candidate import Candidate, Resumable
from dse.search.domain import Exhausted
from dse.search.proposals import Proposer
from dse.search.row import objective_values, row_of
from dse.search.rungs import Gate, ladder, next_rung, promoted
from dse.search.study import Entry, Study
from dse.search.workers import Job, Outcome, Workers

if TYPE_CHECKING:
    from dse.search.engine import Search

_RUNGS = "rungs"
"""The study's fact that says where designs pause."""
_DEATHS = 2
"""So many processes a design may take with it before it counts as failed."""
_LOOK = 2.0
"""Seconds between two looks at what other machines do."""


class Ledger(Protocol):
    """Where rows go, and what others add to them."""

    rows: list[Trial]
    shared: bool

    def begun(self, entries: Sequence[Entry]) -> int:
        """How many designs were begun, by anybody."""
        ...

    def record(self, row: Trial) -> bool:
        """Keep a row; false where it is no longer this process's to keep."""
        ...

    def others(self, crew: Crew, entries: Sequence[Entry]) -> bool:
        """Take note of what other processes did; whether one of them may still change anything."""
        ...


class Crew:
    """The workers of one process and what they are at.

    Args:
        search: what is searched for and how.
        study: who proposes.
        proposer: what makes candidates of it.
        workers: who evaluates.
        ledger: where rows go.
        owner: this process, as the study knows it.
        folder: where evaluators that can pause keep candidates.
    """

    def __init__(
        self,
        search: Search,
        study: Study,
        proposer: Proposer,
        workers: Workers,
        ledger: Ledger,
        *,
        owner: str,
        folder: Path,
    ) -> None:
        self.study = study
        self.owner = owner
        self.search = search
        self.dismissed = False
        """Set by the ledger where the search is over: nothing more is begun."""
        self._proposer = proposer
        self._workers = workers
        self._ledger = ledger
        self._folder = folder
        self._span = search.evaluate.span if isinstance(search.evaluate, Resumable) else None
        self._rungs: tuple[int, ...] | None = None
        self._running = 0
        self._proposing = True
        self._again: deque[Job] = deque()
        self._met: set[int] = set()

    # -- the loop

    def run(self, started: float) -> bool:
        """Work until there is nothing more to do; false if time was up before."""
        limit = self.search.time_limit
        while True:
            late = limit is not None and time.time() - started > limit
            while self._workers.free and not (late or self.dismissed):
                job = self._next()
                if job is None:
                    break
                self.search.listener.started(job.candidate)
                self._workers.submit(job, self._reporter(job.candidate))
                self._running += 1
            # One look for all: between two, the last design may pass from one process to another.
            matters = self._ledger.shared or self._running == 0
            entries = self.study.entries() if matters else []
            others = self._ledger.others(self, entries)
            if self._running == 0:
                if late:
                    done = trials(len(self._ledger.rows))
                    self.search.listener.note(f"the time limit is reached after {done}")
                    return False
                if self.dismissed or not (others or self._has_work(entries)):
                    return True
                time.sleep(_LOOK)
                continue
            for job, outcome in self._workers.wait(_LOOK if others else None):
                self._running -= 1
                self._ended(job, outcome)

    def _next(self) -> Job | None:
        """What a free worker does: go on with what was cut off, send on the best that wait, begin
        a new design.
        """
        if self._again:
            return self._again.popleft()
        if self.study.adopted:
            return self._propose()
        entries = self.study.entries()
        job = self._promotion(entries)
        if job is not None:
            return job
        return self._propose() if self._may_begin(entries) else None

    def _may_begin(self, entries: Sequence[Entry]) -> bool:
        return self._proposing and self._ledger.begun(entries) < self.search.trials

    def _has_work(self, entries: Sequence[Entry]) -> bool:
        return self._may_begin(entries) or any(self.promotable(entries, own=True))

    def _propose(self) -> Job | None:
        try:
            candidate = self._proposer.next(self.study)
        except Exhausted:
            if self._running == 0:
                self.search.listener.note(
                    "no further new design that fits the budget was found: ending after "
                    f"{trials(self._ledger.begun(self.study.entries()))}"
                )
                self._proposing = False
            return None
        self.study.begin(candidate.trial, candidate.network.digest, self.owner)
        self._met.add(candidate.trial)
        if self._ledger.shared and self._clashes(candidate):
            self.study.withdraw(candidate.trial)
            return self._next()
        return self._job(candidate, next_rung(self.rungs, 0))

    def _clashes(self, candidate: Candidate) -> bool:
        """Whether somebody else began the same design, or the last one, at the same moment."""
        entries = self.study.entries()
        others = [e.begun["digest"] for e in entries if e.begun and e.number != candidate.trial]
        return (
            candidate.network.digest in others or self._ledger.begun(entries) > self.search.trials
        )

    # -- rungs

    @property
    def rungs(self) -> tuple[int, ...]:
        """The epochs, or reports, after which designs are judged; empty while none are known."""
        if self._rungs is None:
            kept = self.study.facts().get(_RUNGS)
            if kept is not None:
                self._rungs = tuple(kept)
            elif self._span is not None:
                least, total = self._span
                self._rungs = self._choose_rungs(total, least)
        return self._rungs or ()

    @property
    def rungs_met(self) -> tuple[int, ...]:
        """The same as far as they came up, without a look into the storage."""
        return self._rungs or ()

    def _choose_rungs(self, total: int, least: int = 2) -> tuple[int, ...]:
        asked = self.search.rungs
        if asked is True:
            chosen = ladder(total, self.search.trials, least)
        else:
            chosen = tuple(rung for rung in asked or () if rung < total)
        self.study.tell_all(_RUNGS, list(chosen))
        return chosen

    def _promotion(self, entries: Sequence[Entry]) -> Job | None:
        """The best design that waits, on its way to the next rung, if one may go on."""
        entry = next(self.promotable(entries, own=True), None)
        if entry is None:
            return None
        assert entry.paused is not None
        return self.send_on(entry, next_rung(self.rungs, entry.paused["epochs"]))

    def promotable(self, entries: Sequence[Entry], *, own: bool) -> Iterator[Entry]:
        """Who may go on from its rung, the highest first: this process's designs or the others'."""
        if self._span is None:
            return
        for rung in reversed(self.rungs):
            entry = self._best_at(entries, rung)
            if entry is not None and self.owns(entry) == own:
                yield entry

    def _best_at(self, entries: Sequence[Entry], rung: int) -> Entry | None:
        reached = {entry.number: entry for entry in entries if rung in entry.rungs}
        losses = {number: self._losses(entry.rungs[rung]) for number, entry in reached.items()}
        gone = {number for number, entry in reached.items() if _aim(entry) > rung}
        waiting = {number for number, entry in reached.items() if entry.waits_at(rung)}
        number = promoted(losses, gone, waiting)
        return None if number is None else reached[number]

    def send_on(self, entry: Entry, until: int | None) -> Job:
        """Let a design that waits go on to the end of an epoch."""
        assert self._span is not None
        self.study.send_on(entry.number, until or self._span[1])
        return self._job(self.candidate(entry), until)

    def owns(self, entry: Entry) -> bool:
        """Whether a trial is this process's."""
        return entry.begun is not None and entry.begun["owner"] == self.owner

    def _losses(self, values: Sequence[float]) -> tuple[float, ...]:
        return tuple(s * v for s, v in zip(self._signs(), values, strict=True))

    def _signs(self) -> list[int]:
        return [-1 if direction(n) == "maximize" else 1 for n in self.search.objectives]

    def at_rungs(self, row: Trial) -> dict[int, list[float]]:
        """A row's objectives at each rung that it reached, as far as it reported them."""
        found: dict[int, list[float]] = {}
        for rung in self.rungs:
            reported = row.history[rung - 1] if rung <= len(row.history) else {}
            values = {**_costs(row.cost, row.latency_ms), **reported}
            own = [values.get(name, math.nan) for name in self.search.objectives]
            if reported and all(map(math.isfinite, own)):
                found[rung] = own
        return found

    def _gate(self, candidate: Candidate) -> Gate | None:
        """What stops an evaluation that cannot pause; baselines are never stopped."""
        if self._span is not None or candidate.baseline or not self.rungs:
            return None
        cost = {key: getattr(candidate.cost, key) for key in COST_KEYS}
        entries = self.study.entries()
        return Gate(
            self.rungs,
            tuple(zip(self.search.objectives, self._signs(), strict=True)),
            _costs(cost, candidate.latency_ms),
            {
                epochs: [self._losses(e.rungs[epochs]) for e in entries if epochs in e.rungs]
                for epochs in self.rungs
            },
        )

    # -- candidates

    def candidate(self, entry: Entry) -> Candidate:
        """The candidate of a trial that was begun, from the study alone."""
        assert entry.begun is not None
        network, cost = self.search.space.evaluate(entry.decisions)
        network = self._proposer.named(network)
        return Candidate(
            trial=entry.number,
            name=str(entry.facts.get("name", network.name)),
            network=network,
            choices=dict(entry.decisions),
            cost=cost,
            baseline=_is_baseline(entry.facts),
        )

    def resume(self, entry: Entry) -> None:
        """Go on with a trial that was begun and cut off."""
        aim = entry.aim or next_rung(self.rungs, 0)
        self._again.append(self._job(self.candidate(entry), aim if aim in self.rungs else None))

    def own(self, entry: Entry) -> None:
        """Note that a trial is this process's from now on."""
        assert entry.begun is not None
        self.study.begin(entry.number, entry.begun["digest"], self.owner)

    def meet(self, entry: Entry) -> None:
        """Know the design of a trial that was begun, so that it is not proposed again."""
        if entry.begun is not None and entry.number not in self._met:
            self._met.add(entry.number)
            self._proposer.remember(entry.begun["digest"], None)

    def _job(self, candidate: Candidate, until: int | None) -> Job:
        if self._span is None or candidate.baseline:
            until = None
        home = self._folder / f"{candidate.trial}-{candidate.network.digest[:8]}"
        return Job(candidate, home, until, self._gate(candidate))

    def _reporter(self, candidate: Candidate) -> Any:
        return lambda step, metrics: self.search.listener.reported(candidate, step, metrics)

    # -- outcomes

    def _ended(self, job: Job, outcome: Outcome) -> None:
        candidate = job.candidate
        if outcome.state == "killed":
            retried = self._killed(job, outcome)
            if retried is None:
                return
            outcome = retried
        row = row_of(self.search, candidate, outcome)
        if outcome.state == "paused":
            self.search.listener.paused(candidate, row.epochs)
            self._pause(row)
            return
        # The row first: a crash between the two lines is repaired from it.
        if self._ledger.record(row):
            self.tell(row)
            self.search.listener.ended(row, front(self._ledger.rows, self.search.objectives))
        shutil.rmtree(job.folder, ignore_errors=True)

    def _killed(self, job: Job, outcome: Outcome) -> Outcome | None:
        """A failure if the design has taken enough processes with it; else it is tried again."""
        number = job.candidate.trial
        deaths = 1 + next(e.deaths for e in self.study.entries() if e.number == number)
        self.study.died(number, deaths)
        if deaths < _DEATHS:
            self.search.listener.note(
                f"the process at trial {number} was killed, most likely for want of memory; it is "
                "tried once more"
            )
            self._again.append(job)
            return None
        reason = f"its process was killed {deaths} times, most likely for want of memory"
        return Outcome("failed", {}, [], outcome.seconds, reason)

    def _pause(self, row: Trial) -> None:
        """Have a design wait at a rung, or go on at once if it cannot be judged there."""
        assert self._span is not None
        outcome = {
            "epochs": row.epochs,
            "values": row.values,
            "history": row.history,
            "seconds": row.seconds,
        }
        rungs = self.at_rungs(row)
        self.study.pause(row.trial, outcome, rungs)
        if row.epochs not in rungs:
            entry = next(e for e in self.study.entries() if e.number == row.trial)
            self._again.append(self.send_on(entry, None))

    def tell(self, row: Trial) -> None:
        """Tell the study and the proposer how a trial ended; twice is harmless."""
        if not self.rungs and self._rungs is None and row.state == "finished" and row.epochs:
            self._rungs = self._choose_rungs(row.epochs)  # nobody knew how often it would report
        values = objective_values(self.search, row)
        if row.state == "stopped":
            self.study.stop(row.trial, row.epochs, self.at_rungs(row))
        elif values is None:
            self.study.reject(row.trial)
        else:
            self.study.constrain(row.trial, self._constraints(row))
            self.study.finish(row.trial, values, self.at_rungs(row))
        self.remember(row)

    def _constraints(self, row: Trial) -> dict[str, float]:
        """By how much a row misses each requirement; zero is met."""
        return {str(each): row.misses.get(str(each), 0.0) for each in self.search.require}

    def remember(self, row: Trial) -> None:
        """Know a row's design, so that it is not evaluated again."""
        self._met.add(row.trial)
        self._proposer.remember(row.digest, objective_values(self.search, row))

    def give_up(self, entry: Entry, *, for_good: bool) -> None:
        """Keep the row of a design that waits in vain."""
        paused = entry.paused
        assert paused is not None
        outcome = Outcome("stopped", paused["values"], paused["history"], paused["seconds"])
        row = row_of(self.search, self.candidate(entry), outcome)
        self._ledger.record(row)
        if for_good:
            self.tell(row)
        self.search.listener.ended(row, front(self._ledger.rows, self.search.objectives))


def trials(number: int) -> str:
    """``1 trial``, ``2 trials``."""
    return f"{number} trial" if number == 1 else f"{number} trials"


def _costs(cost: Mapping[str, int], latency_ms: float | None) -> dict[str, float]:
    costs: dict[str, float] = {key: float(value) for key, value in cost.items()}
    return costs if latency_ms is None else {**costs, "latency_ms": latency_ms}


def _is_baseline(facts: Mapping[str, Any]) -> bool:
    return bool(facts.get("baseline", False))


def _aim(entry: Entry) -> float:
    """The epochs up to which a trial was sent, or went."""
    if entry.stopped_at:
        return entry.stopped_at
    if not entry.open or _is_baseline(entry.facts):
        return math.inf
    return max(entry.aim, entry.paused["epochs"] if entry.paused else 0)
