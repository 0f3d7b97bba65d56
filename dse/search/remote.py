"""Several machines at one search: they meet in the study's storage.

One process keeps the run, its rows and its budget of trials; it is the only one to take over what
another left behind. Each of the others asks the same samplers for designs, evaluates them and
leaves rows in the storage. Whoever holds a design's checkpoint sends it on from its rung, judging
by everybody's values.

Every process gives a sign of life to the storage. One whose sign did not change for a minute, by
the clock of whoever looks, is taken for dead.
"""

from __future__ import annotations

import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.errors import InvalidValue
from dse.runs import Trial
from dse.search.baselines import baselines
from dse.search.crew import Crew
from dse.search.feasible import FeasibleSpace
from dse.search.proposals import Proposer
from dse.search.samplers import make_sampler
from dse.search.study import Entry, Study, facts_in
from dse.search.workers import make_workers

if TYPE_CHECKING:
    from dse.search.engine import Search

MAIN = "main"
"""The owner of what the process that keeps the run evaluates."""
SEARCH, COMPLETE = "search", "complete"
"""Facts of the study: what is searched for and how; whether that is over."""

BEAT = 5.0
"""Seconds between two signs of life."""
SILENCE = 60.0
"""Seconds without one after which a process is taken for dead."""

_SIGN = "alive "


@contextmanager
def signs_of_life(study: Study, owner: str) -> Iterator[None]:
    """Give them while the context lasts, and in the end say good-bye."""
    over = threading.Event()

    def beat() -> None:
        count = 0
        while not over.wait(BEAT if count else 0):
            count += 1
            study.tell_all(_SIGN + owner, count)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        study.tell_all(_SIGN + owner, 0)


class Signs:
    """Who lives, by the signs in the study's facts and this process's own clock."""

    def __init__(self) -> None:
        self._facts: Mapping[str, Any] = {}
        self._seen: dict[str, tuple[Any, float]] = {}

    def look(self, facts: Mapping[str, Any]) -> None:
        """Take note of the study's facts."""
        self._facts = facts

    def alive(self, owner: str) -> bool:
        """Whether a process has not fallen silent; one never heard of is given time to speak."""
        sign, now = self._facts.get(_SIGN + owner), time.monotonic()
        before, since = self._seen.setdefault(owner, (sign, now))
        if sign != before:
            self._seen[owner] = (sign, now)
            since = now
        return sign != 0 and now - since < SILENCE

    def at_work(self, entry: Entry) -> bool:
        """Whether whoever has a trial lives; who has just asked for it may not have said so yet."""
        return self.alive(entry.owner or f"whoever asked for trial {entry.number}")

    def others_known(self) -> bool:
        """Whether any process but the one that keeps the run has ever been at the study."""
        return any(key.startswith(_SIGN) and key != _SIGN + MAIN for key in self._facts)


class Hand:
    """The ledger of a process that helps: rows go to the storage, for who keeps the run."""

    def __init__(self, study: Study, owner: str) -> None:
        self.rows: list[Trial] = []
        self.shared = True
        self._study = study
        self._owner = owner
        self._signs = Signs()

    def begun(self, entries: Sequence[Entry]) -> int:
        return sum(entry.begun is not None for entry in entries)

    def record(self, row: Trial) -> bool:
        mine = next(e for e in self._study.entries() if e.number == row.trial)
        if not mine.open or mine.owner != self._owner:
            return False  # it was taken over: this process had fallen silent
        self._study.keep_row(row.trial, asdict(row))
        self.rows.append(row)
        return True

    def others(self, crew: Crew, entries: Sequence[Entry]) -> bool:
        facts = self._study.facts()
        self._signs.look(facts)
        crew.search.trials = int(facts[SEARCH]["trials"])
        crew.dismissed = bool(facts.get(COMPLETE)) or not self._signs.alive(MAIN)
        busy = False
        for entry in entries:
            if entry.owner != self._owner:
                crew.meet(entry)
                busy |= entry.under_way and self._signs.at_work(entry)
        return busy | any(map(self._signs.at_work, crew.promotable(entries, own=False)))


def running_search(url: str, name: str) -> dict[str, Any]:
    """What a search that other processes may help with was begun with.

    Raises:
        UnknownName: there is no such search in the storage.
        InvalidValue: the storage cannot be opened, or the search is complete or not running.
    """
    facts = facts_in(url, name)
    found = facts.get(SEARCH)
    if not isinstance(found, dict) or "options" not in found:
        raise InvalidValue(f"the study {name} in {url} was not made by dse search --storage")
    if facts.get(COMPLETE):
        raise InvalidValue(f"the search {name} in {url} is complete; there is nothing to help with")
    if not facts.get(_SIGN + MAIN):
        raise InvalidValue(
            f"the search {name} in {url} is not running; go on with it first: "
            f"dse search --run {name} --resume"
        )
    return found


def help_with(search: Search, url: str, name: str) -> list[Trial]:
    """Evaluate designs of a search that another process keeps, until it is over; their rows."""
    owner = f"{socket.gethostname()}-{os.getpid()}"
    domain = FeasibleSpace(search.space, search.budget)
    sampler = make_sampler(search.sampler, domain, search.objectives, search.seed)
    study = Study(search.space, search.objectives, sampler, name=name, storage=url, asker=owner)
    presets = {p.network.digest: p.network for p in baselines(search.space, search.budget)}
    workers = make_workers(search.evaluate, search.workers)
    hand = Hand(study, owner)
    with tempfile.TemporaryDirectory(prefix="dse-worker-") as folder:
        crew = Crew(
            search,
            study,
            Proposer(domain, presets=presets),
            workers,
            hand,
            owner=owner,
            folder=Path(folder),
        )
        try:
            with signs_of_life(study, owner):
                crew.run(time.time())
        finally:
            workers.close()
    return hand.rows
