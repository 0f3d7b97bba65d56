"""The test part, read once: the winner and presets beside it, and what may be said of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from dse.report.snapshot import Snapshot, is_number


@dataclass(frozen=True)
class ClassRow:
    """One class against the rest."""

    name: str
    precision: float | None
    recall: float | None
    f1: float | None
    support: int | None


@dataclass(frozen=True)
class Result:
    """A design on the test part; what was not measured is None or empty."""

    trial: int | None
    name: str
    baseline: bool
    winner: bool
    part: str
    n: int | None
    accuracy: float
    interval: tuple[float, float] | None
    balanced_accuracy: float | None
    auroc: float | None
    classes: tuple[ClassRow, ...]
    confusion: tuple[tuple[int, ...], ...]


def results(snapshot: Snapshot) -> list[Result]:
    """The scored designs, the winner first, then by accuracy; none without an accuracy."""
    entries = snapshot.settings.get("result")
    winner = snapshot.winner
    number = None if winner is None else winner.trial
    names = snapshot.part("data").get("classes")
    known = [str(name) for name in names] if isinstance(names, list) else []
    found = [
        _result(entry, number, known)
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict) and is_number(entry.get("accuracy"))
    ]
    return sorted(found, key=lambda result: (not result.winner, -result.accuracy))


def scale(rows: list[Result]) -> tuple[float, float]:
    """Ends of an axis, in whole steps of 10 %, that all accuracies and intervals fit on."""
    values = [value for row in rows for value in (row.accuracy, *(row.interval or ()))]
    low = math.floor(10 * min(values, default=0) + 1e-9) / 10
    return low, max(math.ceil(10 * max(values, default=1) - 1e-9) / 10, low + 0.1)


def verdict(winner: Result, rival: Result | None) -> str:
    """One sentence on winner and rival that claims no more than the intervals allow."""
    if rival is None:
        return "Nothing was scored beside it."
    kind = "presets" if rival.baseline else "searched designs"
    points = 100 * (winner.accuracy - rival.accuracy)
    if abs(points) < 0.05:
        start = f"That equals {rival.name}, the best of the {kind}"
    else:
        more = "above" if points > 0 else "below"
        start = f"That is {abs(points):.1f} points {more} {rival.name}, the best of the {kind}"
    if winner.interval is None or rival.interval is None:
        return f"{start}; without intervals, chance cannot be told from merit."
    apart = winner.interval[0] > rival.interval[1] or winner.interval[1] < rival.interval[0]
    if apart:
        return f"{start}, and their intervals do not overlap."
    return f"{start}; their intervals overlap, so this test does not settle which is more accurate."


def _result(entry: dict[str, Any], winner: int | None, names: list[str]) -> Result:
    trial = entry.get("trial")
    interval = entry.get("interval")
    sound = isinstance(interval, list) and len(interval) == 2 and all(map(is_number, interval))
    return Result(
        trial=trial if isinstance(trial, int) else None,
        name=str(entry.get("name", "?")),
        baseline=entry.get("baseline") is True,
        winner=trial is not None and trial == winner,
        part=str(entry.get("part", "test")),
        n=_whole(entry.get("n")),
        accuracy=entry["accuracy"],
        interval=(interval[0], interval[1]) if isinstance(interval, list) and sound else None,
        balanced_accuracy=_real(entry.get("balanced_accuracy")),
        auroc=_real(entry.get("auroc")),
        classes=_classes(entry.get("per_class")),
        confusion=_confusion(entry.get("confusion"), len(names)),
    )


def _classes(table: Any) -> tuple[ClassRow, ...]:
    rows = table.items() if isinstance(table, dict) else ()
    return tuple(
        ClassRow(
            str(name),
            _real(row.get("precision")),
            _real(row.get("recall")),
            _real(row.get("f1")),
            _whole(row.get("support")),
        )
        for name, row in rows
        if isinstance(row, dict)
    )


def _confusion(table: Any, classes: int) -> tuple[tuple[int, ...], ...]:
    """The square table of counts, if it is one and as large as there are classes."""
    if not isinstance(table, list) or not classes or len(table) != classes:
        return ()
    square = all(
        isinstance(row, list) and len(row) == classes and all(map(is_number, row)) for row in table
    )
    return tuple(tuple(int(n) for n in row) for row in table) if square else ()


def _real(value: Any) -> float | None:
    return float(value) if is_number(value) else None


def _whole(value: Any) -> int | None:
    return int(value) if is_number(value) else None
