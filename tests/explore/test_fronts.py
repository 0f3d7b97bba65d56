"""Runs as the explorer draws them: those that go on, are damaged, large, of other images."""

from __future__ import annotations

import json
import random
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from dse.cost import Budget
from dse.errors import InvalidValue
from dse.explore.app import make_app
from dse.explore.cloud import Cloud
from dse.explore.explorer import Explorer
from dse.explore.fronts import MOST_POINTS, run_points, trial_decisions
from dse.explore.guard import TOKEN
from dse.ir import Shape
from dse.runs import Run
from dse.search import search
from dse.space import Space, load_space
from tests.search.trials import trial


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Space:
    monkeypatch.chdir(tmp_path)
    return load_space("fire")


def searched(space: Space, name: str = "r", trials: int = 4) -> Run:
    def evaluate(candidate: Any, report: Any) -> dict[str, float]:
        return {"accuracy": 1 / candidate.cost.params}

    return search(space, evaluate, budget=Budget(), trials=trials, run=name, sampler="random")


def test_points_are_the_trials_and_lead_back_to_them(space: Space) -> None:
    run = searched(space)
    found = run_points("r", space)
    assert found["note"] == ""
    assert [point["trial"] for point in found["trials"]] == [row.trial for row in run.trials]
    for point, row in zip(found["trials"], run.trials, strict=True):
        assert (point["quality"], point["params"]) == (row.values["accuracy"], row.cost["params"])
        assert point["front"] == (row.trial in {best.trial for best in run.front()})
        assert space.bind(trial_decisions("r", row.trial, space)) == row.network
    with pytest.raises(InvalidValue, match="no trial 77"):
        trial_decisions("r", 77, space)


def test_a_trial_of_another_space_is_looked_for_in_this_one(space: Space) -> None:
    run = searched(space)
    other = load_space("hybrid-mobilenet").with_io(space.input, space.classes)
    with pytest.raises(InvalidValue, match="no point of the space hybrid-mobilenet"):
        trial_decisions("r", run.trials[-1].trial, other)


def test_runs_of_other_images_are_named_and_not_drawn(space: Space) -> None:
    searched(space)
    found = run_points("r", space.with_io(Shape((3, 48, 48)), 7))
    assert found["trials"] == []
    assert str(space.input) in found["note"]
    assert "3x48x48 images and 7 classes" in found["note"]


def test_a_damaged_row_is_counted_and_the_others_drawn(space: Space) -> None:
    run = searched(space)
    with (run.folder / "trials.jsonl").open("a") as rows:
        rows.write('{"trial": 9, "na\n')
    found = run_points("r", space)
    assert len(found["trials"]) == len(run.trials)
    assert "1 row could not be read (line" in found["note"]


def test_a_run_without_finished_trials_says_so(space: Space) -> None:
    run = searched(space)
    (run.folder / "trials.jsonl").write_text("")
    assert run_points("r", space)["note"] == "no trial has finished yet"


@pytest.mark.slow
def test_of_ten_thousand_trials_some_are_drawn_and_the_whole_front(space: Space) -> None:
    run, rng = searched(space, trials=1), random.Random(0)
    rows = [
        trial(n, {"accuracy": rng.random()}, rng.randrange(1_000, 10_000)) for n in range(10_000)
    ]
    text = "".join(json.dumps(asdict(row)) + "\n" for row in rows)
    (run.folder / "trials.jsonl").write_text(text)
    found = run_points("r", space)
    assert MOST_POINTS <= len(found["trials"]) <= MOST_POINTS + len(run.front())
    assert "of 10,000 trials" in found["note"]
    drawn = {point["trial"] for point in found["trials"]}
    assert {row.trial for row in run.front()} <= drawn


def test_a_page_asks_again_only_for_what_has_changed(space: Space) -> None:
    run = searched(space)
    explorer = Explorer(space, runs=("r",))
    app, token = make_app(explorer, Cloud(explorer))
    client = TestClient(app, base_url="http://localhost", headers={TOKEN: token})
    first = client.get("/runs/r").json()
    assert not first["unchanged"]
    assert client.get(f"/runs/r?seen={first['version']}").json() == {
        "version": first["version"],
        "unchanged": True,
    }
    run.append(run.trials[0])
    assert not client.get(f"/runs/r?seen={first['version']}").json()["unchanged"]
    taken = client.post("/start", json={"run": "r", "trial": run.trials[0].trial}).json()
    assert space.bind(taken["decisions"]) == run.trials[0].network
