"""Searches by other evaluators than training, requirements, and proxies held against a run."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
import pytest

from dse.runs import Run
from dse.runtime.proxies import proxy_names

pytestmark = pytest.mark.usefixtures("_one_core")

OWN = """
def accuracy(candidate, report):
    return {"accuracy": candidate.cost.params / 1e4, "odd": candidate.trial % 2}
"""


@pytest.fixture
def _own(tmp_path: Path) -> Iterator[None]:
    """A module in the folder that the command runs in."""
    (tmp_path / "own_search.py").write_text(OWN)
    paths = list(sys.path)
    yield
    sys.path[:] = paths
    sys.modules.pop("own_search", None)


@pytest.mark.usefixtures("_own")
def test_a_search_by_a_function_needs_no_data(dse: Any, small_space: Path) -> None:
    line = ("search", "--evaluate", "own_search:accuracy", "--space", small_space, "--run", "r")
    said = dse(*line, "--trials", 6, "--image-size", 24, "--classes", 7)
    assert said.code == 0, said.err
    run = Run(Path("runs/r"))
    assert len(run.trials) == 6
    for row in run.trials:
        assert (str(row.network.input), row.network.classes) == ("3x24x24", 7)
        assert row.values["accuracy"] == row.cost["params"] / 1e4
    assert run.settings["evaluate"] == "own_search:accuracy"
    assert not {"data", "epochs", "recipe", "result"} & run.settings.keys()
    # A function says what it wants of designs: no limit is put beside it.
    assert run.settings["budget"] == {}
    assert "r: 6 designs evaluated by own_search:accuracy" in said.out
    assert "nothing was trained" in said.err
    paths = [Path(path) for path in run.settings["generated"]]
    assert sorted(path.suffix for path in paths) == [".json", ".onnx", ".py", ".py"]
    assert all(path.is_file() for path in paths)
    (graph,) = (path for path in paths if path.suffix == ".onnx")
    facts = {entry.key: entry.value for entry in onnx.load(graph).metadata_props}
    assert facts["weights"] == "fresh, not trained"
    assert facts["trial"] == str(run.settings["winner"])
    # Going on needs nothing but the name.
    said = dse("search", "--run", "r", "--resume", "--trials", 8, "--json")
    assert said.code == 0, said.err
    assert said.json["trials"] == 8
    assert "test" not in said.json["winner"]


@pytest.mark.usefixtures("_own")
def test_a_function_may_be_given_a_data_set_and_processes(
    dse: Any, digits_folder: Path, small_space: Path
) -> None:
    said = dse(
        *("search", "--evaluate", "own_search:accuracy", "--space", small_space, "--run", "r"),
        *("--dataset", digits_folder, "--image-size", 16, "--trials", 3, "--workers", 2),
        *("--objective", "odd", "--objective", "macs", "--json"),
    )
    assert said.code == 0, said.err
    run = Run(Path("runs/r"))
    assert {str(row.network.input) for row in run.trials} == {"3x16x16"}
    assert run.settings["data"]["images"] > 0
    assert run.objectives == ("odd", "macs")


def test_a_search_by_proxies(dse: Any, digits_folder: Path, small_space: Path) -> None:
    said = dse(
        *("search", "--evaluate", "proxy:zico,synflow", "--space", small_space, "--run", "r"),
        *("--dataset", digits_folder, "--image-size", 16, "--trials", 4, "--workers", 1),
    )
    assert said.code == 0, said.err
    run = Run(Path("runs/r"))
    assert run.objectives == ("zico", "params")
    for row in run.trials:
        assert row.values.keys() == {"zico", "synflow"}
        assert row.provenance["evaluator"] == "proxy:zico,synflow"
        assert row.provenance["dataset_digest"] == run.settings["data"]["digest"]
    best = max(run.trials, key=lambda row: row.values["zico"])
    assert run.settings["winner"] == best.trial
    assert next(line for line in said.out.splitlines() if "zico" in line and "MACs" in line)
    assert f"{best.values['zico']:.3f}" in said.out
    # It measured nothing that a proxy could be held against.
    said = dse("proxies", "r")
    assert said.code == 2
    assert "evaluated by proxy:zico,synflow" in said.err


def test_a_proxy_without_images_needs_no_data_set(dse: Any, small_space: Path) -> None:
    line = ("search", "--evaluate", "proxy:synflow", "--space", small_space, "--run", "r")
    assert dse(*line, "--trials", 2, "--workers", 1).code == 0
    run = Run(Path("runs/r"))
    assert {str(row.network.input) for row in run.trials} == {"3x16x16"}
    assert run.settings["budget"].keys() == {"macs"}


@pytest.mark.usefixtures("_own")
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", ["a search needs --dataset"]),
        ("--evaluate train", ["a search needs --dataset"]),
        ("--evaluate proxy:zico", ["zico reads training images", "--dataset"]),
        ("--evaluate proxy:zicco", ["'zicco'", "did you mean 'zico'?"]),
        ("--evaluate proxy:params", ["params is a cost"]),
        ("--evaluate trian", ["no evaluator is called 'trian'", "did you mean 'train'?"]),
        ("--evaluate nowhere_at_all:f", ["there is no module 'nowhere_at_all'"]),
        ("--evaluate own_search:f", ["the module own_search has no 'f'"]),
        ("--evaluate own_search:OWN", ["the module own_search has no 'OWN'"]),
        ("--evaluate own_search:accuracy --epochs 2", ["--epochs is for training"]),
        ("--evaluate proxy:synflow --recipe quick", ["--recipe is for training"]),
        ("--evaluate proxy:synflow --fold 1", ["--fold is of a data set"]),
        ("--evaluate proxy:synflow --objective accuracy", ["no objective", "'accuracy'"]),
        ("--evaluate proxy:synflow --require zico>=1", ["no metric", "'zico'", "synflow"]),
        ("--dataset digits --classes 3", ["--classes is for a search without --dataset"]),
        ("--dataset digits --objective recall.", ["no objective is called 'recall.'"]),
        ("--dataset digits --objective recall.ten", ["no class of digits is called 'ten'"]),
        ("--dataset digits --require accuracy>1", ["METRIC>=VALUE", "'accuracy>1'"]),
        ("--dataset digits --require recal.3>=1", ["no metric is called 'recal.3'"]),
        ("--dataset digits --require recall.ten>=1", ["no class of digits is called 'ten'"]),
        ("--dataset digits --require params<=1e6", ["params is a cost", "--budget-params"]),
        ("--dataset digits --require latency_ms<=5", ["--budget-latency-ms", "latency_ms<=5"]),
    ],
)
def test_what_a_user_may_get_wrong(refused: Any, line: str, words: list[str]) -> None:
    text = refused("search", *line.split())
    for word in words:
        assert word in text
    assert not Path("runs").exists()


@pytest.mark.usefixtures("_own")
def test_a_resumed_run_keeps_its_evaluator(dse: Any, refused: Any, small_space: Path) -> None:
    line = ("search", "--space", small_space, "--run", "r")
    assert dse(*line, "--evaluate", "own_search:accuracy", "--trials", 1).code == 0
    for option, value in (("--evaluate", "train"), ("--classes", 9), ("--require", "odd>=1")):
        text = refused("search", "--run", "r", "--resume", option, value)
        assert text.startswith("a resumed run keeps its options: ")
    # Runs that began before there were other evaluators did not keep it.
    path = Path("runs/r/run.json")
    settings = json.loads(path.read_text())
    del settings["options"]["evaluate"]
    path.write_text(json.dumps(settings))
    text = refused("search", "--run", "r", "--resume", "--evaluate", "own_search:accuracy")
    assert "evaluate is 'train' in r" in text


def test_requirements_and_metrics_of_classes(
    dse: Any, digits_folder: Path, small_space: Path
) -> None:
    said = dse(
        *("search", "--dataset", digits_folder, "--space", small_space, "--run", "r"),
        *("--image-size", 16, "--epochs", 1, "--workers", 1, "--trials", 5, "--json"),
        *("--objective", "recall.is0", "--objective", "params"),
        *("--require", "recall.is1>=0", "--require", "loss<=100"),
    )
    assert said.code == 0, said.err
    run = Run(Path("runs/r"))
    assert run.settings["options"]["require"] == ["recall.is1>=0", "loss<=100"]
    for row in run.trials:
        each = [row.values[f"recall.{name}"] for name in run.settings["data"]["classes"]]
        assert sum(each) / len(each) == pytest.approx(row.values["balanced_accuracy"])
        assert row.history[-1]["recall.is0"] == row.values["recall.is0"]
    # What was trained can be held against proxies.
    said = dse("proxies", "r", "--workers", 1)
    assert said.code == 0, said.err
    assert "Kendall's tau of proxies with recall.is0 over 5 designs" in said.out
    said = dse("proxies", "r", "--json")
    assert said.code == 0, said.err
    ranked = {row["proxy"] for row in said.json["rankings"]}
    assert ranked | set(said.json["left_out"]) == set(proxy_names())
    assert {"params", "macs", "synflow", "naswot"} <= ranked
    assert json.loads(Path("runs/r/proxies.json").read_text()) == said.json


def test_proxies_refuses_what_it_cannot_rank(refused: Any) -> None:
    assert "no run is called 'nothing'" in refused("proxies", "nothing")


def test_proxies_are_listed(dse: Any) -> None:
    rows = dse("list", "proxies", "--json").json
    assert [row["name"] for row in rows] == list(proxy_names())
    for row in rows:
        assert row["what"]
        assert row["source"] or row["name"] in ("params", "macs")
