"""`dse device predict`, `import` and `pack` as a user meets them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dse.devices.machine import this_machine
from dse.latency.predict import Predictor
from dse.presets import load_preset
from tests.cli.conftest import Command
from tests.latency.profiles import made_up

Refused = Callable[..., str]


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of profiles that holds that of a made-up machine."""
    monkeypatch.setenv("DSE_DEVICES", str(tmp_path / "devices"))
    made_up().write(tmp_path / "devices" / "board.json")
    return tmp_path / "devices"


def test_predictions_say_what_the_predictor_says(dse: Command, kept: Path) -> None:
    said = dse("device", "predict", "squeezenet", "hl-cnn", "--device", "board", "--json")
    assert said.code == 0
    for row, name in zip(said.json, ("squeezenet", "hl-cnn"), strict=True):
        found = Predictor(made_up()).network(load_preset(name))
        assert row["name"] == name
        assert row["ms"] == pytest.approx(found.ms, rel=1e-3)
        assert row["low_ms"] < row["ms"] < row["high_ms"]
        assert row["ms"] == pytest.approx(row["base_ms"] + sum(b["ms"] for b in row["blocks"]))
        assert row["unseen"] == []


def test_by_block_there_is_a_row_for_each(dse: Command, kept: Path) -> None:
    said = dse("device", "predict", "squeezenet", "--device", "board", "--by", "block")
    assert said.code == 0
    assert all(node.name in said.out for node in load_preset("squeezenet").nodes)


def test_a_profile_of_another_machine_warns_with_both(dse: Command, kept: Path) -> None:
    said = dse("device", "predict", "squeezenet", "--device", "board")
    assert said.code == 0
    assert said.err.startswith("warning: the profile made-up is of Made-up 3000")
    assert f"this is {this_machine().cpu}" in said.err


def test_without_a_device_this_machines_profile_is_taken(
    dse: Command, refused: Refused, kept: Path
) -> None:
    assert "dse device calibrate" in refused("device", "predict", "squeezenet")
    here = this_machine("onnxruntime")
    own = replace(made_up(here.cpu), name="own", system=here.system, libraries=here.libraries)
    own.write(kept / "own.json")
    said = dse("device", "predict", "squeezenet")
    assert (said.code, said.err) == (0, "")
    assert "own: " in said.out


def test_a_kind_never_seen_is_named(dse: Command, kept: Path) -> None:
    few = tuple(t for t in made_up().kernels if t.kernel.kind != "concat")
    replace(made_up(), kernels=few).write(kept / "board.json")
    said = dse("device", "predict", "squeezenet", "--device", "board")
    assert "never saw concat; their times are guesses" in said.err


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("predict squeezenet --device bord", "did you mean 'board'?"),
        ("predict squeezenet --device none.json", "cannot be read: no such file"),
        ("predict squezenet --device board", "did you mean 'squeezenet'?"),
        ("predict squeezenet --device damaged", "must be JSON"),
        ("predict squeezenet --device old", "format 1, got format 0"),
        ("import none.json", "cannot be read"),
        ("import empty.json", "must hold measured graphs"),
        ("pack full", "a new or empty folder"),
        ("calibrate --minutes 0", "a number above 0"),
        ("calibrate --name Up/../Down", "lower-case letters"),
    ],
)
def test_mistakes_are_one_sentence(
    refused: Refused, kept: Path, tmp_path: Path, line: str, words: str
) -> None:
    (kept / "damaged.json").write_text("{")
    (kept / "old.json").write_text('{"format": 0}')
    (tmp_path / "empty.json").write_text('{"format": 1, "graphs": []}')
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    assert words in refused("device", *line.split())


def test_predicting_imports_no_torch(kept: Path, tmp_path: Path) -> None:
    script = (
        "import sys; sys.argv = ['dse', 'device', 'predict', 'hl-cnn', '--device', 'board'];"
        "from dse.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print([m for m in ('torch', 'onnx', 'onnxruntime', 'optuna') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.splitlines()[-1] == "[]"
