"""The page: one HTML file that holds all it needs and asks the network for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from dse.atomic import write_atomically
from dse.report import plots, wording
from dse.report.cards import card, cards
from dse.report.comparison import Comparison, read_comparison
from dse.report.conditions import Facts, budget, conditions, synthetic
from dse.report.curves import learning, losses
from dse.report.document import generated
from dse.report.knobs import Knob, knobs
from dse.report.learned import Learned, ProxyRow, StandingRow, learned, proxies, standings
from dse.report.packing import plotly
from dse.report.parallel import Parallel, parallel
from dse.report.plot import Plot, as_plotly
from dse.report.points import points
from dse.report.ranking import ranked, ranking
from dse.report.recommend import advice, spending
from dse.report.results import Result, results, scale, verdict
from dse.report.snapshot import Snapshot
from dse.resources import page_templates
from dse.runs import Run, Trial

if TYPE_CHECKING:
    from jinja2 import Environment

MOST_ROWS = 500
"""How many trials a page lists; the rest are in ``trials.jsonl``, and the page says so."""
MOST_REASONS = 100
"""How many reasons of failures, and how many damaged rows, it names."""
MOST_LEARNED = 6
"""Of how many runs it tells what they learned; the others' own pages do."""
_IMPORTANT = 12
"""How many decisions the plot of importance shows."""


@dataclass(frozen=True)
class Part:
    """What the page tells of one run; ids of its elements end in `suffix`."""

    run: Snapshot
    suffix: str
    winner: Trial | None
    headline: dict[str, Any] | None
    results: list[Result]
    scale: tuple[float, float]
    synthetic: bool
    budget: Facts
    standings: list[StandingRow]
    learned: Learned | None
    importance: Plot | None
    knobs: list[Knob]
    effects: dict[str, Any]
    parallel: Parallel | None
    proxies: list[ProxyRow]
    proxy_costs: Plot | None
    rows: Sequence[Trial]
    failed: Sequence[Trial]
    damaged: Sequence[str]
    conditions: list[tuple[str, Facts]]

    @property
    def trials(self) -> int:
        return len(self.run.trials)

    @property
    def teaches(self) -> bool:
        """Whether there is anything that the run learned."""
        return bool(self.standings or self.learned or self.parallel or self.proxies)


def write_report(runs: Run | Sequence[Run], path: Path) -> Path:
    """Write the page of a run, or of several compared, in one step, and return its path.

    A run in which no trial has finished yet, or all have failed, gets a page that says so and lists
    the failures: that is when one wants to read them.

    Raises:
        InvalidValue: a folder holds neither settings nor trials, so there is nothing to report; or
            a run is named twice.
    """
    found = read_comparison([runs] if isinstance(runs, Run) else runs)
    write_atomically(path, render(found))
    return path


def render(comparison: Comparison) -> str:
    """The page as text."""
    environment = _environment()
    several = len(comparison.runs) > 1
    parts = [
        _part(run, f"-{number}" if several else "", len(comparison.runs))
        for number, run in enumerate(comparison.runs)
    ]
    winner = comparison.first.winner
    sheets = cards(comparison, environment)
    pareto = points(comparison, sheets)
    curves = comparison.curves
    time = "seconds" if comparison.timed else "seconds of trials"
    drawn = {
        "by_trials": plots.hypervolume(curves["trials"], "trials") if curves else None,
        "by_time": plots.hypervolume(curves["seconds"], time) if curves else None,
        "distribution": plots.distribution(comparison),
    }
    searched = [group.runs[0] for group in comparison.groups]
    notes = [run.part("data").get("note") for run in comparison.runs]
    context: dict[str, Any] = {
        "c": comparison,
        "several": several,
        "runs": list(comparison.runs),
        "parts": parts,
        "taught": [part for part in parts if part.teaches][:MOST_LEARNED] if several else parts,
        "sections": _sections(comparison, parts, pareto is not None, drawn),
        "synthetic": any(part.synthetic for part in parts),
        "notes": list(dict.fromkeys(str(note) for note in notes if note)),
        "advice": advice(comparison),
        "spending": spending(comparison),
        "ranking": ranked(comparison),
        "pareto": pareto,
        "up": _up(comparison),
        "bars": bool(pareto and comparison.y_axes)
        and any("low" in run for run in (pareto or {}).get("runs", ())),
        "budgeted": any(part.budget for part in parts),
        "plots": drawn,
        "random_runs": any(plots.is_random(run) for run in searched),
        "guided_runs": not all(plots.is_random(run) for run in searched),
        "stopped": any(run.stopped for run in comparison.runs),
        "cards": sheets,
        "own": None if winner is None or several else card(comparison.first, winner),
        "curves": [] if several else _winners_curves(comparison.first),
        "plotly": "",
    }
    effects = [plot for part in parts for plot in (part.importance, part.proxy_costs)]
    if pareto or any(drawn.values()) or any(effects) or context["curves"]:
        context["plotly"] = plotly()
    return environment.get_template("report.html.j2").render(context)


