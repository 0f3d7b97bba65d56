"""The rows of a run and the one process that keeps them."""

from __future__ import annotations

from collections.abc import Sequence

from dse.runs import Run, Trial, front
from dse.search.crew import Crew
from dse.search.remote import MAIN, Signs
from dse.search.study import Entry


class Book:
    """The ledger of the process that keeps the run: rows go to its ``trials.jsonl``.

    Args:
        run: which.
        shared: whether other processes may be at the study too.
    """

    def __init__(self, run: Run, *, shared: bool) -> None:
        self.rows = run.trials
        self._run = run
        self.shared = shared
        self._signs = Signs()

    def begun(self, entries: Sequence[Entry]) -> int:
        # What ended elsewhere may not have become a row yet.
        begun = {e.number for e in entries if e.begun and (e.open or self.shared)}
        return len(begun.union(row.trial for row in self.rows))

    def record(self, row: Trial) -> bool:
        self._run.append(row)
        self.rows = [*(other for other in self.rows if other.trial != row.trial), row]
        return True

    # -- the beginning and the end

    def take_up(self, crew: Crew) -> None:
        """After a kill: tell what was recorded but not told, and go on with what was cut off."""
        self._signs.look(crew.study.facts())
        mine = {MAIN} if self._signs.others_known() else {MAIN, ""}
        rows = {row.trial: row for row in self.rows}
        for row in self.rows:
            crew.remember(row)
        for entry in crew.study.entries():
            if not entry.open or entry.owner not in mine:
                continue
            crew.meet(entry)
            if entry.paused is not None and entry.waits:
                crew.search.listener.paused(crew.candidate(entry), entry.paused["epochs"])
            # The row of one that waits was written when time was up.
            if entry.number in rows and not entry.waits:
                crew.tell(rows[entry.number])
            elif entry.begun is None:
                crew.study.adopt(entry.number)
            elif not entry.waits:
                crew.resume(entry)

    def close(self, crew: Crew, *, complete: bool) -> None:
        """Give up what still waits: for good if the search is complete, else until it goes on."""
        for entry in crew.study.entries():
            if entry.waits:
                crew.give_up(entry, for_good=complete)

    # -- other processes

    def others(self, crew: Crew, entries: Sequence[Entry]) -> bool:
        if not self.shared:
            return False
        self._signs.look(crew.study.facts())
        kept = {row.trial: row for row in self.rows}
        busy = False
        for entry in entries:
            if entry.owner == MAIN:
                continue
            crew.meet(entry)
            if entry.row is not None and entry.number not in kept:
                kept[entry.number] = self._harvest(crew, entry)
            if entry.under_way:
                busy = True
                if not self._signs.at_work(entry):
                    _take_over(crew, entry, kept.get(entry.number))
        for entry in crew.promotable(entries, own=False):
            busy = True
            if not self._signs.at_work(entry):
                crew.own(entry)
        return busy

    def _harvest(self, crew: Crew, entry: Entry) -> Trial:
        row = Trial(**(entry.row or {}))
        self.record(row)
        crew.remember(row)
        crew.search.listener.ended(row, front(self.rows, crew.search.objectives))
        return row


def _take_over(crew: Crew, entry: Entry, row: Trial | None) -> None:
    """Go on with what a process that fell silent was at."""
    if row is not None:
        crew.tell(row)
    elif entry.begun is None:
        crew.study.adopt(entry.number)
    else:
        crew.own(entry)
        crew.resume(entry)
