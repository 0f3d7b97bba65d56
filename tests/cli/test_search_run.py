"""Whole runs of `dse search` on real images: files, rows, results, resuming, honesty."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dse.cost import cost
from dse.data import load_dataset
from dse.network import parse_network, read_network
from dse.presets import load_preset
from dse.runs import Run
from dse.space import parse_space
from tests.command import ON_ONE_CORE, Said, subprocess_dse

pytestmark = pytest.mark.usefixtures("_one_core")

REPORT_KEYS = {"run", "trials", "front", "winner", "report", "generated"}
FRONT_KEYS = {"trial", "name", "params", "macs", "latency_ms", "values", "design"}


class Searched:
    """A folder in which `dse search --json` ended."""

    def __init__(self, folder: Path, said: Said, name: str) -> None:
        self.folder, self.said, self.name = folder, said, name
        self.run = Run(folder / "runs" / name)

    @property
    def document(self) -> Any:
        return self.said.json

    def file(self, ending: str) -> Path:
        """The winner's file with this ending."""
        files = (self.folder / "generated" / self.name).glob(f"*{ending}")
        (found,) = (path for path in files if path.name != "predict.py")
        return found


@pytest.fixture(scope="module")
def searched(xrays: Path, tmp_path_factory: pytest.TempPathFactory) -> Searched:
    folder = tmp_path_factory.mktemp("searched")
    said = subprocess_dse(
        folder,
        *("search", "--dataset", xrays, "--image-size", 32, "--epochs", 1, "--trials", 3),
        *("--budget-params", "800k", "--space", "spp-covid", "--run", "tiny", "--seed", 1),
        *("--recipe-set", "batch_size=16", "--recipe-set", "augment.shift=0.1"),
        *("--workers", 1, "--json"),
    )
    assert said.code == 0, said.err
    return Searched(folder, said, "tiny")


def test_the_document_has_the_keys_programs_rely_on(searched: Searched) -> None:
    document = searched.document
    assert document.keys() >= REPORT_KEYS
    assert (document["run"], document["trials"]) == ("tiny", 3)
    assert document["front"]
    for row in document["front"]:
        assert row.keys() >= FRONT_KEYS
        assert row["params"] == cost(read_network(row["design"])).params <= 800_000
        assert 0 <= row["values"]["accuracy"] <= 1
    assert document["winner"]["trial"] in {row.trial for row in searched.run.trials}
    assert document["winner"]["test"]["n"] == 12
    low, high = document["winner"]["test"]["interval"]
    assert low <= document["winner"]["test"]["accuracy"] <= high
    assert document["report"] == "runs/tiny/report.html"
    endings = sorted(Path(path).suffix for path in document["generated"])
    assert endings == [".json", ".onnx", ".pt", ".py", ".py"]
    assert "generated/tiny/predict.py" in document["generated"]
    for path in [document["report"], *document["generated"]]:
        assert (searched.folder / path).stat().st_size > 0


def test_what_goes_to_people_goes_to_stderr(searched: Searched) -> None:
    err = searched.said.err
    assert "covid-xray-tiny: images from covid-xray-tiny" in err
    assert "800,000 parameters, " in err
    assert "FLOPs)" in err  # the budget both ways
    assert "Traceback" not in err
    assert "Warning" not in err


def test_the_run_is_all_there(searched: Searched) -> None:
    names = {path.name for path in searched.run.folder.iterdir()}
    assert names >= {"run.json", "trials.jsonl", "study.log", "report.html", "space.yaml"}
    assert not [name for name in names if name.endswith((".draft", ".tmp"))]
    space = parse_space((searched.run.folder / "space.yaml").read_text(), "spp-covid")
    for row in searched.run.trials:
        assert row.network in space
    settings = searched.run.settings
    assert settings["command"].startswith("dse search --dataset ")
    assert settings["winner"] == searched.document["winner"]["trial"]
    assert settings["check"]["max_abs_error"] < 1e-4
    page = (searched.run.folder / "report.html").read_text()
    assert searched.document["winner"]["name"] in page


def test_rows_say_under_what_conditions_they_arose(searched: Searched, xrays: Path) -> None:
    data = load_dataset(xrays, image_size=32)
    assert len(searched.run.trials) == 3
    for row in searched.run.trials:
        said = row.provenance
        assert said["dataset"] == "covid-xray-tiny"
        assert said["dataset_digest"] == data.digest
        assert said["synthetic"] is False
        assert (said["seed"], said["search_seed"]) == (1, 1)
        assert (said["device"], said["image_size"]) == ("cpu", 32)
        assert said["recipe"]["name"] == "quick"
        assert said["recipe"]["epochs"] == 1
        assert said["recipe"]["batch_size"] == 16
        assert said["recipe"]["augment"]["shift"] == 0.1
        assert said["recipe"]["augment"]["horizontal_flip"] is True
        assert said["dse"] == searched.run.settings["dse"]
        assert row.digest == row.network.digest
        assert len(row.history) == 1
        # Validation only: nothing of the test part is in a row.
        assert not [key for key in row.values if "test" in key]


