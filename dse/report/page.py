"""The page: one HTML file that holds all it needs and asks the network for nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.atomic import write_atomically
from dse.errors import InvalidValue
from dse.report import wording
from dse.report.conditions import budget, conditions, synthetic
from dse.report.document import generated
from dse.report.learned import learned, proxies, standings
from dse.report.plots import AXIS_TITLES, learning, losses, pareto
from dse.report.ranking import ranking
from dse.report.results import results, scale, verdict
from dse.report.snapshot import Snapshot, read_snapshot
from dse.resources import resource_dir
from dse.runs import Run, Trial

if TYPE_CHECKING:
    from jinja2 import Environment

MOST_ROWS = 1_000
"""How many trials the page lists; the rest are in ``trials.jsonl``, and the page says so."""


def write_report(run: Run, path: Path) -> Path:
    """Write the page of a run, in one step, and return its path.

    A run in which no trial has finished yet, or all have failed, gets a page that says so and lists
    the failures: that is when one wants to read them.

    Raises:
        InvalidValue: the folder holds neither settings nor trials, so there is nothing to report.
    """
    snapshot = read_snapshot(run)
    if not (snapshot.settings or snapshot.trials or snapshot.damaged):
        raise InvalidValue(
            f"a report needs a run's settings or trials, got neither in {run.folder}"
        )
    write_atomically(path, render(snapshot))
    return path


def render(snapshot: Snapshot) -> str:
    """The page as text."""
    from plotly.offline import get_plotlyjs

    from dse.report.design import inspect_design

    winner = snapshot.winner
    plots = {"pareto": pareto(snapshot), "learning": learning(snapshot), "losses": losses(snapshot)}
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            run=snapshot,
            winner=winner,
            design=inspect_design(winner) if winner is not None else None,
            headline=_headline(snapshot, winner),
            results=results(snapshot),
            scale=scale(results(snapshot)),
            synthetic=synthetic(snapshot),
            note=str(snapshot.part("data").get("note") or ""),
            classes=snapshot.part("data").get("classes"),
            budget=budget(snapshot),
            ranking=ranking(snapshot),
            standings=standings(snapshot),
            learned=learned(snapshot),
            proxies=proxies(snapshot),
            plots=plots,
            axis_titles=AXIS_TITLES,
            trials=snapshot.trials[:MOST_ROWS],
            generated=generated(snapshot),
            conditions=conditions(snapshot),
            plotly=get_plotlyjs() if any(plots.values()) else "",
            w=wording,
        )
    )


def _headline(snapshot: Snapshot, winner: Trial | None) -> dict[str, Any] | None:
    """The winner beside its rival: on the test part or, until that is read, on validation."""
    if winner is None:
        return None
    scored = results(snapshot)
    mine = next((result for result in scored if result.winner), None)
    if mine is not None:
        rival = next((result for result in scored if not result.winner), None)
        by_number = {trial.trial: trial for trial in snapshot.trials}
        return {
            "result": mine,
            "rival": rival,
            "rival_trial": by_number.get(rival.trial)
            if rival and rival.trial is not None
            else None,
            "verdict": verdict(mine, rival),
        }
    beside = [row for row in ranking(snapshot) if row.baseline and row.trial != winner.trial]
    best = {trial.trial: trial for trial in snapshot.baselines}
    return {
        "result": None,
        "rival": None,
        "rival_trial": best[beside[0].trial] if beside else None,
        "verdict": "",
    }


def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    result = Environment(
        loader=FileSystemLoader(resource_dir("templates") / "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    result.policies["json.dumps_kwargs"] = {"sort_keys": False, "allow_nan": False}
    return result
