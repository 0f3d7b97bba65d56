"""Calibration: a pack is written, run by its runner alone, and read back as a profile."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest

from dse.devices import calibrate as calibration
from dse.devices import machine, runner
from dse.devices.calibrate import FailedCalibration, calibrate
from dse.devices.machine import this_machine
from dse.devices.pack import write_pack
from dse.devices.profiles import local_profile, mismatch
from dse.devices.results import import_results
from dse.devices.specimens import chains, designs
from dse.errors import InvalidValue
from dse.latency.predict import Predictor
from dse.latency.profile import Profile
from dse.presets import load_preset

SMALL = {"whole": 5, "spaces": 4, "blocks": 5}


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packs") / "small"
    write_pack(folder, lambda done: None, **SMALL)
    return folder


@pytest.fixture(scope="module")
def results(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the runner writes where dse cannot be imported."""
    folder = tmp_path_factory.mktemp("board") / "pack"
    shutil.copytree(packed, folder)
    (folder / "dse.py").write_text("raise ImportError('there is no dse here')")
    done = subprocess.run(
        [sys.executable, "runner.py", "--minutes", "0.02"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "100 %" in done.stdout
    return folder / runner.RESULTS


def document(results: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(results.read_text())
    return found


def test_the_runner_needs_onnxruntime_and_numpy_alone() -> None:
    for module in (runner, machine):
        tree = ast.parse(Path(str(module.__file__)).read_text())
        names = {
            (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        foreign = {n.partition(".")[0] for n in names} - set(sys.stdlib_module_names)
        assert foreign <= {"numpy", "onnxruntime", "dse", "machine"}
        assert {name for name in names if name.startswith("dse")} <= {"dse.devices.machine"}


def test_the_pack_is_the_same_each_time(packed: Path, tmp_path: Path) -> None:
    write_pack(tmp_path / "again", lambda done: None, **SMALL)
    assert (tmp_path / "again" / runner.PACK).read_text() == (packed / runner.PACK).read_text()


def test_a_pack_needs_an_empty_folder(packed: Path) -> None:
    with pytest.raises(InvalidValue, match="a new or empty folder"):
        write_pack(packed, lambda done: None, **SMALL)


def test_results_become_a_profile_that_predicts(results: Path) -> None:
    profile = import_results(results)
    here = this_machine("onnxruntime")
    assert (profile.cpu, profile.libraries["onnxruntime"]) == (
        here.cpu,
        here.libraries["onnxruntime"],
    )
    assert mismatch(profile) is None
    assert len(profile.networks) == SMALL["whole"]
    assert len(profile.kernels) > 100
    assert Profile.read(profile.to_json()).name == profile.name
    found = Predictor(profile).network(load_preset("squeezenet-1.1"))
    # Not a measurement: no machine is a thousand times off.
    assert 0.1 < found.ms < 1000
    assert 0 < found.low_ms < found.ms < found.high_ms


def test_every_kernel_of_the_pack_is_recognised(results: Path) -> None:
    from dse.devices.observe import observed, seen_layout
    from dse.latency.kernels import kernels
    from dse.network import read_network

    graphs = document(results)["graphs"]
    [probe] = [graph for graph in graphs if graph["role"] == "probe"]
    layout = seen_layout(probe["rounds"][0])
    ran = strangers = 0
    for graph in graphs:
        if graph["role"] == "kernels":
            expected = kernels(read_network(graph["design"]).lower(), layout)
            seen = observed(graph["rounds"][0], expected, layout)
            ran += len(seen.times)
            strangers += len(seen.strangers)
    assert strangers < 0.02 * ran


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "must be the JSON"),
        ("[]", "format"),
        ('{"format": 99}', "of format 1, got format 99"),
        ('{"format": 1}', "damaged"),
        ('{"format": 1, "graphs": []}', "must hold measured graphs"),
        ('{"format": 1, "graphs": [{"rounds": []}]}', "must hold measured graphs"),
        ('{"format": 1, "graphs": 3}', "damaged"),
    ],
)
def test_bad_results_are_refused_in_a_sentence(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(InvalidValue, match=message):
        import_results(path)


def test_results_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="cannot be read"):
        import_results(tmp_path / "results.json")


def test_ctrl_c_keeps_whole_turns_and_drops_less(
    packed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_LOT", 4)
    graphs = len(json.loads((packed / runner.PACK).read_text())["graphs"])
    lots = -(-graphs // 4)

    def interrupted_at(lot: int) -> dict[str, Any] | None:
        done = 0

        def progress(share: float) -> None:
            nonlocal done
            done += 1
            if done == lot:
                raise KeyboardInterrupt

        return runner.measure(packed, 0, 1, progress)

    assert interrupted_at(lots - 1) is None
    kept = interrupted_at(lots)
    assert kept is not None
    assert {len(graph["rounds"]) for graph in kept["graphs"]} == {1}


def test_lots_are_small_and_hold_every_graph_once() -> None:
    graphs = [{"name": str(number)} for number in range(2 * runner._LOT + 1)]
    sizes = {graph["name"]: 10 for graph in graphs}
    assert [len(lot) for lot in runner._lots(graphs, sizes)] == [runner._LOT, runner._LOT, 1]
    heavy = {name: int(0.6 * runner._LOT_BYTES) for name in sizes}
    lots = runner._lots(graphs, heavy)
    assert [graph for [graph] in lots] == graphs


def test_slices_are_told_apart_and_what_warms_up_is_left_out() -> None:
    opened = runner.Opened.__new__(runner.Opened)
    run: dict[runner.Clock, float] = {"processor": 1e-3, "wall": 1e-3}
    opened.slices = [[run] * 4, [run] * 5]
    us = [900.0, 10.0, 10.0, 10.0, 900.0, 30.0, 30.0, 30.0, 30.0]
    assert list(opened._by_slice(us, "wall")) == [10.0, 30.0]


def test_this_machine_is_calibrated(monkeypatch: pytest.MonkeyPatch) -> None:
    def small(folder: Path, progress: Any) -> None:
        write_pack(folder, progress, **SMALL)

    monkeypatch.setattr(calibration, "write_pack", small)
    shares: list[float] = []
    profile = calibrate("here", minutes=0.01, progress=shares.append)
    assert profile.name == "here"
    assert profile.rounds >= 1
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)


def test_ctrl_c_before_each_had_its_turn_is_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    def small(folder: Path, progress: Any) -> None:
        write_pack(folder, progress, **SMALL)

    def progress(share: float) -> None:
        if share > 0.13:  # the child has said that a percent is done
            raise KeyboardInterrupt

    monkeypatch.setattr(calibration, "write_pack", small)
    with pytest.raises(KeyboardInterrupt):
        calibrate("here", minutes=0.5, progress=progress)


def test_a_runner_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(folder: Path, progress: Any) -> None:
        write_pack(folder, progress, **SMALL)
        (folder / runner.GRAPHS).unlink()

    monkeypatch.setattr(calibration, "write_pack", broken)
    with pytest.raises(FailedCalibration, match=r"without results: .*graphs\.zip"):
        calibrate("here", minutes=0.01)


def test_profiles_of_other_machines_are_told_apart(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DSE_DEVICES", str(tmp_path))
    (tmp_path / "damaged.json").write_text("{")
    assert local_profile() is None
    own = import_results(results, "own")
    own.write(tmp_path / "own.json")
    found = local_profile()
    assert found is not None
    assert found.name == "own"
    other = Profile.read(own.to_json().replace(own.cpu, "Cortex-A72"))
    sentence = mismatch(other)
    assert sentence is not None
    assert "Cortex-A72" in sentence
    assert own.cpu in sentence


def test_specimens_come_from_every_space_and_every_kind_of_block() -> None:
    from dse.blocks import block_kinds
    from dse.space import DEFAULT_SPACE, space_names

    count = 2 * len(space_names())
    drawn = [network.name for network in islice(designs(Random(0), 1e9), count)]
    spaces = [name.rpartition("-")[0] for name in drawn]
    assert set(spaces) == set(space_names())
    assert spaces.count(DEFAULT_SPACE) > count / 2
    kinds = {kind for kind, cls in block_kinds().items() if cls.arity == 1}
    few = islice(chains(Random(0), 1e9), 3 * len(kinds))
    assert kinds <= {node.block.kind for network in few for node in network.nodes}


def test_other_programs_are_kept_out_of_kernels_times() -> None:
    short = [50.0] * 8 + [3050.0] * 2
    assert runner._without_others(short, own=0.5) == pytest.approx(50)
    long = [20_000.0] * 5 + [24_000.0] * 5  # each of them shared with another program
    assert runner._without_others(long, own=0.5) == pytest.approx(11_000)
