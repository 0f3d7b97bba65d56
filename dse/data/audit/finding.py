"""What one check of an audit found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["ok", "look", "wrong"]
WORST_LAST: tuple[Verdict, ...] = ("ok", "look", "wrong")


@dataclass(frozen=True)
class Finding:
    """A check's verdict, in words and numbers.

    `ok` needs nothing; `look` is for a person to judge; `wrong` makes accuracies on this data
    untrue until it is mended. `says` is one sentence or a few, `advice` what to do (empty where
    there is nothing), `details` lines that show more, `facts` the same as JSON values.
    """

    check: str
    verdict: Verdict
    says: str
    advice: str = ""
    details: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "check": self.check,
            "verdict": self.verdict,
            "says": self.says,
            "advice": self.advice,
            **self.facts,
        }
