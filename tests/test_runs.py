"""Runs on disk: rows, fronts, names, files that are whole or absent."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.atomic import atomically, write_atomically
from dse.cost import cost
from dse.errors import InvalidValue, UnknownName
from dse.presets import load_preset
from dse.runs import (
    COST_KEYS,
    OBJECTIVES,
    Run,
    Trial,
    check_run_name,
    direction,
    front,
    open_run,
    run_names,
)

NETWORK = load_preset("squeezenet-1.1", classes=3, input="3x32x32")


def trial(number: int, **changes: Any) -> Trial:
    spent = cost(NETWORK)
    return replace(
        Trial(
            trial=number,
            name=f"design-{number}",
            state="finished",
            baseline=False,
            choices={"width": 8},
            design=NETWORK.model_dump(mode="json", exclude_defaults=True),
            digest=NETWORK.digest,
            cost={key: getattr(spent, key) for key in COST_KEYS},
        ),
        **changes,
    )


# -- fronts -------------------------------------------------------------------------------------

NAMES = ("accuracy", "params", "latency_ms")
SCORES = st.one_of(
    st.integers(0, 4).map(float), st.none(), st.sampled_from([float("nan"), float("inf")])
)


@st.composite
def rows(draw: st.DrawFn) -> list[Trial]:
    made = []
    for number in range(draw(st.integers(0, 12))):
        accuracy = draw(SCORES)
        made.append(
            trial(
                number,
                state=draw(st.sampled_from(["finished", "finished", "failed"])),
                values={} if accuracy is None else {"accuracy": accuracy},
                cost={**dict.fromkeys(COST_KEYS, 0), "params": draw(st.integers(0, 4))},
                latency_ms=draw(SCORES),
            )
        )
    return draw(st.permutations(made))


@given(rows(), st.permutations(NAMES).flatmap(lambda n: st.integers(1, 3).map(lambda k: n[:k])))
def test_a_front_is_what_nothing_beats(trials: list[Trial], names: list[str]) -> None:
    def losses(row: Trial) -> list[float] | None:
        values = [row.objective(name) for name in names]
        if row.state != "finished" or any(v is None or not abs(v) < 1e300 for v in values):
            return None
        return [-v if n == "accuracy" else v for n, v in zip(names, values, strict=True)]  # type: ignore[operator,misc]

    scored = {row.trial: losses(row) for row in trials}
    expected = set()
    for number, own in scored.items():
        if own is None:
            continue
        others = [(n, o) for n, o in scored.items() if o is not None and n != number]
        better = any(
            all(x <= y for x, y in zip(o, own, strict=True)) and o != own for _, o in others
        )
        twin_before = any(o == own and n < number for n, o in others)
        if not better and not twin_before:
            expected.add(number)
    found = front(trials, names)
    assert {row.trial for row in found} == expected
    first = [scored[row.trial][0] for row in found]  # type: ignore[index]
    assert first == sorted(first)


def test_directions() -> None:
    assert direction("accuracy") == direction("anything") == "maximize"
    for name in (*COST_KEYS, "latency_ms", "loss"):
        assert direction(name) == OBJECTIVES[name] == "minimize"


def test_an_objective_is_a_metric_a_cost_or_the_latency() -> None:
    row = trial(0, values={"accuracy": 0.5, "macs": 3.0}, latency_ms=1.5)
    assert row.objective("accuracy") == 0.5
    assert row.objective("params") == cost(NETWORK).params
    assert row.objective("latency_ms") == 1.5
    assert row.objective("macs") == 3.0  # what the evaluator says comes first
    assert row.objective("other") is None


def test_a_row_gives_its_network_back() -> None:
    assert trial(0).network == NETWORK


# -- rows on disk -------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    made = Run(Path("runs/r"))
    made.save_settings({"objectives": ["accuracy"], "winner": 1})
    for number in range(3):
        made.append(trial(number, values={"accuracy": number / 10}))
    return made


def test_rows_come_back_as_they_were(run: Run) -> None:
    assert run.trials == [trial(n, values={"accuracy": n / 10}) for n in range(3)]
    assert run.damaged == []
    assert run.best == run.trials[2]
    assert run.front("params") == run.trials[:1]
    for line in (run.folder / "trials.jsonl").read_text().splitlines():
        assert json.loads(line)["digest"] == NETWORK.digest


@pytest.mark.parametrize(
    "line",
    [
        b'{"trial": 3, "name": "cut o',
        b"[1, 2]",
        b"7",
        b"null",
        b"{}",
        b'{"trial": 1, "unknown": 2}',
        b"\xff\xfe\x00\xc3",
        b"\x00" * 40,
        json.dumps({**asdict(trial(3)), "trial": "three"}).encode(),
        json.dumps({**asdict(trial(3)), "cost": None}).encode(),
        json.dumps({**asdict(trial(3)), "values": [1]}).encode(),
    ],
)
@pytest.mark.parametrize("ended", [True, False])
def test_a_damaged_row_is_named_and_the_others_are_read(run: Run, line: bytes, ended: bool) -> None:
    path = run.folder / "trials.jsonl"
    with path.open("ab") as file:
        file.write(line + b"\n" * ended)
    assert [row.trial for row in run.trials] == [0, 1, 2]
    assert len(run.damaged) == 1
    assert run.damaged[0].startswith("line 4: ")
    # What follows is not lost with it.
    run.append(trial(9))
    assert [row.trial for row in run.trials] == [0, 1, 2, 9]
    assert len(run.damaged) == 1


def test_empty_lines_are_no_damage(run: Run) -> None:
    with (run.folder / "trials.jsonl").open("a") as file:
        file.write("\n \n")
    assert len(run.trials) == 3
    assert run.damaged == []


@pytest.mark.parametrize("text", ["", "{", "[1]", "7", "\x00"])
def test_unreadable_settings_are_none(run: Run, text: str) -> None:
    (run.folder / "run.json").write_text(text)
    assert run.settings == {}
    assert run.objectives == ("accuracy", "params")


def test_a_run_without_rows(tmp_path: Path) -> None:
    run = Run(tmp_path)
    assert (run.trials, run.front(), run.best) == ([], [], None)


# -- names --------------------------------------------------------------------------------------


def test_runs_by_name(run: Run) -> None:
    assert run_names() == ["r"]
    assert open_run("r").trials == run.trials
    with pytest.raises(UnknownName, match="no run is called 'q'"):
        open_run("q")
    Path("runs/begun").mkdir()  # a folder without settings is no run
    assert run_names() == ["r"]


@pytest.mark.parametrize("name", ["", ".", "..", "../r", "r/..", "/r", "r\n", "-r", "r" * 81, "ü"])
def test_names_that_could_leave_the_folder(run: Run, name: str) -> None:
    with pytest.raises(InvalidValue, match="a run's name is"):
        check_run_name(name)
    with pytest.raises(InvalidValue):
        open_run(name)


@pytest.mark.parametrize("name", ["r", "covid-1", "A.b_c-9", "0", "r" * 80])
def test_names_of_runs(name: str) -> None:
    assert check_run_name(name) == name


# -- files that are whole or absent -------------------------------------------------------------


def test_an_interrupted_write_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "file"
    write_atomically(path, "old")

    def interrupted() -> None:
        with atomically(path) as draft:
            draft.write_text("ne")
            assert path.read_text() == "old"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert os.listdir(path.parent) == ["file"]
    write_atomically(path, "new – übrigens")
    assert path.read_text(encoding="utf-8") == "new – übrigens"
    assert os.listdir(path.parent) == ["file"]


def test_a_written_file_has_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    write_atomically(tmp_path / "file", "")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_amended_rows_stay_in_their_places(tmp_path: Path) -> None:
    run = Run(tmp_path)
    for number in (2, 0, 1):
        run.append(trial(number))
    path = tmp_path / "trials.jsonl"
    path.write_text(path.read_text() + '{"cut short\n')
    run.append(trial(3))
    run.amend([trial(0, measured_ms=1.5, measured_interval=[1.0, 2.0])])
    assert [row.trial for row in run.trials] == [2, 0, 1, 3]
    assert [row.measured_ms for row in run.trials] == [None, 1.5, None, None]
    assert run.trials[1].front_row()["measured_interval"] == [1.0, 2.0]
    assert len(run.damaged) == 1
