"""`dse search` under a latency that is predicted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dse.cli import predicted
from dse.devices.machine import this_machine
from dse.devices.profiles import RUNTIME
from dse.latency.predict import Predictor
from dse.latency.profile import Profile
from dse.runs import Run
from dse.search import verified
from tests.cli.conftest import Command
from tests.latency.profiles import made_up

SCORE = """
def score(candidate, report):
    assert candidate.latency_ms == candidate.cost.latency_ms
    return {"accuracy": candidate.cost.params / 1e6}
"""


@pytest.fixture
def devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where profiles are kept."""
    folder = tmp_path / "devices"
    monkeypatch.setenv("DSE_DEVICES", str(folder))
    return folder


@pytest.fixture
def here() -> Profile:
    """A profile that says it is of this machine."""
    machine = this_machine(RUNTIME)
    return replace(
        made_up(), name="here", cpu=machine.cpu, system=machine.system, libraries=machine.libraries
    )


@pytest.fixture
def options(dse: Command, devices: Path, small_space: Path) -> Callable[..., tuple[Any, ...]]:
    """A search of a moment: thirty designs, known at once."""
    Path("scores.py").write_text(SCORE)

    def make(*more: object) -> tuple[Any, ...]:
        return (
            *("search", "--evaluate", "scores:score", "--space", small_space, "--run", "r"),
            *("--workers", 1, *more),
        )

    return make


