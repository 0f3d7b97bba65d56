"""Runs that were cut off: what is kept, what is tried again, what is never done twice."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from optuna.samplers import RandomSampler

from dse.cost import Budget
from dse.errors import DataError, InvalidValue
from dse.ir import Shape
from dse.runs import Run, open_run
from dse.search import Candidate, Report, Search, search
from dse.search.study import Study
from dse.space import Space, load_space

ROWS = Path("runs/r/trials.jsonl")
JOURNAL = Path("runs/r/study.log")


def test_ctrl_c_keeps_what_is_done_and_the_rest_follows(
    many: Space, recorder: Any, stop_after: Any
) -> None:
    with pytest.raises(KeyboardInterrupt):
        search(many, stop_after(4), trials=9, run="r")
    kept = ROWS.read_text()
    assert len(open_run("r").trials) == 3
    run = search(many, recorder, trials=9, run="r", resume=True)
    assert ROWS.read_text().startswith(kept)
    assert len(recorder.seen) == 6
    digests = [row.digest for row in run.trials]
    assert len(set(digests)) == len(digests) == 9
    assert len({row.trial for row in run.trials}) == 9


def test_the_interrupted_design_is_the_first_to_be_tried_again(many: Space, recorder: Any) -> None:
    begun: list[str] = []

    def evaluate(candidate: Candidate, report: Report) -> dict[str, float]:
        begun.append(candidate.network.digest)
        if len(begun) == 3:
            raise KeyboardInterrupt
        return {"accuracy": 0.5}

    with pytest.raises(KeyboardInterrupt):
        search(many, evaluate, trials=5, run="r")
    search(many, recorder, trials=5, run="r", resume=True)
    assert recorder.seen[0].network.digest == begun[-1]


def test_an_interrupted_baseline_stays_one(recorder: Any, stop_after: Any) -> None:
    space = load_space("spp-covid").with_io(input=Shape((3, 128, 128)), classes=3)
    with pytest.raises(KeyboardInterrupt):
        search(space, stop_after(2), trials=5, run="r")
    run = search(space, recorder, trials=5, run="r", resume=True)
    assert sorted(row.name for row in run.trials if row.baseline) == [
        "darkcovidnet",
        "spp-covid-net",
    ]


def test_a_baseline_killed_while_it_was_being_asked_is_not_lost(recorder: Any) -> None:
    space = load_space("spp-covid").with_io(input=Shape((3, 128, 128)), classes=3)
    search(space, recorder, trials=1, run="r")
    # The kill: a trial leaves the queue, and its first decision is never asked.
    study = Study(space, ("accuracy", "params"), RandomSampler(seed=0), name="r", storage=JOURNAL)
    study._study.ask()
    run = search(space, recorder, trials=2, run="r", resume=True)
    assert {row.name for row in run.trials} == {"spp-covid-net", "darkcovidnet"}


def test_a_row_that_the_study_was_not_told_is_not_evaluated_again(
    few: Space, recorder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:

        def killed(*args: Any) -> None:
            raise KeyboardInterrupt

        patch.setattr(Study, "finish", killed)
        with pytest.raises(KeyboardInterrupt):
            search(few, recorder, trials=3, run="r")
    assert len(open_run("r").trials) == 1
    run = search(few, recorder, trials=6, run="r", resume=True)
    assert len(recorder.seen) == len(run.trials) == 6
    study = Study(few, ("accuracy", "params"), RandomSampler(seed=0), name="r", storage=JOURNAL)
    assert not any(entry.open for entry in study.entries())


def test_resuming_a_complete_run_evaluates_nothing(few: Space, recorder: Any, notes: Any) -> None:
    search(few, recorder, trials=3, run="r")
    before = ROWS.read_bytes()
    run = search(few, recorder, trials=3, run="r", resume=True, listener=notes)
    assert len(recorder.seen) == 3
    assert ROWS.read_bytes() == before
    assert notes.began_with == [(3, 3)]
    assert run.settings["trials"] == 3


def test_more_trials_may_be_asked_for(few: Space, recorder: Any) -> None:
    search(few, recorder, trials=2, run="r")
    run = search(few, recorder, trials=4, run="r", resume=True)
    assert len(run.trials) == run.settings["trials"] == 4


def test_a_half_written_row_is_reported_and_its_design_tried_again(
    many: Space, recorder: Any, notes: Any
) -> None:
    search(many, recorder, trials=4, run="r")
    whole = ROWS.read_text()
    ROWS.write_text(whole[:-200])
    lost = recorder.seen[-1].network.digest
    recorder.seen.clear()
    run = search(many, recorder, trials=6, run="r", resume=True, listener=notes)
    assert notes.notes[0].startswith("trials.jsonl: line 4: ")
    assert notes.notes[0].endswith("; the row is left out")
    assert len(run.trials) == 6
    assert len(run.damaged) == 1  # it stays, on a line of its own
    assert len({row.digest for row in run.trials}) == 6
    # Whether Optuna was told of it or not, no design has two rows.
    assert len(recorder.seen) == 3
    assert lost not in {row.digest for row in run.trials[:3]}


def test_a_journal_cut_short_is_mended(many: Space, recorder: Any) -> None:
    search(many, recorder, trials=4, run="r")
    text = JOURNAL.read_bytes()
    JOURNAL.write_bytes(text[:-15])
    run = search(many, recorder, trials=7, run="r", resume=True)
    assert len({row.digest for row in run.trials}) == len(run.trials) == 7
    # And again: nothing in it hinders the next reading.
    run = search(many, recorder, trials=9, run="r", resume=True)
    assert len({row.trial for row in run.trials}) == 9


def test_a_lost_journal_gives_no_number_twice(many: Space, recorder: Any) -> None:
    search(many, recorder, trials=4, run="r")
    JOURNAL.unlink()
    run = search(many, recorder, trials=7, run="r", resume=True)
    assert len({row.trial for row in run.trials}) == 7
    assert len({row.digest for row in run.trials}) == 7


def test_a_stale_journal_lock_is_not_waited_for(
    few: Space, recorder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    search(few, recorder, trials=2, run="r")
    Path(f"{JOURNAL}.lock").touch()

    def sleep(seconds: float) -> None:
        raise AssertionError("waits for the lock of a process that is gone")

    monkeypatch.setattr(import_module("optuna.storages.journal._file").time, "sleep", sleep)
    assert len(search(few, recorder, trials=4, run="r", resume=True).trials) == 4


def told(space: Space, storage: Path | str, name: str) -> int:
    """How many trials of a study for accuracy alone have its one value."""
    study = Study(space, ("accuracy",), RandomSampler(seed=0), name=name, storage=storage)
    return sum(t.values is not None and len(t.values) == 1 for t in study._study.trials)


def test_what_a_start_left_behind_before_its_settings_is_dropped(few: Space, recorder: Any) -> None:
    # Killed after the study was made for two objectives, before run.json was written.
    Study(few, ("accuracy", "params"), RandomSampler(seed=0), name="r", storage=JOURNAL)
    run = search(few, recorder, objectives=("accuracy",), trials=3, run="r")
    assert len(run.trials) == 3
    assert told(few, JOURNAL, "r") == 3
    url = "sqlite:///study.db"
    Study(few, ("accuracy", "params"), RandomSampler(seed=0), name="s", storage=url)
    run = search(few, recorder, objectives=("accuracy",), trials=3, run="s", storage=url)
    assert len(run.trials) == 3
    assert told(few, url, "s") == 3


@pytest.mark.parametrize(
    "change",
    [
        {"objectives": ("accuracy",)},
        {"objectives": ("params", "accuracy")},
        {"budget": Budget(params=5e4)},
        {"storage": "sqlite:///other.db"},
    ],
    ids=str,
)
def test_a_resumed_run_goes_on_as_it_began(
    few: Space, recorder: Any, change: dict[str, Any]
) -> None:
    search(few, recorder, trials=2, run="r")
    with pytest.raises(InvalidValue, match=f"a resumed run keeps its {next(iter(change))}: "):
        search(few, recorder, trials=3, run="r", resume=True, **change)
    assert len(search(few, recorder, trials=3, run="r", resume=True).trials) == 3


def test_another_space_does_not_go_on(few: Space, many: Space, recorder: Any) -> None:
    search(few, recorder, trials=2, run="r")
    with pytest.raises(InvalidValue, match="keeps its space: 'few' in r, got 'many'"):
        search(many, recorder, trials=3, run="r", resume=True)
    with pytest.raises(InvalidValue, match="keeps its classes"):
        search(few.with_io(classes=4), recorder, trials=3, run="r", resume=True)


def test_unreadable_settings_are_not_overwritten(few: Space, recorder: Any) -> None:
    search(few, recorder, trials=2, run="r")
    Path("runs/r/run.json").write_text("{")
    with pytest.raises(DataError, match=r"run\.json: the run's settings cannot be read"):
        search(few, recorder, trials=3, run="r", resume=True)
    assert len(Run(Path("runs/r")).trials) == 2
    assert JOURNAL.exists()


def test_seconds_and_counts_add_up_over_restarts(twice: Space, recorder: Any) -> None:
    # Of two networks one is had in two ways: the third design is sought in vain.
    first = search(twice, recorder, trials=3, run="r", sampler="random").settings
    again = Search(twice, recorder, trials=4, sampler="random").run("r", resume=True)
    assert again.settings["counts"]["duplicates"] >= first["counts"]["duplicates"] > 0
    assert again.settings["seconds"] >= first["seconds"]
    assert again.settings["started"] == first["started"]
    assert json.loads(Path("runs/r/run.json").read_text()) == again.settings
