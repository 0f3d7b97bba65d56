"""`dse device`: measuring on the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dse.devices import device_names, find_device
from dse.presets import load_preset
from tests.cli.conftest import Command

SMALL = ("squeezenet-1.1", "--image-size", 32, "--classes", 3, "--seconds", 1)


@pytest.fixture(autouse=True)
def _own_profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSE_DEVICES", str(tmp_path / "devices"))


@pytest.mark.slow
def test_networks_and_files_are_measured_in_turn(dse: Command) -> None:
    network = load_preset("squeezenet-1.1", classes=3, input="3x32x32")
    Path("small.onnx").write_bytes(find_device("onnxruntime-cpu").pack(network))
    said = dse("device", "measure", *SMALL, "small.onnx", "--batch", 1, "--batch", 2, "--json")
    assert said.code == 0, said.err
    assert {"cpu", "cores", "system", "python", "libraries"} <= said.json["machine"].keys()
    assert "onnxruntime" in said.json["machine"]["libraries"]
    rows = said.json["measurements"]
    assert [(row["name"], row["batch"]) for row in rows] == [
        ("squeezenet-1.1", 1), ("small.onnx", 1), ("squeezenet-1.1", 2), ("small.onnx", 2),
    ]  # fmt: skip
    for row in rows:
        assert row["device"] == "onnxruntime-cpu"
        assert row["clock"] == "cpu"
        assert 0 < row["low_ms"] <= row["median_ms"] <= row["high_ms"]
        assert row["median_ms"] <= row["p95_ms"]
        assert row["processor"]["median_ms"] == row["median_ms"]
        assert row["wall"]["median_ms"] > 0
        assert row["rounds"] >= 30
        assert row["threads"] == 1


def test_the_table_says_by_which_clock_on_which_machine(dse: Command) -> None:
    said = dse("device", "measure", *SMALL)
    assert said.code == 0, said.err
    header, row, *rest = said.out.splitlines()
    assert header.split()[:3] == ["name", "device", "batch"]
    assert "times the first" not in header  # there is one alone
    assert row.startswith("squeezenet-1.1  onnxruntime-cpu")
    assert " wall (" in row
    text = "\n".join(rest)
    assert "clock cpu: by the time that one thread has the processor" in text
    assert "onnxruntime-cpu: onnxruntime " in text
    assert "machine: " in text
    assert "core" in text


def test_runtimes_are_listed_with_what_they_lack(dse: Command) -> None:
    said = dse("device", "list", "--json")
    rows: dict[str, dict[str, Any]] = {row["name"]: row for row in said.json}
    assert rows.keys() == set(device_names())
    for name, row in rows.items():
        reason = find_device(name).absent()
        assert row["kind"] == "runtime"
        assert row["available"] is (reason is None)
        assert (reason or "measures on this machine") in row["status"]
    assert "onnxruntime-cpu" in dse("device", "list").out


def test_a_damaged_profile_is_listed_as_such(dse: Command, tmp_path: Path) -> None:
    (tmp_path / "devices").mkdir()
    (tmp_path / "devices" / "board.json").write_text("{")
    said = dse("device", "list", "--json")
    [row] = [row for row in said.json if row["kind"] == "profile"]
    assert (row["name"], row["available"]) == ("board", False)
    assert "board" in row["status"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("measure", ["missing argument 'NAME...'"]),
        ("measure squezenet", ["did you mean 'squeezenet'?"]),
        ("measure squeezenet --device onnxruntime", ["did you mean 'onnxruntime-cpu'?"]),
        ("measure squeezenet --batch 0", ["--batch: an integer from 1; got '0'"]),
        ("measure squeezenet --threads many", ["--threads: an integer from 1; got 'many'"]),
        ("measure squeezenet --threads 100000", ["threads are from 1 to the cores", "100000"]),
        ("measure squeezenet --seconds 0.5", ["from 1s to 1h", "0.5"]),
        ("measure squeezenet --seconds soon", ["90s, 30m or 2h", "'soon'"]),
        ("measure no.onnx", ["no.onnx"]),
        ("measure broken.onnx", ["broken.onnx", "not an ONNX file of images"]),
        ("measure broken.onnx --device torch-cpu", ["broken.onnx", "measured by onnxruntime-cpu"]),
    ],
)
def test_a_mistake_is_one_sentence(
    refused: Callable[..., str], line: str, words: list[str]
) -> None:
    Path("broken.onnx").write_bytes(b"no graph")
    text = refused("device", *line.split())
    for word in words:
        assert word in text
