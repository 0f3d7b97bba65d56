"""What programs and terminals get of a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dse.presets import load_preset
from dse.report import document, front_table, write_report
from dse.runs import Run, Trial

from .conftest import SETTINGS, make_trial, write_run


def test_document_keys_and_rows(run: Run) -> None:
    found = document(run)
    assert list(found) == ["run", "trials", "front", "winner", "report", "generated", "int8"]
    assert found["run"] == run.name
    assert found["trials"] == 21
    assert found["front"] == [trial.front_row() for trial in run.front()]
    assert {"trial", "name", "params", "macs", "latency_ms", "values", "design"} <= set(
        found["front"][0]
    )
    assert found["winner"]["trial"] == 16
    assert found["winner"]["test"]["accuracy"] == 0.831
    assert found["generated"][0].endswith("winner.py")
    json.dumps(found, allow_nan=False)


def test_document_names_the_page_once_it_exists(run: Run, tmp_path: Path) -> None:
    assert document(run)["report"] is None
    path = write_report(run, run.folder / "report.html")
    assert document(run)["report"] == str(path)
    other = write_report(run, tmp_path / "elsewhere" / "page.html")
    assert document(run, other)["report"] == str(other)


def test_document_of_an_empty_run(tmp_path: Path) -> None:
    found = document(write_run(tmp_path / "empty", [], SETTINGS))
    assert (found["trials"], found["front"], found["winner"]) == (0, [], None)


def test_front_table_has_the_front_then_the_other_presets(run: Run) -> None:
    rows = front_table(run)
    front = [row for row in rows if row.rank is not None]
    beside = rows[len(front) :]
    assert [row.rank for row in front] == list(range(1, len(front) + 1))
    assert [row.trial for row in front] == [trial.trial for trial in run.front()]
    assert all(row.baseline and row.rank is None for row in beside)
    assert {row.name for row in rows if row.baseline} == {
        "spp-covid-net",
        "squeezenet-1.1",
        "darkcovidnet",
        "mobilenet-v1",
    }
    qualities = [row.quality for row in beside if row.quality is not None]
    assert qualities == sorted(qualities, reverse=True)
    assert [row.trial for row in rows if row.winner] == [16]


def test_without_a_chosen_winner_the_best_of_the_front_is_it(
    tmp_path: Path, trials: list[Trial]
) -> None:
    run = write_run(tmp_path / "r", trials, SETTINGS)
    best = run.best
    assert best is not None
    assert document(run)["winner"]["trial"] == best.trial
    assert "test" not in document(run)["winner"]


def test_a_run_may_aim_at_another_metric(tmp_path: Path) -> None:
    rows = [
        make_trial(i, load_preset("squeezenet-1.1", classes=3), 0.5, values={"loss": loss})
        for i, loss in enumerate((0.9, 0.4))
    ]
    run = write_run(tmp_path / "r", rows, {**SETTINGS, "objectives": ["params", "loss"]})
    rows_shown = front_table(run)
    assert [(row.metric, row.quality, row.trial) for row in rows_shown] == [("loss", 0.4, 1)]


@pytest.mark.parametrize(
    "change",
    [
        {"cost": {}},
        {"cost": []},
        {"values": None},
        {"history": {}},
        {"trial": "<b>"},
        {"cost": {"params": "many"}},
    ],
)
def test_rows_of_the_wrong_kind_are_left_out(
    tmp_path: Path, trials: list[Trial], change: dict[str, Any]
) -> None:
    run = write_run(tmp_path / "r", trials, SETTINGS)
    broken = make_trial(99, load_preset("squeezenet-1.1", classes=3), 0.99, **change)
    run.append(broken)
    assert document(run)["trials"] == len(trials)
    assert all(row.trial != 99 for row in front_table(run))


def test_a_score_that_is_no_number_is_no_score(tmp_path: Path, trials: list[Trial]) -> None:
    run = write_run(tmp_path / "r", trials, SETTINGS)
    nan = make_trial(99, load_preset("squeezenet-1.1", classes=3), float("nan"), history=[])
    run.append(nan)
    assert all(row.trial != 99 for row in front_table(run))
    json.dumps(document(run), allow_nan=False)
