"""`dse explore` as far as its server: what it begins with, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dse.cost import Budget
from dse.explore import server
from dse.explore.explorer import Explorer
from dse.search import search
from dse.space import load_space
from tests.cli.conftest import Command
from tests.latency.profiles import made_up

Begun = Callable[..., Explorer]


@pytest.fixture(autouse=True)
def _devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSE_DEVICES", str(tmp_path / "devices"))


@pytest.fixture
def begun(dse: Command, monkeypatch: pytest.MonkeyPatch) -> Begun:
    """The explorer that a command line would serve."""

    def run(*arguments: object) -> Explorer:
        served: list[Explorer] = []

        def serve(explorer: Explorer, at: Any, ready: Callable[[], None]) -> None:
            at.close()
            served.append(explorer)

        monkeypatch.setattr(server, "serve", serve)
        said = dse("explore", "--no-browser", *arguments)
        assert said.code == 0, said
        return served[0]

    return run


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("hl-cnn --preset squeezenet", ["not both", "hl-cnn", "squeezenet"]),
        ("nothing", ["'nothing'"]),
        ("vgg-19-bn", ["vgg-19-bn is a point of none of the shipped spaces", "--space"]),
        ("vgg-19-bn --space fire", ["vgg-19-bn is no point of the space fire for"]),
        ("--space nowhere", ["'nowhere'"]),
        ("--run nothing", ["no run is called 'nothing'"]),
        ("--device nothing", ["no device profile is called 'nothing'"]),
        ("--budget-latency-ms 3", ["needs a device profile", "dse device calibrate"]),
        ("--budget-params 0", ["a number above 0"]),
        ("--port 0", ["--port: an integer from 1 to 65535; got '0'"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_mistakes_are_said_in_a_sentence(
    refused: Callable[..., str], line: str, words: list[str]
) -> None:
    sentence = refused("explore", *line.split())
    for word in words:
        assert word in sentence


def test_without_arguments_it_begins_with_a_design_that_fits(begun: Begun) -> None:
    explorer = begun("--budget-params", "1M")
    assert explorer.space.name == "lightweight"
    assert explorer.budget == Budget(params=1e6)
    assert explorer.budget.admits(explorer.space.cost(explorer.start))


def test_a_preset_brings_a_space_that_holds_it(begun: Begun) -> None:
    explorer = begun("--preset", "hl-cnn", "--image-size", 48, "--classes", 5)
    network = explorer.network(explorer.start)
    assert (str(network.input), network.classes) == ("3x48x48", 5)
    assert explorer.space.locate(network) == explorer.start


def test_a_run_brings_its_budget_its_images_and_its_best(begun: Begun) -> None:
    space = load_space("hybrid-mobilenet").with_io(classes=4)

    def evaluate(candidate: Any, report: Any) -> dict[str, float]:
        return {"accuracy": 1 / candidate.cost.params}

    run = search(space, evaluate, budget=Budget(params=3e6), trials=4, run="r", sampler="random")
    explorer = begun("--run", "r")
    assert explorer.runs == ("r",)
    assert explorer.budget == Budget(params=3e6)
    assert explorer.space.classes == 4
    assert run.best is not None
    assert explorer.network(explorer.start) == run.best.network


def test_latency_is_of_the_profiles_that_are_kept(begun: Begun, tmp_path: Path) -> None:
    profile = made_up()
    profile.write(tmp_path / "devices" / f"{profile.name}.json")
    (tmp_path / "devices" / "broken.json").write_text("{}")
    explorer = begun("--space", "fire", "--budget-latency-ms", 500)
    assert [device.profile.name for device in explorer.devices] == [profile.name]
    answer = explorer.update(explorer.start, explorer.budget)
    [told] = answer["design"]["latency"]
    spent = explorer.space.cost(explorer.start)
    assert told["ms"] == pytest.approx(spent.latency_ms)
    assert told["low_ms"] < told["ms"] < told["high_ms"]
    stages = sum(stage["ms"] for stage in answer["design"]["stages"])
    assert stages + explorer.devices[0].base_ms == pytest.approx(told["ms"])
    tight = explorer.update(explorer.start, Budget(latency_ms=told["ms"] / 2))
    assert tight["design"]["over"].keys() == {"latency_ms"}
