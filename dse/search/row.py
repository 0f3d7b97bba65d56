"""What is written down of a candidate that was evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dse.errors import InvalidValue
from dse.runs import COST_KEYS, Trial
from dse.search.candidate import Candidate, Documented
from dse.search.workers import Outcome
from dse.version import dse_version

if TYPE_CHECKING:
    from dse.search.engine import Search


def row_of(search: Search, candidate: Candidate, outcome: Outcome) -> Trial:
    """The row of a candidate.

    Raises:
        InvalidValue: the evaluator left out an objective, or a metric that is required, which no
            other candidate can mend.
    """
    evaluate = search.evaluate
    conditions: dict[str, Any] = evaluate.provenance() if isinstance(evaluate, Documented) else {}
    assert outcome.state != "killed"
    row = Trial(
        trial=candidate.trial,
        name=candidate.name,
        state="stopped" if outcome.state == "paused" else outcome.state,
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
        provenance={"dse": dse_version(), "search_seed": search.seed, **conditions},
        epochs=len(outcome.history),
        misses=_misses(search, outcome.values) if outcome.state == "finished" else {},
        ended=datetime.now().astimezone().isoformat(timespec="milliseconds"),
    )
    if row.state != "failed":
        _check_objectives(search, row)
    return row


def objective_values(search: Search, row: Trial) -> list[float] | None:
    """The objectives of a finished row."""
    values = [row.objective(name) for name in search.objectives]
    known = [value for value in values if value is not None]
    return known if row.state == "finished" and len(known) == len(values) else None


def _misses(search: Search, values: Mapping[str, float]) -> dict[str, float]:
    for each in search.require:
        if each.metric not in values:
            raise InvalidValue(
                f"the evaluator must return every metric that is required, got "
                f"{', '.join(values) or 'nothing'} and no {each.metric}"
            )
    missed = {str(each): each.violation(values) for each in search.require}
    return {name: amount for name, amount in missed.items() if amount}


def _check_objectives(search: Search, row: Trial) -> None:
    for name in search.objectives:
        if row.objective(name) is None:
            raise InvalidValue(
                f"the evaluator must return every objective, got "
                f"{', '.join(row.values) or 'nothing'} and no {name}"
            )
