"""A run, or several compared, as JSON for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dse.report.comparison import read_comparison
from dse.report.dominance import Beaten
from dse.report.learned import proxies, standings
from dse.report.recommend import Advice, advice, spending
from dse.report.snapshot import Snapshot, read_snapshot
from dse.runs import Run


def document(run: Run, report: Path | None = None) -> dict[str, Any]:
    """What `dse report --json` prints of a run: ``run trials front winner report generated
    int8``.

    `trials` is how many rows the run has, damaged ones apart; `front` has one row per design of
    the Pareto front; `winner` is such a row or None, with `test` added if the test part was read
    for it; `report` is the page's path or None; `generated` are the paths of emitted files;
    `int8` is what was told of the winner quantised, or None.

    Args:
        run: the run.
        report: where its page is; by default ``report.html`` in its folder, if that exists.
    """
    page = report or run.folder / "report.html"
    return _of_run(read_snapshot(run), page)


def comparison_document(runs: Sequence[Run], report: Path) -> dict[str, Any]:
    """What `dse report --json` prints of several runs, or of one with all that its page tells.

    ``runs`` are the documents of each, with ``counts`` and ``damaged``; ``compared`` is by what:
    the score's name or ``cost``, with ``note`` saying why; ``advice``, ``hypervolume``,
    ``coverage`` and ``beaten`` are what the page shows under these heads.

    Args:
        runs: the runs.
        report: where their page is.
    """
    found = read_comparison(runs)
    titles = [group.title for group in found.groups]
    return {
        "runs": [
            {
                **_of_run(run, run.folder / "report.html"),
                "damaged": list(run.damaged),
                "standings": [asdict(row) for row in standings(run)],
                "proxies": [asdict(row) for row in proxies(run)],
            }
            for run in found.runs
        ],
        "groups": [
            {"name": group.name, "runs": [run.name for run in group.runs]} for group in found.groups
        ],
        "compared": "cost" if found.cost_only else found.quality,
        "note": found.cost_only,
        "cautions": found.cautions,
        "differences": {
            name: dict(zip(titles, values, strict=True)) for name, values in found.differences
        },
        "objectives": list(found.objectives),
        "advice": [_advice(spending(found), row) for row in advice(found)],
        "hypervolume": {
            by: [asdict(curve) for curve in curves] for by, curves in found.curves.items()
        },
        "coverage": [
            {"front": titles[i], "of": titles[j], "share": share}
            for i, row in enumerate(found.coverage)
            for j, share in enumerate(row)
            if i != j
        ],
        "beaten": {
            name: [_beaten(title, cell) for title, cell in zip(titles, cells, strict=True)]
            for name, cells in found.beaten.items()
        },
        "report": str(report),
    }


def generated(snapshot: Snapshot) -> list[str]:
    """The paths of the files that were emitted for a run."""
    paths = snapshot.settings.get("generated")
    return [str(path) for path in paths] if isinstance(paths, list) else []


def _of_run(snapshot: Snapshot, page: Path) -> dict[str, Any]:
    return {
        "run": snapshot.name,
        "trials": len(snapshot.trials),
        "front": [trial.front_row() for trial in snapshot.front()],
        "winner": _winner(snapshot),
        "report": str(page) if page.exists() else None,
        "generated": generated(snapshot),
        "int8": snapshot.settings.get("int8"),
    }


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


def _advice(key: str, row: Advice) -> dict[str, Any]:
    test = row.test
    return {
        "budget": {key: row.limit},
        "run": row.run.name,
        "trial": row.trial.trial,
        "name": row.trial.name,
        "values": row.trial.values,
        "interval": row.interval,
        "again": row.standing.mean if row.standing else None,
        "test": None if test is None else {"accuracy": test.accuracy, "interval": test.interval},
        "preset": None if row.preset is None else row.preset[1].name,
    }


def _beaten(title: str, cell: Beaten) -> dict[str, Any]:
    return {
        "by": title,
        "tried": cell.tried,
        "runs": cell.runs,
        "run": cell.run.name if cell.run else None,
        "trial": cell.example.trial if cell.example else None,
    }
