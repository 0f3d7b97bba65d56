"""`dse runs`: every run of a folder, how it stands, and what is damaged."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

import dse as package
from dse.runs import Run, is_held
from dse.search import Candidate, Report
from tests.cli.conftest import SMALL, Command
from tests.cli.terminal import Terminal

DATA = {"name": "digits", "synthetic": False}


def evaluate(candidate: Candidate, report: Report) -> dict[str, float]:
    if candidate.trial == 1:
        raise RuntimeError("no memory")
    return {"accuracy": 1 - candidate.trial / 10}


@pytest.fixture
def searched(dse: Command, tmp_path: Path) -> Run:
    """A search of four trials from Python, which is complete; one of them failed."""
    from dse.space import parse_space

    space = parse_space(SMALL, "small")
    return package.search(space, evaluate, trials=4, sampler="random", run="r")


def asked(run: Run, **changes: Any) -> None:
    """Settings as `dse search` leaves them."""
    facts = {
        "options": {},
        "evaluate": "train",
        "data": DATA,
        "started": "2026-01-02T03:04:05+0000",
    }
    run.save_settings({**run.settings, **facts, **changes})


def only(dse: Command) -> Mapping[str, Any]:
    rows = dse("runs", "--json").json["runs"]
    assert len(rows) == 1
    row: Mapping[str, Any] = rows[0]
    return row


def test_a_folder_without_runs_says_so(dse: Command) -> None:
    said = dse("runs")
    assert (said.code, said.out) == (0, "no runs here; dse search makes one\n")
    assert dse("runs", "--json").json == {"runs": [], "skipped": []}


def test_a_row_tells_what_was_asked_and_how_it_stands(dse: Command, searched: Run) -> None:
    asked(searched, budget={"params": 1e6, "macs": 68e6}, winner=0, seconds=12.5)
    row = only(dse)
    best = searched.trials[0]
    assert row == {
        "name": "r",
        "what": "search",
        "state": "finished",
        "data": "digits",
        "synthetic": False,
        "budget": {"params": 1e6, "macs": 68e6},
        "done": 4,
        "wanted": 4,
        "failed": 1,
        "metric": "accuracy",
        "part": "validation",
        "best": 1.0,
        "design": best.name,
        "started": "2026-01-02T03:04:05+0000",
        "seconds": 12.5,
        "damaged": [],
    }
    header, line = dse("runs").out.splitlines()
    assert " ".join(header.split()) == "run what state data budget done best design started"
    assert " ".join(line.split()) == (
        "r search finished digits 1M params, 68M MACs 4/4 validation accuracy 1.000 "
        f"{best.name} 2026-01-02 03:04"
    )


def test_what_is_not_measured_on_images_is_called_after_its_evaluator(
    dse: Command, searched: Run
) -> None:
    asked(searched, evaluate="proxy:zico", data={}, winner=0)
    assert (only(dse)["data"], only(dse)["part"]) == ("proxy:zico", "")


def test_phantoms_are_called_synthetic(dse: Command, searched: Run) -> None:
    asked(searched, data={"name": "covid", "synthetic": True})
    assert "covid (synthetic)" in dse("runs").out


@pytest.mark.parametrize(
    ("settings", "state"),
    [
        ({"winner": 0}, "finished"),
        ({}, "interrupted"),  # no winner yet: its leaders were not trained again
        (
            {"complete": False, "winner": 0},
            "finished",
        ),  # its time was up, then its winner was taken
    ],
)
def test_a_search_by_command_is_finished_with_its_winner(
    dse: Command, searched: Run, settings: dict[str, Any], state: str
) -> None:
    asked(searched, **settings)
    assert only(dse)["state"] == state


def test_a_search_from_python_is_finished_when_it_is_complete(dse: Command, searched: Run) -> None:
    assert only(dse)["state"] == "finished"
    searched.save_settings({**searched.settings, "complete": False})
    assert only(dse)["state"] == "interrupted"


def test_a_search_that_was_interrupted_says_so(dse: Command, tmp_path: Path) -> None:
    from dse.space import parse_space

    def stop(candidate: Candidate, report: Report) -> dict[str, float]:
        if candidate.trial == 2:
            raise KeyboardInterrupt
        return {"accuracy": 0.5}

    with pytest.raises(KeyboardInterrupt):
        package.search(parse_space(SMALL, "small"), stop, trials=4, sampler="random", run="r")
    assert (only(dse)["state"], only(dse)["done"], only(dse)["wanted"]) == ("interrupted", 2, 4)


def test_a_search_runs_while_a_process_holds_it(dse: Command, searched: Run) -> None:
    with searched.held():
        assert only(dse)["state"] == "running"
    assert only(dse)["state"] == "finished"


@pytest.mark.slow
def test_a_look_turns_nobody_away(searched: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds the lock for a moment, and whoever comes then waits."""
    monkeypatch.setattr("dse.runs._LOOKED_AT", 60.0)
    look = FileLock(searched.folder / ".lock", thread_local=False)
    look.acquire()
    timer = threading.Timer(0.3, look.release)
    timer.start()
    with searched.held():
        assert is_held(searched.folder)
    assert not is_held(searched.folder)