def _part(run: Snapshot, suffix: str, runs: int) -> Part:
    """What is told of one of so many runs."""
    told = learned(run)
    found = results(run)
    free = proxies(run)
    turned = knobs(told.decisions) if told else []
    metric = told.metric if told else run.quality
    drawn = [as_plotly(plots.effects(knob.decisions, metric)) for knob in turned]
    return Part(
        run=run,
        suffix=suffix,
        winner=run.winner,
        headline=_headline(run),
        results=found,
        scale=scale(found),
        synthetic=synthetic(run),
        budget=budget(run),
        standings=standings(run),
        learned=told,
        importance=plots.importance(told.decisions[:_IMPORTANT]) if told else None,
        knobs=turned,
        effects={"plots": drawn},
        parallel=parallel(run, told, runs),
        proxies=free,
        proxy_costs=plots.proxy_costs(free),
        rows=run.trials[: max(1, MOST_ROWS // runs)],
        failed=run.failed[: max(1, MOST_REASONS // runs)],
        damaged=run.damaged[: max(1, MOST_REASONS // runs)],
        conditions=conditions(run),
    )


def _sections(
    comparison: Comparison, parts: Sequence[Part], pareto: bool, drawn: dict[str, Plot | None]
) -> list[tuple[str, str]]:
    """The ids of the page's sections, and what they are called at its head."""
    one = parts[0] if len(parts) == 1 else None
    found = [
        ("result", "Result", True),
        ("runs", "Runs", one is None),
        ("plot", "Trade-off", pareto),
        ("front", "Front", True),
        ("compared", "Compared" if one is None else "Progress", bool(comparison.curves)),
        ("distribution", "Distribution", drawn["distribution"] is not None),
        ("taught", "Learned", one is None and any(part.teaches for part in parts)),
        ("again", "Leaders", one is not None and bool(one.standings)),
        ("learned", "Learned", one is not None and one.learned is not None),
        ("parallel", "Lines", one is not None and one.parallel is not None),
        ("proxies", "Proxies", one is not None and bool(one.proxies)),
        ("winner", "Winner", one is not None and one.winner is not None),
        ("trials", "Trials", True),
        ("conditions", "Conditions", True),
    ]
    return [(id, name) for id, name, shown in found if shown]


def _up(comparison: Comparison) -> str:
    """The axis that the plot of designs begins with: the score, or where there is none a cost."""
    if comparison.y_axes:
        return comparison.y_axes[0]
    others = [axis for axis in comparison.cost_axes if axis != spending(comparison)]
    return next(iter(others), spending(comparison))


def _winners_curves(run: Snapshot) -> list[Markup]:
    """The learning curves beside the winner's card: those of its rivals too."""
    parts: Any = _environment().get_template("parts.html.j2").make_module({"w": wording})
    found = {
        "learning": learning(run),
        "losses": None if run.winner is None else losses(run.winner),
    }
    return [Markup(parts.figure(name, plot)) for name, plot in found.items() if plot is not None]


def _headline(snapshot: Snapshot) -> dict[str, Any] | None:
    """The winner beside its rival: on the test part or, until that is read, on validation."""
    winner = snapshot.winner
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


@cache
def _environment() -> Environment:
    result = page_templates("report", escape=True)
    result.policies["json.dumps_kwargs"] = {"sort_keys": False, "allow_nan": False}
    result.globals |= {"w": wording, "as_plotly": as_plotly, "generated_of": generated}
    return result
