"""Which design is advised for which budget, and what the page carries when there are many."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dse.report import cards, write_report
from dse.report.comparison import Comparison, read_comparison
from dse.report.plots import pareto
from dse.report.points import MOST, drawn
from dse.report.recommend import advice, spending
from dse.runs import Run, Trial

from .conftest import SETTINGS, make_trial, result, write_run
from .test_page import Page, cards_of, words


def read(folder: Path, trials: list[Trial], **settings: Any) -> Comparison:
    return read_comparison([write_run(folder, trials, {**SETTINGS, **settings})])


def test_advice_is_the_best_that_fits_each_budget(tmp_path: Path, trials: list[Trial]) -> None:
    found = read(tmp_path / "r", trials)
    assert spending(found) == "params"
    rows = advice(found)
    assert rows[0].limit == 4e6
    for row in rows:
        within = [t for t in found.first.finished if t.cost["params"] <= row.limit]
        assert row.trial.values["accuracy"] == max(t.values["accuracy"] for t in within)
        assert row.interval is not None
        assert row.interval[0] < row.trial.values["accuracy"] < row.interval[1]
    assert len({row.trial.trial for row in rows}) == len(rows)


def test_a_winner_that_was_preferred_after_more_trainings_is_advised(
    tmp_path: Path, trials: list[Trial]
) -> None:
    best = max(trials, key=lambda t: t.values.get("accuracy", 0))
    other = next(t for t in trials if t.trial == 16 and t is not best)
    rows = [
        {"trial": t.trial, "name": t.name, "baseline": False, "params": 1, "found": 0.8}
        | {"again": [0.8], "mean": 0.8, "tied": True}
        for t in (best, other)
    ]
    scored = [result(other, 0.8, 0.7, 0.9)]
    found = read(tmp_path / "r", trials, standings=rows, winner=16, result=scored)
    row = advice(found)[0]
    assert row.trial.trial == 16
    assert row.standing is not None
    assert row.test is not None
    without = read(tmp_path / "s", trials, standings=rows[:1], winner=16)
    assert advice(without)[0].trial.trial == best.trial


def test_a_design_that_misses_a_requirement_is_not_advised(
    tmp_path: Path, trials: list[Trial]
) -> None:
    rows = [replace(trial, misses={"recall.covid>=0.99": 0.2}) for trial in trials]
    found = read(tmp_path / "r", rows)
    assert advice(found) == []


@pytest.mark.slow
def test_ten_thousand_trials_are_drawn_in_part(tmp_path: Path, trials: list[Trial]) -> None:
    folder = tmp_path / "r"
    run = write_run(folder, trials[:6], {**SETTINGS, "winner": 5})
    like = vars(replace(trials[7], history=[], choices={}))
    with (folder / "trials.jsonl").open("a") as file:
        for n in range(6, 10_000):
            cost = {**like["cost"], "params": 10_000 + 7 * n}
            values = {"accuracy": 0.3 + (n * 37 % 400) / 1000}
            file.write(json.dumps({**like, "trial": n, "cost": cost, "values": values}) + "\n")
    found = read_comparison([run])
    (rows,) = drawn(found)
    numbers = {trial.trial for trial in rows}
    assert len(rows) == MOST
    assert {trial.trial for trial in found.first.front()} <= numbers
    assert set(range(4)) <= numbers  # the presets
    path = write_report(run, tmp_path / "page.html")
    assert path.stat().st_size < 6_000_000
    page = Page(path.read_text())
    assert "2,000 of 10,000 designs are drawn" in words(page)
    assert len(page.data["pareto-data"]["runs"][0]["trial"]) == MOST
    assert len(pareto(found, "params", "accuracy").series) == 4


def test_a_page_carries_so_many_cards_and_the_most_asked_for_first(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cards, "MOST", 5)
    page = Page(write_report(run, tmp_path / "page.html").read_text())
    sheets = [Page(sheet) for sheet in cards_of(page)]
    assert len(sheets) == 5
    assert "covid-light-12" in sheets[0].text  # the winner
    places = page.data["pareto-data"]["runs"][0]["card"]
    assert sorted(place for place in places if place >= 0) == [0, 1, 2, 3, 4]
    opened = {int(value or -1) for name, value in page.attributes if name == "data-card"}
    assert opened == {0, 1, 2, 3, 4}


def test_cards_are_cut_to_what_a_page_may_weigh(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cards, "MOST_BYTES", 20_000)
    page = Page(write_report(run, tmp_path / "page.html").read_text())
    assert 1 <= len(cards_of(page)) < 10
    assert max(page.data["pareto-data"]["runs"][0]["card"]) == len(cards_of(page)) - 1


def test_a_card_tells_all_of_a_design(run: Run, tmp_path: Path) -> None:
    page = Page(write_report(run, tmp_path / "page.html").read_text())
    places = page.data["pareto-data"]["runs"][0]
    winner = Page(cards_of(page)[0])
    text = words(winner)
    for told in (
        "Test accuracy",
        "95% Wilson interval over images",
        "Cost by stage",
        "What separates it from the nearest of the papers’ networks",
        "By class, on the test part",
        "Confusion, on the test part",
        "class CovidLight12(nn.Module):",
    ):
        assert told in text, told
    assert winner.tags.count("svg") == 3  # the drawing and two curves
    preset = Page(cards_of(page)[places["card"][places["label"].index("spp-covid-net")]])
    assert "Nothing: it is spp-covid-net." in words(preset)


def test_classes_of_the_validation_part_where_the_test_was_not_read(
    tmp_path: Path, trials: list[Trial]
) -> None:
    values = {"accuracy": 0.8, "recall.covid": 0.7, "precision.covid": 0.9, "f1.covid": 0.8}
    rows = [replace(trials[5], trial=0, values=values)]
    run = write_run(tmp_path / "r", rows, SETTINGS)
    (card,) = cards_of(Page(write_report(run, tmp_path / "page.html").read_text()))
    text = words(Page(card))
    assert "By class, on the validation part" in text
    assert "covid90.0%70.0%80.0%" in text


def test_a_latency_is_shown_where_there_is_one(tmp_path: Path) -> None:
    from dse.presets import load_preset

    row = make_trial(0, load_preset("squeezenet-1.1", classes=3), 0.5)
    run = write_run(tmp_path / "r", [row], SETTINGS)
    page = Page(write_report(run, tmp_path / "page.html").read_text())
    assert page.data["pareto-data"]["x"][-1] == "latency_ms"