def test_the_latest_run_comes_first(dse: Command, searched: Run) -> None:
    for name, day in (("a", "03"), ("b", "01"), ("c", "02")):
        shutil.copytree(searched.folder, searched.folder.with_name(name))
        asked(Run(searched.folder.with_name(name)), started=f"2026-01-{day}T00:00:00+0000")
    shutil.rmtree(searched.folder)
    assert [row["name"] for row in dse("runs", "--json").json["runs"]] == ["a", "c", "b"]


def test_damaged_rows_are_named_and_counted_and_the_others_read(
    dse: Command, searched: Run
) -> None:
    rows = (searched.folder / "trials.jsonl").read_text().splitlines()
    (searched.folder / "trials.jsonl").write_text("\n".join([rows[0], rows[1][:40], "[]", rows[3]]))
    said = dse("runs", "--json")
    (row,) = said.json["runs"]
    assert row["done"] == 2
    assert [text.partition(":")[0] for text in row["damaged"]] == ["line 2", "line 3"]
    assert said.err.startswith("r: 2 damaged rows are left out: line 2: ")


def _half_settings(folder: Path) -> None:
    text = (folder / "run.json").read_text()
    (folder / "run.json").write_text(text[: len(text) // 2])


def _no_settings(folder: Path) -> None:
    (folder / "run.json").unlink()


def _strange_settings(folder: Path) -> None:
    (folder / "run.json").write_text('{"budget": 7, "trials": "many"}')


def _half_experiment(folder: Path) -> None:
    _no_settings(folder)
    (folder / "experiment.json").write_text('{"plan": ')


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (_half_settings, "run.json cannot be read"),
        (_no_settings, "it has trials and no run.json"),
        (_strange_settings, "run.json is not that of a run"),
        (_half_experiment, "experiment.json: the experiment cannot be read"),
    ],
)
def test_damaged_folders_are_named_counted_and_skipped(
    dse: Command, searched: Run, damage: Any, reason: str
) -> None:
    shutil.copytree(searched.folder, "runs/broken")
    damage(Path("runs/broken"))
    said = dse("runs", "--json")
    assert said.code == 0
    assert [row["name"] for row in said.json["runs"]] == ["r"]
    (skipped,) = said.json["skipped"]
    assert skipped["folder"] == "runs/broken"
    assert skipped["reason"].startswith(reason)
    first, last = said.err.splitlines()
    assert first.startswith(f"skipped runs/broken: {reason}")
    assert last == "1 of 2 runs cannot be read"


def test_what_is_no_run_is_passed_over(dse: Command, searched: Run) -> None:
    Path("runs/notes").mkdir()
    Path("runs/read.me").touch()
    assert only(dse)["name"] == "r"
    assert dse("runs").err == ""


@pytest.mark.usefixtures("_one_core")
def test_trainings_stand_beside_searches(dse: Command, searched: Run, digits_folder: Path) -> None:
    design = searched.trials[0]
    Path("small.json").write_text(json.dumps(asdict(design)["design"]))
    trained = dse(
        "train", "small.json", "--dataset", digits_folder, "--epochs", 1, "--run", "t",
        "--device", "cpu",
    )  # fmt: skip
    assert trained.code == 0, trained
    row = next(r for r in dse("runs", "--json").json["runs"] if r["name"] == "t")
    assert (row["what"], row["state"], row["done"], row["wanted"]) == (
        "trainings",
        "finished",
        1,
        1,
    )
    assert (row["part"], row["metric"]) == ("test", "accuracy")
    assert 0 <= row["best"] <= 1


def test_a_narrow_terminal_gets_fewer_columns_and_whole_names(searched: Run) -> None:
    shutil.move(searched.folder, searched.folder.with_name("a-run-of-mine"))
    asked(Run(Path("runs/a-run-of-mine")), budget={"params": 1e6, "macs": 68e6}, winner=0)
    shown = {}
    for columns in (160, 75):
        terminal = Terminal(Path.cwd(), "runs", columns=columns, rows=12)
        try:
            assert terminal.ended() == 0
            header, _, row = (line for line in terminal.shown if line)
        finally:
            terminal.close()
        shown[columns] = header.split()
        assert row.split()[0] == "a-run-of-mine"
        assert "validation accuracy 1.000" in row
    every = ["run", "what", "state", "data", "budget", "done", "best", "design", "started"]
    assert shown == {160: every, 75: ["run", "state", "data", "done", "best"]}
