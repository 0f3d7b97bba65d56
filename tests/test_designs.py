"""What a NAME stands for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from dse.cost import cost
from dse.designs import find_design
from dse.errors import DataError, DseError, InvalidDesign, InvalidValue, UnknownName
from dse.network import Network
from dse.presets import load_preset, preset_names
from dse.runs import COST_KEYS, Run, Trial

SMALL = load_preset("squeezenet-1.1", classes=3, input="3x64x64")
OTHER = load_preset("spp-covid-net", classes=3, input="3x64x64")


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def record(network: Network, number: int) -> Trial:
    spent = cost(network)
    return Trial(
        trial=number,
        name=network.name,
        state="finished",
        baseline=False,
        choices={},
        design=network.model_dump(mode="json", exclude_defaults=True),
        digest=network.digest,
        cost={key: getattr(spent, key) for key in COST_KEYS},
    )


@pytest.fixture
def run() -> Run:
    made = Run(Path("runs/my.run-1"))
    made.save_settings({"winner": 14})
    made.append(record(SMALL, 3))
    made.append(record(OTHER, 14))
    return made


@pytest.mark.parametrize("name", preset_names())
def test_presets(name: str) -> None:
    assert find_design(name) == load_preset(name)
    assert find_design(name, classes=7).classes == 7


def test_presets_with_arguments_and_images() -> None:
    assert find_design("hybrid-mobilenet", settings={"alpha": 0.5, "delta": 4}) == load_preset(
        "hybrid-mobilenet", alpha=0.5, delta=4
    )
    assert str(find_design("squeezenet", image_size=64).input) == "3x64x64"
    assert str(find_design("squeezenet", input="1x70x64").input) == "1x70x64"


def test_files() -> None:
    Path("folder").mkdir()
    Path("folder/mine.json").write_text(SMALL.to_json())
    Path("mine").write_text(SMALL.to_json())  # a file is one by being there, too
    for name in ("folder/mine.json", "mine", str(Path("folder/mine.json").resolve())):
        assert find_design(name) == SMALL
    smaller = find_design("mine", classes=5, image_size=32)
    assert (smaller.classes, str(smaller.input)) == (5, "3x32x32")
    assert str(find_design("mine", input="1x64x64").input) == "1x64x64"


def test_a_preset_goes_before_a_file_of_its_name() -> None:
    Path("squeezenet").write_text(OTHER.to_json())
    assert find_design("squeezenet") == load_preset("squeezenet")
    assert find_design("./squeezenet") == OTHER


def test_trials(run: Run) -> None:
    assert find_design("my.run-1#3") == SMALL
    assert find_design("my.run-1#14") == OTHER
    assert find_design("my.run-1#winner") == OTHER
    assert find_design("my.run-1#3", image_size=48, classes=4).classes == 4


def test_a_run_without_a_winner(run: Run) -> None:
    run.save_settings({"objectives": ["accuracy"]})
    with pytest.raises(InvalidValue, match=r"the run my\.run-1 has no winner yet"):
        find_design("my.run-1#winner")


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("squeezene", UnknownName, "did you mean 'squeezenet'?"),
        ("nowhere.json", DataError, "nowhere.json: .*no such file"),
        ("my.run-1#4", UnknownName, "no trial of run my.run-1 is called '4'"),
        ("my.run-1#", UnknownName, "no trial of run my.run-1 is called ''"),
        ("my.run-1#3#14", InvalidValue, "a run's name"),
        ("my.run#3", UnknownName, "did you mean 'my.run-1'?"),
        ("../runs#3", InvalidValue, "a run's name"),
        ("#3", InvalidValue, "a run's name"),
        ("", UnknownName, "''"),
        (".", UnknownName, "'.'"),
    ],
)
@pytest.mark.usefixtures("run")
def test_names_of_nothing(name: str, error: type[DseError], words: str) -> None:
    with pytest.raises(error, match=words):
        find_design(name)


@pytest.mark.parametrize(
    ("name", "asked", "words"),
    [
        ("squeezenet", {"input": "3x32x32", "image_size": 32}, "not both"),
        ("squeezenet", {"image_size": 0}, "from 1, got 0"),
        ("squeezenet", {"image_size": -5}, "from 1, got -5"),
        ("squeezenet", {"image_size": 10**9}, "1000000000"),
        ("squeezenet", {"input": "3x32"}, "'3x32'"),
        ("squeezenet", {"input": "axbxc"}, "'axbxc'"),
        ("squeezenet", {"classes": 1}, "greater than or equal to 2, got 1"),
        ("squeezenet", {"image_size": 4}, "kernel 7"),
        ("squeezenet", {"settings": {"alpha": 1}}, "no argument of squeezenet"),
        ("squeezenet", {"settings": {"classes": 3}, "classes": 4}, "set twice, to 3 and 4"),
        ("squeezenet", {"settings": {"input": "3x64x64"}, "image_size": 32}, "set twice"),
        ("mine.json", {"settings": {"alpha": 1}}, "only a preset takes settings"),
        ("my.run-1#3", {"settings": {"alpha": 1}}, "only a preset takes settings"),
        ("mine.json", {"image_size": 3}, "window 3 on 64x1x1"),
    ],
)
@pytest.mark.usefixtures("run")
def test_impossible_wishes(name: str, asked: dict[str, Any], words: str) -> None:
    Path("mine.json").write_text(SMALL.to_json())
    with pytest.raises(DseError, match=re.escape(words)):
        find_design(name, **asked)


def test_a_damaged_row_is_no_design(run: Run) -> None:
    with (run.folder / "trials.jsonl").open("a") as file:
        file.write('{"trial": 20}\n')
    with pytest.raises(UnknownName):
        find_design("my.run-1#20")
    run.append(Trial(**{**record(SMALL, 21).__dict__, "design": {"name": "x"}}))
    with pytest.raises(InvalidDesign):
        find_design("my.run-1#21")
