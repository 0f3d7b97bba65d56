"""Cards: for a design all that is known of it, ready to be shown when its point is clicked.

The page carries them packed; the browser unpacks them when the first is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from markupsafe import Markup

from dse.report import wording
from dse.report.comparison import Comparison, Picked
from dse.report.curves import losses, training
from dse.report.learned import standings
from dse.report.packing import packed
from dse.report.plot import Plot, as_svg
from dse.report.recommend import advice
from dse.report.results import ClassRow, Result, results
from dse.report.snapshot import Snapshot
from dse.report.uncertainty import accuracy_interval
from dse.runs import Trial, direction, front

if TYPE_CHECKING:
    from jinja2 import Environment

MOST = 60
"""How many cards a page carries; a third of a second of work each."""
MOST_BYTES = 1_500_000
"""How large they may be together, packed."""


@dataclass(frozen=True)
class Cards:
    """The cards of a page.

    Attributes:
        keys: of each card, in order: the position of the run, and the number of the trial.
        packed: their markup, a JSON list of strings; see `dse.report.packing`.
    """

    keys: tuple[tuple[int, int], ...]
    packed: str

    @cached_property
    def places(self) -> dict[tuple[int, int], int]:
        """Where each card lies."""
        return {key: place for place, key in enumerate(self.keys)}


def cards(comparison: Comparison, environment: Environment) -> Cards:
    """The cards of the winners, the advised designs, the fronts, the presets and the leaders, and
    of the best others as long as there is room.
    """
    template = environment.get_template("card.html.j2")
    position = {id(run): place for place, run in enumerate(comparison.runs)}
    keys: list[tuple[int, int]] = []
    sheets: list[str] = []
    chosen = [pick for _, pick in zip(range(MOST), by_interest(comparison), strict=False)]
    several = len(comparison.runs) > 1
    for run, trial in chosen:
        keys.append((position[id(run)], trial.trial))
        sheets.append(template.render(**card(run, trial), several=several))
    found = packed(json.dumps(sheets, ensure_ascii=False))
    while len(found) > MOST_BYTES and len(sheets) > 1:
        keep = max(1, int(0.9 * len(sheets) * MOST_BYTES / len(found)))
        keys, sheets = keys[:keep], sheets[:keep]
        found = packed(json.dumps(sheets, ensure_ascii=False))
    return Cards(tuple(keys), found)


def by_interest(comparison: Comparison) -> Iterator[Picked]:
    """All finished designs, those first that a reader will ask for first, each once."""
    seen: set[tuple[int, int]] = set()
    for run, trial in _all(comparison):
        if (id(run), trial.trial) not in seen:
            seen.add((id(run), trial.trial))
            yield run, trial


def _all(comparison: Comparison) -> Iterator[Picked]:
    runs = comparison.runs
    yield from ((run, run.winner) for run in runs if run.winner is not None)
    yield from ((row.run, row.trial) for row in advice(comparison))
    for run in runs:
        yield from ((run, trial) for trial in run.front())
        leaders = {row.trial for row in standings(run)}
        yield from ((run, trial) for trial in run.finished if trial.trial in leaders)
    for run in runs:
        yield from ((run, trial) for trial in run.baselines)
    for run in runs:
        for cost in comparison.cost_axes:
            yield from ((run, trial) for trial in front(run.finished, (run.quality, cost)))
    rest = [(run, trial) for run in runs for trial in run.finished]
    sign = -1 if direction(comparison.quality) == "maximize" else 1
    rest.sort(key=lambda pick: sign * (pick[1].objective(pick[0].quality) or 0))
    yield from rest


def card(run: Snapshot, trial: Trial) -> dict[str, object]:
    """What the template of a card shows."""
    from dse.report.design import inspect_design  # with it the templates of emitted code

    test = next((row for row in results(run) if row.trial == trial.trial), None)
    names = run.part("data").get("classes")
    winner = run.winner
    return {
        "run": run,
        "trial": trial,
        "won": winner is not None and winner.trial == trial.trial,
        "interval": accuracy_interval(run, trial) if run.quality == "accuracy" else None,
        "standing": next((row for row in standings(run) if row.trial == trial.trial), None),
        "test": test,
        "by_class": _by_class(test, trial),
        "classes": names if isinstance(names, list) else [],
        "design": inspect_design(trial),
        "curves": [Markup(as_svg(plot, 460, 260)) for plot in _curves(run, trial)],
        "w": wording,
    }


def _curves(run: Snapshot, trial: Trial) -> list[Plot]:
    return [plot for plot in (training(run, trial), losses(trial)) if plot is not None]


def _by_class(test: Result | None, trial: Trial) -> tuple[str, Sequence[ClassRow]]:
    """Scores by class, and of which part: of the test part if it was read, else of validation."""
    if test is not None and test.classes:
        return test.part, test.classes
    names = dict.fromkeys(key.partition(".")[2] for key in trial.values if "." in key)
    rows = [
        ClassRow(
            name,
            precision=trial.values.get(f"precision.{name}"),
            recall=trial.values.get(f"recall.{name}"),
            f1=trial.values.get(f"f1.{name}"),
            support=None,
        )
        for name in names
    ]
    return "validation", rows
