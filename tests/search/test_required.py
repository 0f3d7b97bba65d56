"""Searches in which designs have to reach something to count."""

from __future__ import annotations

from typing import Any

import optuna
import pytest

from dse.errors import InvalidValue
from dse.runs import open_run
from dse.search import Candidate, Report, search
from dse.search.finish import pick_winner
from dse.space import Space


def evaluate(candidate: Candidate, report: Report) -> dict[str, float]:
    """Larger designs are more accurate; small ones find the rare class."""
    params = candidate.cost.params
    return {"accuracy": params / 1e5, "recall.rare": 1 - params / 1e5}


def test_what_falls_short_is_on_no_front_and_never_wins(many: Space) -> None:
    run = search(many, evaluate, trials=20, run="r", require=("recall.rare>=0.9",), sampler="tpe")
    short = [row for row in run.trials if row.values["recall.rare"] < 0.9]
    assert short
    for row in run.trials:
        missing = 0.9 - row.values["recall.rare"]
        expected = {"recall.rare>=0.9": pytest.approx(missing)} if missing > 0 else {}
        assert row.misses == expected
    assert run.front()
    assert all(row.eligible for row in run.front())
    winner = pick_winner(run)
    assert winner.eligible
    assert winner.objective("accuracy") == max(
        row.values["accuracy"] for row in run.trials if row.eligible
    )
    assert run.best == winner


@pytest.mark.parametrize("sampler", ["auto", "nsga2"])
def test_samplers_look_where_the_requirement_is_met(many: Space, sampler: str) -> None:
    run = search(
        many, evaluate, trials=40, run="r", require=("recall.rare>=0.97",), sampler=sampler
    )
    late = run.trials[20:]
    free = search(many, evaluate, trials=40, run="free", sampler=sampler).trials[20:]
    assert sum(row.eligible for row in late) > sum(
        row.values["recall.rare"] >= 0.97 for row in free
    )


def test_optuna_reads_the_constraint(many: Space) -> None:
    storage = "sqlite:///study.db"
    search(many, evaluate, trials=8, run="r", require=("accuracy<=0.1",), storage=storage)
    study = optuna.load_study(study_name="r", storage=storage)
    for row in open_run("r").trials:
        constraints = study.trials[row.trial].constraints
        assert constraints == {"accuracy<=0.1": pytest.approx(max(0, row.values["accuracy"] - 0.1))}


def test_where_none_reaches_it_the_nearest_is_named(many: Space) -> None:
    run = search(many, evaluate, trials=5, run="r", require=("accuracy>=9",))
    assert run.front() == []
    nearest = max(run.trials, key=lambda row: row.values["accuracy"])
    with pytest.raises(InvalidValue, match=rf"the nearest, trial {nearest.trial}, misses accuracy"):
        pick_winner(run)


def test_a_metric_that_is_not_measured_is_refused(many: Space, recorder: Any) -> None:
    with pytest.raises(InvalidValue, match=r"got accuracy, odd and no recall\.rare"):
        search(many, recorder, trials=3, run="r", require=("recall.rare>=0.5",))
    with pytest.raises(InvalidValue, match="METRIC>=VALUE"):
        search(many, recorder, trials=3, run="s", require=("recall.rare",))
