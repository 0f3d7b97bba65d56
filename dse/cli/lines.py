"""A search's progress as plain lines, for a machine that sees only a part of it."""

from __future__ import annotations

from dse.cli.output import say
from dse.runs import Trial
from dse.search import Candidate, Listener


class Lines(Listener):
    """A line on stderr for whatever begins or ends here."""

    def started(self, candidate: Candidate) -> None:
        say(f"trial {candidate.trial} {candidate.name}: {candidate.cost.params:,} parameters")

    def ended(self, row: Trial, front: list[Trial]) -> None:
        values = ", ".join(f"{name} {value:.4g}" for name, value in row.values.items())
        say(f"trial {row.trial} {row.name}: {row.reason or values}")

    def note(self, text: str) -> None:
        say(text)