def test_the_design_rereads_to_the_winner(searched: Searched) -> None:
    network = parse_network(searched.file(".json").read_text(), "winner")
    assert network == read_network(searched.document["winner"]["design"])


@pytest.mark.slow
def test_the_source_runs_as_a_script(searched: Searched) -> None:
    path = searched.file(".py")
    done = subprocess.run(
        [sys.executable, path.name], cwd=path.parent, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert f"{searched.document['winner']['params']:,}" in done.stdout
    assert f"{searched.document['winner']['macs']:,}" in done.stdout


def test_weights_source_and_onnx_agree(searched: Searched) -> None:
    import onnxruntime
    import torch

    spec = importlib.util.spec_from_file_location("winner", searched.file(".py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model = module.create_model(num_classes=3)
    fresh = {key: value.clone() for key, value in model.state_dict().items()}
    state = torch.load(searched.file(".pt"), weights_only=True)
    model.load_state_dict(state, strict=True)
    assert any(not torch.equal(fresh[key], state[key]) for key in fresh)
    model.eval()
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    session = onnxruntime.InferenceSession(
        str(searched.file(".onnx")), providers=["CPUExecutionProvider"]
    )
    (scores,) = session.run(None, {session.get_inputs()[0].name: images.numpy()})
    with torch.no_grad():
        np.testing.assert_allclose(scores, model(images).numpy(), atol=1e-4)
    facts = session.get_modelmeta().custom_metadata_map
    assert facts["class_names"] == "covid,normal,pneumonia"
    assert facts["run"] == "tiny"


@pytest.mark.slow
def test_exports_of_the_winner_have_its_weights(searched: Searched) -> None:
    said = subprocess_dse(
        searched.folder, "generate", "tiny#winner", "--int8", "--out", "again", "--json"
    )
    assert said.code == 0, said.err
    assert f"the run's weights, from generated/tiny/{searched.file('.onnx').name}" in said.err
    again = searched.folder / said.json["onnx"]
    assert again.read_bytes() == searched.file(".onnx").read_bytes()
    # Its images are those of the search: the data set, their size and the parts.
    assert said.json["int8"]["images"] == searched.run.settings["data"]["split"]["val"]


def test_the_trials_can_be_named(searched: Searched, monkeypatch: pytest.MonkeyPatch) -> None:
    from dse.designs import find_design

    monkeypatch.chdir(searched.folder)
    winner = searched.document["winner"]
    assert find_design("tiny#winner") == read_network(winner["design"])
    assert find_design(f"tiny#{winner['trial']}") == find_design("tiny#winner")
    assert find_design("tiny#winner", classes=7).classes == 7


def test_report_says_the_same_again(searched: Searched) -> None:
    said = subprocess_dse(searched.folder, "report", "tiny", "--json")
    assert said.code == 0
    assert said.json == searched.document
    said = subprocess_dse(searched.folder, "report", "tiny", "--out", "elsewhere/page.html")
    assert said.out == "elsewhere/page.html\n"
    assert (searched.folder / "elsewhere/page.html").stat().st_size > 100_000


# -- in this process: what is read when ---------------------------------------------------------


@pytest.fixture
def options(digits_folder: Path, small_space: Path) -> Callable[..., list[object]]:
    """The arguments of a search that takes a second."""

    def make(*more: object, space: object = small_space) -> list[object]:
        return [
            *("search", "--dataset", digits_folder, "--space", space, "--run", "r"),
            *("--image-size", 16, "--epochs", 1, "--workers", 1, *more),
        ]

    return make


@pytest.fixture
def _presets_lose(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is no preset is more accurate, so that there is a winner and a preset beside it."""
    from dse.runtime.evaluate import Train

    original = Train.advance

    def judged(self: Train, candidate: Any, *rest: Any) -> Any:
        reached = original(self, candidate, *rest)
        accuracy = 0.1 if candidate.baseline else 0.9
        return replace(reached, metrics={**reached.metrics, "accuracy": accuracy})

    monkeypatch.setattr(Train, "advance", judged)


@pytest.mark.usefixtures("_presets_lose")
def test_the_test_part_is_read_once_for_the_winner_and_the_best_preset(
    dse: Any, options: Any, digits_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluate = import_module("dse.runtime.evaluate")
    read: list[np.ndarray[Any, Any]] = []
    original = evaluate.part
    monkeypatch.setattr(evaluate, "part", lambda d, i: (read.append(i), original(d, i))[1])
    said = dse(*options("--trials", 5, "--budget-params", "900k", space="spp-covid"))
    assert said.code == 0, said.err
    split = load_dataset(digits_folder, image_size=16).splits(0)
    test = set(split.test.tolist())
    run = Run(Path("runs/r"))
    winner, preset = run.settings["result"]
    assert winner["trial"] == run.settings["winner"]
    assert (winner["baseline"], preset["baseline"]) == (False, True)
    assert winner["n"] == preset["n"] == len(test)
    assert len([indices for indices in read if set(indices.tolist()) == test]) == 2
    # Nothing else touches it: not a trial, not the longer training.
    for indices in read:
        assert set(indices.tolist()) == test or not test & set(indices.tolist())
    # Trials, and leaders with other seeds, read train and validation, the longer trainings both
    # together.
    again = sum(len(standing["again"]) for standing in run.settings["standings"])
    assert again >= 2 * 2
    assert len(read) == 2 * (5 + again) + 2 * 2
    whole = sorted(np.concatenate([split.train, split.val]).tolist())
    assert [sorted(indices.tolist()) for indices in read].count(whole) == 2
    assert "best preset: spp-covid-net" in said.out


@pytest.mark.slow
@pytest.mark.usefixtures("_presets_lose")
def test_the_preset_is_tested_in_a_process_beside_where_cores_are_to_spare(
    dse: Any, options: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = dse(*options("--trials", 4, space="spp-covid"))
    assert alone.code == 0, alone.err
    results = Run(Path("runs/r")).settings["result"]
    monkeypatch.setattr(import_module("dse.search.finish"), "threads_for", lambda workers: 2)
    beside = dse("search", "--run", "r", "--resume")
    assert beside.code == 0, beside.err
    again = Run(Path("runs/r")).settings["result"]
    assert [row["trial"] for row in again] == [row["trial"] for row in results]
    assert again[1]["confusion"] == results[1]["confusion"]


def test_the_table_for_people(dse: Any, options: Any) -> None:
    said = dse(*options("--trials", 3, "--budget-params", "2M"))
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert "r: 3 designs trained, accuracy on validation images" in lines
    header = next(line for line in lines if "accuracy" in line and "params" in line)
    assert header.split() == ["design", "trial", "accuracy", "params", "MACs", "peak", "memory"]
    run = Run(Path("runs/r"))
    for row in run.front():
        assert any(line.startswith(f"*  {row.name} ") for line in lines)
    assert "on the Pareto front of accuracy and params" in said.out
    assert "95 % interval" in said.out
    assert str(Path("generated/r")) in said.out
    assert lines[-1] == "runs/r/report.html"
    # Progress is on stderr, one line for each trial.
    assert [line.split()[0] for line in said.err.splitlines() if " trial " in line] == [
        "1/3",
        "2/3",
        "3/3",
    ]
    for path in lines[-5:]:
        assert Path(path).is_file()


def test_a_design_that_fails_is_said(
    dse: Any, options: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dse.runtime.evaluate import Train

    original = Train.advance

    def sometimes(self: Train, candidate: Any, *rest: Any) -> Any:
        if candidate.name.startswith("spp-covid-net"):
            raise MemoryError("too large")
        return original(self, candidate, *rest)

    monkeypatch.setattr(Train, "advance", sometimes)
    said = dse(*options("--trials", 3, space="spp-covid"))
    assert said.code == 0, said.err
    rows = Run(Path("runs/r")).trials
    assert len(rows) == 3
    failed = [row for row in rows if row.state == "failed"]
    assert failed
    for row in failed:
        assert f"trial {row.trial} {row.name} failed: MemoryError: too large" in said.err


def test_no_trial_finished(dse: Any, options: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from dse.runtime.evaluate import Train

    def never(self: Train, *arguments: Any) -> Any:
        raise RuntimeError("no luck")

    monkeypatch.setattr(Train, "advance", never)
    said = dse(*options("--trials", 2))
    assert said.code == 2
    assert said.err.splitlines()[-1].startswith("error: no trial of the run r finished")


# -- resuming -----------------------------------------------------------------------------------


def test_resume_goes_on_with_the_options_it_began_with(dse: Any, options: Any) -> None:
    first = ("--trials", 2, "--budget-params", "1e6", "--seed", 3)
    assert dse(*options(*first)).code == 0
    rows = Path("runs/r/trials.jsonl").read_text()
    said = dse("search", "--run", "r", "--resume", "--trials", 3, "--workers", 1, "--json")
    assert said.code == 0, said.err
    assert Path("runs/r/trials.jsonl").read_text().startswith(rows)
    assert said.json["trials"] == 3
    # As many as it was last asked for, where no number is given.
    said = dse("search", "--run", "r", "--resume", "--json")
    assert said.json["trials"] == 3


def test_resume_refuses_other_options(dse: Any, refused: Any, options: Any) -> None:
    first = ("--trials", 1, "--budget-params", "1e6")
    assert dse(*options(*first)).code == 0
    before = Path("runs/r/run.json").read_bytes()
    for option, value, words in (
        ("--epochs", 2, "epochs is 1 in r, got 2"),
        ("--recipe", "default", "recipe is 'quick' in r, got 'default'"),
        ("--budget-params", "2e6", "got {'params': 2000000.0}"),
        ("--objective", "loss", "objectives is ['accuracy', 'params'] in r"),
        ("--space", "fire", "got 'fire'"),
        ("--dataset", "digits", "dataset is "),
        ("--seed", 4, "seed is 0 in r, got 4"),
        ("--sampler", "random", "sampler is 'auto' in r"),
        ("--image-size", 32, "image_size is 16 in r, got 32"),
    ):
        text = refused("search", "--run", "r", "--resume", option, value)
        assert text.startswith("a resumed run keeps its options: "), text
        assert words in text
    assert Path("runs/r/run.json").read_bytes() == before
    # The same again is no change.
    same = ("--run", "r", "--resume", "--budget-params", "1M", "--epochs", 1, "--trials", 1)
    assert dse("search", *same).code == 0


def test_a_new_search_does_not_overwrite(dse: Any, refused: Any, options: Any) -> None:
    assert dse(*options("--trials", 1)).code == 0
    text = refused(*options("--trials", 1))
    assert text == "the run r exists; give --resume to go on with it, or another --run"


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_says_how_to_go_on(options: Any, tmp_path: Path, workers: int) -> None:
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", ON_ONE_CORE),
            *map(str, options("--trials", 30, "--epochs", 4, "--workers", workers)),
        ],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    lines: list[str] = []
    while not any(" trial " in line for line in lines):
        line = process.stderr.readline()
        assert line, lines
        lines.append(line)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert out == ""
    assert "Traceback" not in err
    done = len(Run(tmp_path / "runs/r").trials)
    count = "1 trial" if done == 1 else f"{done} trials"
    assert err.splitlines()[-1] == (
        f"stopped after {count}; go on with: dse search --run r --resume"
    )
    # As many as may have been cut off: each of those is gone on with, however few are asked for.
    asked = done + workers
    said = subprocess_dse(
        tmp_path,
        *("search", "--run", "r", "--resume", "--trials", asked, "--workers", 1, "--json"),
    )
    assert said.code == 0, said.err
    assert said.json["trials"] == asked


def test_ctrl_c_while_the_winner_is_trained(
    dse: Any, options: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dse.runtime.evaluate import Train

    with monkeypatch.context() as patch:

        def interrupted(self: Train, *arguments: Any, **options: Any) -> None:
            raise KeyboardInterrupt

        patch.setattr(Train, "test", interrupted)
        said = dse(*options("--trials", 1))
    assert said.code == 130
    last = said.err.splitlines()[-1]
    assert last == "stopped after 1 trial; go on with: dse search --run r --resume"
    assert dse("search", "--run", "r", "--resume", "--json").json["winner"]["test"]["n"] > 0


# -- phantoms -----------------------------------------------------------------------------------


def test_phantoms_are_called_synthetic_wherever_they_show(
    dse: Any, options: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DSE_DATA", raising=False)
    monkeypatch.setenv("DSE_CACHE", str(tmp_path / "cache"))
    said = dse(*options("--dataset", "covid", "--trials", 1))
    assert said.code == 0, said.err
    prompt = next(line for line in said.err.splitlines() if line.startswith("covid: "))
    assert prompt.startswith("covid: synthetic chest phantoms, not patients")
    assert "accuracy on synthetic phantoms, not patients" in said.out
    run = Run(Path("runs/r"))
    assert run.settings["data"]["synthetic"] is True
    assert all(row.provenance["synthetic"] is True for row in run.trials)
    page = Path("runs/r/report.html").read_text()
    text = page.partition("<body")[2]
    assert "synthetic" in text.lower()


def test_the_winner_trains_as_any_preset_does(dse: Any, options: Any) -> None:
    """A preset that wins keeps its own name in file and class."""
    said = dse(*options("--trials", 1, "--json", space="spp-covid"))
    winner = said.json["winner"]
    assert winner["name"].partition(" ")[0] in ("spp-covid-net", "darkcovidnet")
    arguments = {"pools": 4} if "pools=4" in winner["name"] else {}
    name = winner["name"].partition(" ")[0]
    network = load_preset(name, input="3x16x16", classes=3, **arguments)
    assert read_network(winner["design"]) == network
    assert "class SPPCOVIDNet(nn.Module)" in next(Path("generated/r").glob("*.py")).read_text()
    assert json.loads(Path("runs/r/run.json").read_text())["result"][0]["baseline"] is True
