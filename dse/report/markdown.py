"""The report as Markdown with pictures beside it, for papers and pull requests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dse.atomic import write_atomically
from dse.report import plots, wording
from dse.report.comparison import Comparison, read_comparison
from dse.report.conditions import conditions, synthetic
from dse.report.curves import learning
from dse.report.learned import learned, proxies, standings
from dse.report.plot import Plot, as_svg
from dse.report.points import drawn
from dse.report.ranking import ranked
from dse.report.recommend import advice, spending
from dse.report.results import results, verdict
from dse.resources import page_templates
from dse.runs import Run

if TYPE_CHECKING:
    from jinja2 import Environment

_IMPORTANT = 12


def write_markdown(runs: Run | Sequence[Run], path: Path) -> list[Path]:
    """Write the report of a run or several as Markdown, its pictures as SVG files beside it.

    Returns:
        The files: the text first; pictures are named after it, ``REPORT-front.svg``.

    Raises:
        InvalidValue: a folder holds neither settings nor trials, or a run is named twice.
    """
    comparison = read_comparison([runs] if isinstance(runs, Run) else runs)
    pictures = _pictures(comparison)
    files = {name: path.with_name(f"{path.stem}-{name}.svg") for name in pictures}
    for name, plot in pictures.items():
        write_atomically(files[name], as_svg(plot, alone=True) + "\n")
    first = comparison.first
    told = learned(first) if len(comparison.runs) == 1 else None
    text = (
        _environment()
        .get_template("report.md.j2")
        .render(
            c=comparison,
            several=len(comparison.runs) > 1,
            first=first,
            winner=first.winner,
            synthetic=any(synthetic(run) for run in comparison.runs),
            notes=list(
                dict.fromkeys(str(run.part("data").get("note") or "") for run in comparison.runs)
            ),
            results=results(first),
            verdict=_verdict(comparison),
            advice=advice(comparison),
            spending=spending(comparison),
            ranking=ranked(comparison),
            learned=told,
            standings=standings(first) if len(comparison.runs) == 1 else [],
            proxies=proxies(first) if len(comparison.runs) == 1 else [],
            pictures={name: file.name for name, file in files.items()},
            abouts={name: plot.about for name, plot in pictures.items()},
            drawn=sum(map(len, drawn(comparison))),
            finished=sum(len(run.finished) for run in comparison.runs),
            conditions=[(run, conditions(run)) for run in comparison.runs],
        )
    )
    write_atomically(path, text)
    return [path, *files.values()]


def _pictures(comparison: Comparison) -> dict[str, Plot]:
    """The plots there are data for, by the names of their files."""
    found: dict[str, Plot | None] = {}
    costs = comparison.cost_axes
    key = spending(comparison)
    if key in costs:
        others = [axis for axis in costs if axis != key]
        up = comparison.y_axes[:1] or others[:1]
        found["front"] = plots.pareto(comparison, key, up[0]) if up else None
    curves = comparison.curves
    if curves:
        found["trials"] = plots.hypervolume(curves["trials"], "trials")
        time = "seconds" if comparison.timed else "seconds of trials"
        found["time"] = plots.hypervolume(curves["seconds"], time)
    found["distribution"] = plots.distribution(comparison)
    if len(comparison.runs) == 1:
        told = learned(comparison.first)
        if told is not None:
            found["importance"] = plots.importance(told.decisions[:_IMPORTANT])
        found["proxies"] = plots.proxy_costs(proxies(comparison.first))
        found["learning"] = learning(comparison.first)
    return {name: plot for name, plot in found.items() if plot is not None}


def _verdict(comparison: Comparison) -> str:
    """What may be said of the winner beside the best of the other kind; empty without scores."""
    rows = results(comparison.first)
    if len(comparison.runs) > 1 or not rows or not rows[0].winner:
        return ""
    return verdict(rows[0], rows[1] if len(rows) > 1 else None)


def _environment() -> Environment:
    found = page_templates("report", escape=False)
    found.globals["w"] = wording
    found.filters["cell"] = _cell
    return found


def _cell(text: object) -> str:
    """Text that stays text in a table: what Markdown would read as a sign is escaped."""
    flat = " ".join(str(text).split())
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>|#" else sign for sign in flat)
