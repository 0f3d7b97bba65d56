"""`dse compare` as a user meets it, also one who kills it."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from dse.experiments import open_experiment
from tests.cli.test_train import DESIGN


@pytest.fixture
def designs() -> list[str]:
    """Two files in the current folder; after `dse` or `refused`, which change to it."""
    wide = {**DESIGN, "name": "wide"}
    wide["nodes"] = [{"name": "stem", "conv": {"channels": 6, "stride": 2}}, *DESIGN["nodes"][1:]]
    for network in (DESIGN, wide):
        Path(f"{network['name']}.json").write_text(json.dumps(network))
    return ["tiny.json", "wide.json"]


@pytest.fixture
def usual(digits_folder: Path) -> list[Any]:
    return ["--dataset", digits_folder, "--folds", 3, "--epochs", 1, "--workers", 1]


def test_the_papers_tables(dse: Any, designs: list[str], usual: list[Any]) -> None:
    said = dse("compare", *designs, *usual, "--run", "x")
    assert said.code == 0, said.err
    for words in (
        "Accuracy by fold",
        "total parameters  fold 0  fold 1  fold 2   mean",
        "Differences in accuracy",
        "Scores on the test images",
        "AUROC",
        "What a network costs",
        "not available",
        "tiny by class",
        "wide by class",
        "support",
    ):
        assert words in said.out
    assert "can be told from chance" in said.out or "is better than" in said.out
    assert "6/6 test accuracy" in said.err
    assert Path("runs/x/compare.html").is_file()


def test_json_and_a_file(dse: Any, designs: list[str], usual: list[Any]) -> None:
    said = dse("compare", *designs, *usual, "--out", "here/t.csv", "--json")
    assert said.code == 0, said.err
    assert said.err == ""
    assert said.json["files"] == ["runs/compare-1/compare.html", "here/t.csv"]
    assert len(said.json["cells"]) == 6
    assert len(said.json["pairs"]) == 1
    assert said.json["pairs"][0].keys() >= {"first", "second", "difference", "corrected", "told"}
    rows = list(csv.reader(Path("here/t.csv").read_text().splitlines()))
    table = said.json["tables"]["folds"]
    assert [float(cell) for cell in rows[2][2:5]] == table["rows"][0][2:5]


def test_forms(dse: Any, designs: list[str], usual: list[Any]) -> None:
    assert dse("compare", *designs, *usual, "--run", "x", "--format", "md").out.startswith("# x\n")
    again = ["compare", "--run", "x", "--resume"]
    page = dse(*again, "--format", "html")
    assert page.out.startswith("<!DOCTYPE html>")
    assert "test accuracy" not in page.err  # nothing was trained
    assert dse(*again, "--out", "t.txt").out == "runs/x/compare.html\nt.txt\n"
    assert "Accuracy by fold" in Path("t.txt").read_text()
    assert "Wilcoxon's signed-rank test" in dse(*again, "--test", "wilcoxon").out
    assert "Differences in balanced accuracy" in dse(*again, "--metric", "balanced_accuracy").out


def test_models_and_seeds_are_added(dse: Any, designs: list[str], usual: list[Any]) -> None:
    dse("compare", designs[0], *usual, "--run", "x")
    said = dse("compare", designs[1], "--run", "x", "--resume", "--seeds", 2, "--workers", 1)
    assert said.code == 0, said.err
    assert "3 of 12 trainings are done already" in said.err
    assert "Each fold is the mean of 2 seeds." in said.out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("", ["a training needs --dataset"]),
        ("--dataset digits --folds 500", ["folds must be at most", "got 500"]),
        ("--dataset digits --seeds 0", ["--seeds: an integer from 1; got '0'"]),
        ("--dataset digits --recipe defalt", ["did you mean 'default'?"]),
        ("--dataset digits --test f", ["'f' is not one of", "'wilcoxon'"]),
        ("--dataset digits --metric f1", ["'f1' is not one of", "'auroc'"]),
        ("--dataset digits --format pdf", ["'pdf' is not one of", "'html'"]),
        ("--dataset digits --out file/t.md", ["file/t.md", "the folder cannot be made"]),
        ("--dataset digits --out folder", ["folder: the tables go to a file"]),
        ("--dataset digits vgg-19-bn --image-size 16", ["16"]),
        ("--dataset digits tiny.json", ["different names, got tiny twice"]),
        ("--resume", ["--resume needs --run"]),
        ("--resume --run nothing", ["no experiment is called 'nothing'; known: none"]),
    ],
)
def test_a_mistake_is_one_sentence(
    refused: Any, designs: list[str], options: str, words: list[str]
) -> None:
    Path("file").touch()
    Path("folder").mkdir()
    text = refused("compare", "tiny.json", *options.split())
    for word in words:
        assert word in text
    assert not Path("runs").exists()


def test_no_networks(refused: Any) -> None:
    assert "a comparison needs networks" in refused("compare", "--dataset", "digits")


def test_another_question_is_refused(
    dse: Any, refused: Any, designs: list[str], usual: list[Any]
) -> None:
    dse("compare", *designs, *usual, "--run", "x")
    assert refused("compare", "--run", "x", "--resume", "--epochs", 2) == (
        "a resumed experiment keeps its settings: recipe's epochs is 1 in x, got 2; only models "
        "and seeds may be added"
    )


def test_a_class_too_rare_for_the_folds(refused: Any, designs: list[str], tmp_path: Path) -> None:
    """Three patients of one class cannot be in four folds."""
    import numpy as np
    from PIL import Image

    rows = ["file,label,patient"]
    draw = np.random.default_rng(0)
    for label, patients in (("a", 8), ("b", 3)):
        (tmp_path / "data" / label).mkdir(parents=True)
        for number in range(16):
            file = f"{label}/{number}.png"
            pixels = draw.integers(0, 256, (16, 16), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "data" / file)
            rows.append(f"{file},{label},{label}{number % patients}")
    (tmp_path / "data" / "splits.csv").write_text("\n".join(rows))
    text = refused("compare", designs[0], "--dataset", tmp_path / "data", "--folds", 4)
    assert "folds must be at most 3, the patients of the class 'b'" in text


# -- in a process of its own


@pytest.fixture
def started(tmp_path: Path, digits_folder: Path, designs: list[str]) -> Iterator[Any]:
    """Starts comparisons of many epochs in `tmp_path`, and ends what is left of them."""
    made: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "dse", "compare", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            start_new_session=True,
        )
        made.append(process)
        return process

    yield start
    for process in made:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for(pattern: str, process: subprocess.Popen[str]) -> list[Path]:
    while not (found := list(Path().glob(pattern))):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    return found


def nobody_trains(before: float = 60) -> bool:
    """Whether the processes of a killed comparison have noticed, within some seconds."""
    here = str(Path.cwd())
    end = time.monotonic() + before
    while time.monotonic() < end:
        left = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if os.readlink(folder / "cwd") == here and int(folder.name) != os.getpid():
                    left.append(folder)
            except OSError:
                continue
        if not left:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="looks for processes in /proc")
def test_killed_and_gone_on_with_it_is_as_if_never_killed(
    dse: Any, started: Any, digits_folder: Path, designs: list[str], tmp_path: Path
) -> None:
    usual = ["--dataset", str(digits_folder), "--folds", "3", "--epochs", "30", "--run"]
    whole = dse("compare", *designs, *usual, "whole", "--workers", 1)
    assert whole.code == 0, whole.err
    process = started(*designs, *usual, "x", "--workers", "2")
    finished = wait_for("runs/x/cells/*/*/result.json", process)
    wait_for("runs/x/cells/*/*/checkpoint/checkpoint.json", process)
    process.kill()
    _, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    assert nobody_trains()
    finished = list(Path().glob("runs/x/cells/*/*/result.json"))
    assert len(finished) < 6  # else there is nothing to go on with
    times = {path: path.stat().st_mtime_ns for path in finished}

    said = dse("compare", "--run", "x", "--resume", "--workers", 1)
    assert said.code == 0, said.err
    assert all(path.stat().st_mtime_ns == at for path, at in times.items())
    ours, theirs = open_experiment("x"), open_experiment("whole")
    assert ours.cells == theirs.cells
    for cell in ours.cells:
        assert ours.results[cell].metrics == theirs.results[cell].metrics
        a, b = load_file(ours.weights(cell)), load_file(theirs.weights(cell))
        assert all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_ends_it_cleanly_and_says_how_to_go_on(
    dse: Any, started: Any, digits_folder: Path, designs: list[str], workers: str
) -> None:
    process = started(
        *designs, "--dataset", str(digits_folder), "--folds", "3", "--epochs", "500", "--run", "x",
        "--workers", workers,
    )  # fmt: skip
    wait_for("runs/x/cells/*/*/checkpoint/checkpoint.json", process)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    assert err.splitlines()[-1] == (
        "stopped; what has finished is kept, go on with: dse compare --run x --resume"
    )
    assert open_experiment("x").pending
