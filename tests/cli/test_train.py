"""`dse train` as a user meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dse.presets import load_preset
from tests.command import subprocess_dse

DESIGN: dict[str, Any] = {
    "name": "tiny",
    "input": "1x16x16",
    "classes": 3,
    "nodes": [
        {"name": "stem", "conv": {"channels": 4, "stride": 2}},
        {"name": "body", "conv": {"channels": 8, "stride": 2}},
        {"name": "pool", "global_pool": {}},
        {"name": "classifier", "classifier": {}},
    ],
}

pytestmark = pytest.mark.usefixtures("_one_core")


@pytest.fixture
def design() -> str:
    """A file in the current folder; after `dse` or `refused`, which change to it."""
    Path("tiny.json").write_text(json.dumps(DESIGN))
    return "tiny.json"


def test_a_single_training(dse: Any, design: str, digits_folder: Path) -> None:
    said = dse("train", design, "--dataset", digits_folder, "--epochs", 2, "--seed", 3)
    assert said.code == 0, said.err
    home = Path("runs/tiny-1/cells/tiny/holdout-seed-3")
    for words in (
        "tiny on the test images",
        "balanced accuracy",
        "tiny by class",
        "is0",
        "what classes are taken for",
        "What a network costs",
        f"{home}/model.safetensors",
        f"{home}/tiny.onnx",
        "--folds 5",
    ):
        assert words in said.out
    assert "epoch 2/2  loss" in said.err
    assert "1/1 test accuracy" in said.err
    assert sorted(path.name for path in home.iterdir()) == [
        "log",
        "model.safetensors",
        "predict.py",
        "result.json",
        "tiny.json",
        "tiny.onnx",
        "tiny.py",
    ]
    assert "folds.json" not in said.out
    printed = subprocess.run(
        [sys.executable, home / "tiny.py"], capture_output=True, text=True, check=True
    )
    assert "parameters" in printed.stdout


def test_over_folds_with_json(dse: Any, design: str, digits_folder: Path) -> None:
    said = dse(
        "train", design, "--dataset", digits_folder, "--epochs", 1, "--folds", 3, "--run", "x",
        "--json",
    )  # fmt: skip
    assert said.code == 0, said.err
    assert said.err == ""
    assert said.json["experiment"] == "x"
    assert said.json["complete"] is True
    assert said.json["folds"] == [0, 1, 2]
    assert said.json["generated"] == []
    table = said.json["tables"]["metrics:tiny"]
    assert table["columns"][1:6] == ["fold 0", "fold 1", "fold 2", "mean", "variance"]
    accuracies = [cell["metrics"]["accuracy"] for cell in said.json["cells"]]
    assert table["rows"][0][1:4] == accuracies
    assert table["rows"][0][4] == pytest.approx(sum(accuracies) / 3)


def test_one_fold_of_several(dse: Any, design: str, digits_folder: Path) -> None:
    said = dse(
        "train", design, "--dataset", digits_folder, "--epochs", 1, "--folds", 3, "--fold", 2,
        "--json",
    )  # fmt: skip
    assert [cell["fold"] for cell in said.json["cells"]] == [2]
    assert said.json["generated"][0]["onnx"].endswith("fold-2-seed-0/tiny.onnx")


def test_going_on_needs_only_the_name(dse: Any, design: str, digits_folder: Path) -> None:
    dse("train", design, "--dataset", digits_folder, "--epochs", 1, "--run", "x")
    said = dse("train", "--run", "x", "--resume", "--seed", 1)
    assert said.code == 0, said.err
    assert "1 of 2 trainings are done already" in said.err
    assert "2/2 test accuracy" in said.err
    assert "seed 0  seed 1" in said.out


def test_a_presets_arguments_and_recipes_settings(dse: Any, digits_folder: Path) -> None:
    said = dse(
        "train", "hybrid-mobilenet", "--set", "alpha=0.25", "--dataset", digits_folder,
        "--image-size", 32, "--epochs", 1, "--recipe", "quick", "--recipe-set", "batch_size=16",
        "--recipe-set", "augment.rotate_degrees=5", "--json",
    )  # fmt: skip
    assert said.code == 0, said.err
    assert said.json["recipe"]["batch_size"] == 16
    assert said.json["recipe"]["augment"]["rotate_degrees"] == 5
    assert said.json["image_size"] == 32
    (model,) = said.json["models"]
    same = load_preset("hybrid-mobilenet", alpha=0.25, classes=3, input="3x32x32")
    assert model["digest"] == same.digest


def test_weights_of_a_training_start_another(dse: Any, design: str, digits_folder: Path) -> None:
    dse("train", design, "--dataset", digits_folder, "--epochs", 1, "--run", "x")
    weights = "runs/x/cells/tiny/holdout-seed-0/model.safetensors"
    said = dse(
        "train", design, "--dataset", digits_folder, "--epochs", 1, "--weights", weights,
        "--tune", "head", "--run", "y",
    )  # fmt: skip
    assert said.code == 0, said.err
    assert f"weights of 5 layers from {weights}" in said.err.replace("\n", " ")


def test_a_training_that_diverges_says_so(dse: Any, design: str, digits_folder: Path) -> None:
    said = dse(
        "train", design, "--dataset", digits_folder, "--recipe-set", "optimizer=sgd",
        "--recipe-set", "learning_rate=1e30", "--epochs", 3, "--run", "x",
    )  # fmt: skip
    assert said.code == 2
    assert said.err.splitlines()[-1].startswith(
        "error: no training finished: the training diverged"
    )


def test_what_a_search_found_is_trained(dse: Any, digits_folder: Path, small_space: Path) -> None:
    dse(
        "search", "--space", small_space, "--dataset", digits_folder, "--trials", 1, "--epochs", 1,
        "--image-size", 16, "--run", "s",
    )  # fmt: skip
    said = dse("train", "s#0", "--dataset", digits_folder, "--epochs", 1, "--json")
    assert said.code == 0, said.err
    assert said.json["models"][0]["name"] == "s#0"
    assert said.json["image_size"] == 16  # the design's own
    assert Path("runs/s-0-1/cells/s-0").is_dir()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("", ["a training needs --dataset: covid, digits, cifar10"]),
        ("--dataset nothing", ["no data set is called 'nothing'"]),
        ("--dataset digits --recipe quik", ["no recipe is called 'quik'; did you mean 'quick'?"]),
        ("--dataset digits --recipe-set epocs=3", ["no recipe setting", "did you mean 'epochs'?"]),
        ("--dataset digits --recipe-set epochs", ["SETTING=VALUE", "'epochs'"]),
        ("--dataset digits --epochs 0", ["--epochs: an integer from 1; got '0'"]),
        ("--dataset digits --folds 0", ["--folds: an integer from 1; got '0'"]),
        ("--dataset digits --folds 9999", ["folds must be at most", "got 9999"]),
        ("--dataset digits --folds 3 --fold 3", ["one of 0, 1, 2, got 3"]),
        ("--dataset digits --fold 7", ["0, 1, 2, 3, 4", "got 7"]),
        ("--dataset digits --image-size 4", ["an integer from 8 to 1024; got '4'"]),
        ("--dataset digits --weights no.pt", ["no.pt", "no such file"]),
        ("--dataset digits --weights tiny.json", ["tiny.json"]),
        ("--dataset digits --tune some", ["'some' is not one of", "'gradual'"]),
        ("--dataset digits --device tpu", ["no device is called 'tpu'"]),
        ("--dataset digits --run ../x", ["a run's name", "'../x'"]),
        ("--resume", ["--resume needs --run"]),
        ("--resume --run nothing", ["no experiment is called 'nothing'; known: none"]),
        ("--dataset digits --set alpha=1", ["only a preset takes settings"]),
    ],
)
def test_a_mistake_is_one_sentence(
    refused: Any, design: str, options: str, words: list[str]
) -> None:
    text = refused("train", design, *options.split())
    for word in words:
        assert word in text
    assert not Path("runs").exists()


def test_mistakes_in_the_network(refused: Any) -> None:
    assert "a training needs a network" in refused("train", "--dataset", "digits")
    assert "did you mean 'squeezenet'?" in refused("train", "squezenet", "--dataset", "digits")
    said = refused("train", "spp-covid-net", "--dataset", "digits", "--image-size", 16)
    assert "pool" in said
    assert "16" in said


def test_an_existing_experiment(dse: Any, refused: Any, design: str, digits_folder: Path) -> None:
    dse("train", design, "--dataset", digits_folder, "--epochs", 1, "--run", "x")
    assert refused("train", design, "--dataset", digits_folder, "--run", "x") == (
        "the experiment x exists; give --resume to go on with it, or another --run"
    )


@pytest.mark.slow
def test_real_images(tmp_path: Path, xrays: Path) -> None:
    """Five folds of the sixty X-rays, by patient."""
    said = subprocess_dse(
        tmp_path, "train", "spp-covid-net", "--dataset", "covid", "--data-dir", xrays,
        "--folds", 5, "--epochs", 1, "--workers", 1, "--json",
    )  # fmt: skip
    assert said.code == 0, said.err
    assert [part["grouped"] for part in said.json["dataset"]["parts"]] == [True] * 5
    assert [row["metrics"]["accuracy"] is not None for row in said.json["cells"]] == [True] * 5
    assert [row[4] for row in said.json["tables"]["classes:spp-covid-net"]["rows"]] == [20] * 3
