"""Reports of evaluations in other processes reach the search's listener."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dse
from dse.search import Candidate, Listener, Report
from dse.search.reports import Follower, writer
from dse.space import Space

Said = list[tuple[int, Mapping[str, float]]]


def evaluate(candidate: Candidate, report: Report) -> dict[str, float]:
    for step in range(1, 4):
        report(step, {"accuracy": candidate.trial + step / 10})
    return {"accuracy": float(candidate.trial)}


class Heard(Listener):
    def __init__(self) -> None:
        self.steps: dict[int, Said] = {}

    def reported(self, candidate: Candidate, step: int, metrics: Mapping[str, float]) -> None:
        self.steps.setdefault(candidate.trial, []).append((step, metrics))


def test_every_step_of_every_worker_is_heard_in_order(few: Space) -> None:
    heard = Heard()
    dse.search(few, evaluate, trials=4, workers=2, rungs=False, run="r", listener=heard)
    assert heard.steps == {
        trial: [(step, {"accuracy": trial + step / 10}) for step in range(1, 4)]
        for trial in range(4)
    }
    assert list(Path("runs/r").rglob("*.jsonl")) == [Path("runs/r/trials.jsonl")]


def _follow(path: Path) -> tuple[Follower, Said]:
    said: Said = []
    return Follower(path, lambda step, metrics: said.append((step, metrics))), said


def test_half_a_line_waits_for_its_other_half(tmp_path: Path) -> None:
    path = tmp_path / "reports.jsonl"
    follower, said = _follow(path)
    writer(path)(1, {"loss": 0.5})
    whole = path.read_bytes()
    path.write_bytes(whole[:9])
    follower.look()
    assert said == []
    path.write_bytes(whole)
    follower.look()
    assert said == [(1, {"loss": 0.5})]


def test_what_a_killed_process_left_is_not_heard_again(tmp_path: Path) -> None:
    path = tmp_path / "reports.jsonl"
    writer(path)(1, {"loss": 0.5})
    follower, said = _follow(path)
    writer(path)(2, {"loss": 0.25})
    follower.close()
    assert said == [(2, {"loss": 0.25})]
    assert not path.exists()


def test_a_folder_that_cannot_be_written_costs_no_evaluation(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    writer(tmp_path / "file" / "reports.jsonl")(1, {"loss": 0.5})
    follower, said = _follow(tmp_path / "none" / "reports.jsonl")
    follower.close()
    assert said == []


@given(st.lists(st.tuples(st.integers(0, 99), st.floats(allow_nan=False)), max_size=20))
def test_numbers_arrive_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, float]]
) -> None:
    path = tmp_path_factory.mktemp("reports") / "reports.jsonl"
    follower, said = _follow(path)
    for step, value in rows:
        writer(path)(step, {"accuracy": value})
        follower.look()
    assert said == [(step, {"accuracy": value}) for step, value in rows]