def fastest(space: Path, profile: Profile) -> float:
    from dse.space import load_space

    return load_space(str(space)).timed_by(Predictor(profile)).smallest("latency_ms")[0]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The names of what was measured, time by time; half a second is what it all takes."""
    seen: list[list[str]] = []

    def note(networks: Any, **settings: Any) -> Any:
        from types import SimpleNamespace

        seen.append([name for name, _ in networks])
        latency = SimpleNamespace(median_ms=500.0, low_ms=490.0, high_ms=510.0)
        return [SimpleNamespace(latency=latency) for _ in networks]

    monkeypatch.setattr(verified, "measure", note)
    return seen


@pytest.mark.slow
def test_the_first_search_calibrates_and_the_next_uses_that(
    dse: Command,
    options: Any,
    devices: Path,
    here: Profile,
    small_space: Path,
    measured: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = []

    def calibrate(**settings: Any) -> Profile:
        calls.append(settings)
        return here

    monkeypatch.setattr(predicted, "calibrate", calibrate)
    limit = 1.5 * fastest(small_space, here)
    said = dse(*options("--budget-latency-ms", limit, "--trials", 3, "--json"))
    assert said.code == 0, said.err
    assert "it is calibrated first, in about 8 minutes" in said.err
    assert f"kept as here: {devices / 'here.json'}" in said.err
    assert f"latency is predicted by the profile here: {here.machine}" in said.err
    assert Profile.load(devices / "here.json") == Profile.read(here.to_json())
    predictor = Predictor(here)
    for row in Run(Path("runs/r")).trials:
        assert row.latency_ms == pytest.approx(predictor.network(row.network).ms, abs=1e-6)
        assert row.latency_ms <= limit
    assert said.json["front"]
    for row in said.json["front"]:
        assert (row["measured_ms"], row["measured_interval"]) == (500.0, [490.0, 510.0])
        assert row["predicted_ms"] == row["latency_ms"] <= limit
    assert Run(Path("runs/r")).settings["latency"]["profile"] == "here"

    again = dse(*options("--budget-latency-ms", limit, "--trials", 1, "--run", "s", "--json"))
    assert again.code == 0, again.err
    assert "calibrated" not in again.err
    assert len(calls) == 1


def test_what_turns_out_too_slow_is_said(
    dse: Command,
    options: Any,
    devices: Path,
    here: Profile,
    measured: list[list[str]],
) -> None:
    devices.mkdir()
    here.write(devices / "here.json")
    said = dse(*options("--budget-latency-ms", 100, "--device", "here", "--trials", 3))
    assert said.code == 0, said.err
    [names] = measured
    assert len(names) == len(Run(Path("runs/r")).front())
    assert said.err.count("takes 500 (490 to 510) ms: over the budget of 100 ms") == len(names)
    assert "predicted ms" in said.out
    assert said.out.count("500 (490 to 510), over") == len(names)
    assert "predicted, 500 ms measured (490 to 510)" in Path("runs/r/report.html").read_text()


@pytest.mark.slow
def test_the_front_is_measured_for_real(
    dse: Command, options: Any, devices: Path, here: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verified, "_SECONDS_EACH", 0.1)
    devices.mkdir()
    here.write(devices / "here.json")
    said = dse(*options("--device", "onnxruntime-cpu", "--trials", 1, "--json"))
    assert said.code == 0, said.err
    [row] = said.json["front"]
    low, high = row["measured_interval"]
    assert 0 < low <= row["measured_ms"] <= high < 100


def test_nothing_is_measured_on_another_machine(
    dse: Command, options: Any, devices: Path, measured: list[list[str]]
) -> None:
    Path("board.json").write_text(made_up("Cortex-A72").to_json())
    said = dse(
        *options("--device", "board.json", "--trials", 2, "--json"),
        *("--objective", "accuracy", "--objective", "latency_ms"),
    )
    assert said.code == 0, said.err
    [warning] = [line for line in said.err.splitlines() if line.startswith("warning")]
    assert "Cortex-A72" in warning
    assert this_machine().cpu in warning
    assert warning.endswith("the front will not be measured")
    assert measured == []
    for row in said.json["front"]:
        assert row["predicted_ms"] > 0
        assert row["measured_ms"] is None
    assert "Cortex-A72" in Run(Path("runs/r")).settings["latency"]["elsewhere"]


@pytest.mark.slow
def test_a_run_keeps_its_profile(
    dse: Command, options: Any, devices: Path, here: Profile, measured: list[list[str]]
) -> None:
    board = Path("board.json")
    board.write_text(here.to_json())
    assert dse(*options("--device", board, "--budget-latency-ms", 100, "--trials", 2)).code == 0
    assert Profile.load(Path("runs/r/device.json")) == Profile.load(board)
    board.unlink()
    said = dse("search", "--run", "r", "--resume", "--trials", 4)
    assert said.code == 0, said.err
    rows = Run(Path("runs/r")).trials
    assert len(rows) == 4
    assert all(row.latency_ms is not None for row in rows)
    assert len(measured) == 2


def test_a_machine_that_helps_predicts_by_the_runs_profile(small_space: Path) -> None:
    from dse.cli.worker import search_of
    from dse.version import dse_version

    facts = {
        "dse": dse_version(),
        "budget": {"latency_ms": 3.0},
        "objectives": ["ones", "latency_ms"],
        "input": "3x16x16",
        "classes": 3,
        "trials": 4,
        "seed": 0,
        "sampler": "random",
        "rungs": True,
        "files": {"space.yaml": small_space.read_text(), "device.json": made_up().to_json()},
        "options": {"evaluate": "json:dumps", "seed": 0, "space_name": "small"},
    }
    search = search_of(facts, None, "cpu")
    decisions = search.space.smallest("latency_ms")[1]
    network, spent = search.space.evaluate(decisions)
    kept = Profile.read(made_up().to_json())
    assert spent.latency_ms == pytest.approx(Predictor(kept).network(network).ms, abs=1e-6)


@pytest.mark.parametrize(
    ("device", "words"),
    [
        ("torch-cpu", ["--device torch-cpu", "dse device measure"]),
        ("here", ["no device is called 'here'", "onnxruntime-cpu"]),
        ("broken.json", ["broken.json", "must be JSON"]),
    ],
)
def test_a_device_without_a_profile_is_refused(
    refused: Callable[..., str], options: Any, device: str, words: list[str]
) -> None:
    Path("broken.json").write_text("{")
    said = refused(*options("--device", device, "--budget-latency-ms", 5))
    assert [word for word in words if word not in said] == []


def test_a_limit_that_nothing_meets_names_what_is_in_the_way(
    dse: Command, options: Any, devices: Path
) -> None:
    devices.mkdir()
    made_up("Cortex-A72").write(devices / "board.json")
    said = dse(*options("--device", "board", "--budget-latency-ms", 0.01))
    assert said.code == 2
    assert "has latency_ms <= 0.01; the smallest has 0.0" in said.err
    assert "where the decision stem.channels is at its cheapest" in said.err
    assert not Path("runs/r").exists()
