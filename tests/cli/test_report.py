"""`dse report` as a user meets it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dse.experiments.experiment import FILE
from dse.presets import load_preset
from dse.runs import Run, runs_folder
from tests.report.conftest import SETTINGS, make_trial


@pytest.fixture
def make() -> Callable[..., Run]:
    """Small runs in the current folder; after `dse` or `refused`, which change to it."""

    def make(name: str, **settings: Any) -> Run:
        run = Run(runs_folder() / name)
        run.folder.mkdir(parents=True)
        run.save_settings({**SETTINGS, **settings})
        sizes: dict[str, Any] = {"classes": 3, "input": "3x32x32"}
        network = load_preset("squeezenet-1.1", **sizes)
        run.append(make_trial(0, network, 0.7, baseline=True))
        run.append(make_trial(1, network.scaled(0.5).replaced(name="half"), 0.8))
        return run

    return make


def test_a_run_gets_a_page_in_its_folder(dse: Any, make: Any) -> None:
    make("a")
    said = dse("report", "a")
    assert (said.code, said.out) == (0, "runs/a/report.html\n")
    assert "half" in Path("runs/a/report.html").read_text()
    found = json.loads(dse("report", "a", "--json", "--out", "x/page.html").out)
    assert found["report"] == "x/page.html"
    assert found["winner"]["name"] == "half"


def test_several_runs_get_one_page_here(dse: Any, make: Any) -> None:
    make("a")
    make("b", sampler="random")
    assert dse("report", "a", "b").out == "report.html\n"
    found = json.loads(dse("report", "a", "b", "--json").out)
    assert found["compared"] == "accuracy"
    assert found["beaten"]["squeezenet-1.1"][0]["runs"] == 1


@pytest.mark.parametrize("asked", [("--format", "md"), ("--out", "R.md")])
def test_markdown_by_format_or_by_name(dse: Any, make: Any, asked: tuple[str, str]) -> None:
    make("a")
    text, *pictures = dse("report", "a", *asked).out.split()
    assert text == ("R.md" if "R.md" in asked else "runs/a/REPORT.md")
    assert "# a" in Path(text).read_text()
    assert pictures
    assert all(Path(picture).read_text().startswith("<svg") for picture in pictures)


def test_a_run_without_trials_is_reported_as_that(dse: Any) -> None:
    run = Run(Path("runs/empty"))
    run.folder.mkdir(parents=True)
    run.save_settings(SETTINGS)
    said = dse("report", "empty")
    assert said.code == 0
    assert "No trial has finished." in Path("runs/empty/report.html").read_text()
    assert dse("report", "empty", "--format", "md").code == 0
    assert "No trial has finished." in Path("runs/empty/REPORT.md").read_text()


def test_mistakes(refused: Any, make: Any) -> None:
    make("covid-1")
    assert refused("report", "covid-2") == (
        "no run or experiment is called 'covid-2'; did you mean 'covid-1'?"
    )
    assert "once, got covid-1 twice" in refused("report", "covid-1", "covid-1")
    assert "and this is a folder" in refused("report", "covid-1", "--out", "runs")
    assert "a run's name is" in refused("report", "../x")
    folder = Path("runs/papers")
    folder.mkdir()
    (folder / FILE).write_text("{}")
    assert "reported by itself, got papers" in refused("report", "covid-1", "papers")
    assert "the experiment cannot be read" in refused("report", "papers")


def test_an_experiment_has_its_page(dse: Any, digits_folder: Path) -> None:
    from tests.cli.test_train import DESIGN

    dse("list")
    Path("tiny.json").write_text(json.dumps(DESIGN))
    usual = ["--dataset", digits_folder, "--folds", 2, "--epochs", 1, "--workers", 1]
    assert dse("compare", "tiny.json", *usual, "--run", "x").code == 0
    assert dse("report", "x").out == "runs/x/report.html\n"
    assert "Accuracy by fold" in Path("runs/x/report.html").read_text()
    assert dse("report", "x", "--format", "md").out == "runs/x/REPORT.md\n"
    assert json.loads(dse("report", "x", "--json").out)["experiment"] == "x"
