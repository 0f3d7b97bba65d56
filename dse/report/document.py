"""A run as JSON for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dse.report.snapshot import Snapshot, read_snapshot
from dse.runs import Run


def document(run: Run, report: Path | None = None) -> dict[str, Any]:
    """What `dse report --json` prints: ``run trials front winner report generated``.

    `trials` is how many rows the run has, damaged ones apart; `front` has one row per design of
    the Pareto front; `winner` is such a row or None, with `test` added if the test part was read
    for it; `report` is the page's path or None; `generated` are the paths of emitted files.

    Args:
        run: the run.
        report: where its page is; by default ``report.html`` in its folder, if that exists.
    """
    snapshot = read_snapshot(run)
    page = report or run.folder / "report.html"
    return {
        "run": run.name,
        "trials": len(snapshot.trials),
        "front": [trial.front_row() for trial in snapshot.front()],
        "winner": _winner(snapshot),
        "report": str(page) if page.exists() else None,
        "generated": generated(snapshot),
    }


def generated(snapshot: Snapshot) -> list[str]:
    """The paths of the files that were emitted for a run."""
    paths = snapshot.settings.get("generated")
    return [str(path) for path in paths] if isinstance(paths, list) else []


def _winner(snapshot: Snapshot) -> dict[str, Any] | None:
    winner = snapshot.winner
    if winner is None:
        return None
    results = snapshot.settings.get("result")
    tests = [
        row
        for row in (results if isinstance(results, list) else [])
        if isinstance(row, dict) and row.get("trial") == winner.trial
    ]
    return {**winner.front_row(), **({"test": tests[0]} if tests else {})}
