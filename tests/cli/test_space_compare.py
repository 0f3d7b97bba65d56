"""`dse space compare`: runs of random designs, held against each other."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dse.runs import Run, Trial

SETTINGS: dict[str, Any] = {
    "space": "fire",
    "sampler": "random",
    "objectives": ["accuracy", "params"],
    "epochs": 3,
    "image_size": 32,
    "recipe": {"name": "quick", "learning_rate": 0.002},
    "data": {"name": "digits", "digest": "12ab", "split": {"fold": 4, "train": 100, "val": 20}},
}


@pytest.fixture
def made(dse: Any) -> Callable[..., None]:
    """Writes a run of random designs into the command's folder."""

    def make(name: str, mean: float, count: int = 40, **changes: Any) -> None:
        folder = Path("runs") / name
        folder.mkdir(parents=True)
        run = Run(folder)
        run.save_settings({**SETTINGS, **changes})
        rng = np.random.default_rng(len(name))
        rows = []
        for number in range(count):
            cost = dict.fromkeys(("params", "macs", "size_bytes"), 1000 + number)
            facts = {"trial": number, "name": f"{name}-{number}", "state": "finished"}
            values = {"accuracy": float(rng.normal(mean, 0.02))}
            rows.append(
                Trial(
                    **facts,  # type: ignore[arg-type]
                    baseline=False,
                    choices={},
                    design={},
                    digest=str(number),
                    cost=cost,
                    values=values,
                )
            )
        for row in rows:
            run.append(row)

    return make


def test_two_spaces_side_by_side(dse: Any, made: Callable[..., None]) -> None:
    made("a", 0.7)
    made("bb", 0.8, space="hl-cnn")
    said = dse("space", "compare", "a", "bb")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[1].split()[:3] == ["fire", "(a)", "40"]
    assert lines[2].split()[:3] == ["hl-cnn", "(bb)", "40"]
    assert "random designs of the second space are better on average" in lines
    assert lines[-1].endswith("1 fire (a), 2 hl-cnn (bb), # both")
    found = dse("space", "compare", "bb", "a", "--json").json
    assert found["metric"] == "accuracy"
    assert found["spaces"] == ["hl-cnn", "fire"]
    assert -0.12 < found["difference"] < -0.08
    assert found["p_value"] < 1e-6
    assert found["ranges"] is None
    fair = dse("space", "compare", "a", "bb", "--at-equal", "params", "--json").json
    assert fair["ranges"] == 10
    assert fair["at_equal"] == "params"


def test_what_is_alike_is_said_to_be(dse: Any, made: Callable[..., None]) -> None:
    made("a", 0.7)
    made("b", 0.7)
    said = dse("space", "compare", "a", "b").out
    assert "the designs at hand do not tell the spaces apart" in said


def test_a_smaller_loss_is_better(dse: Any, made: Callable[..., None]) -> None:
    made("a", 0.7, objectives=["loss"])
    made("bb", 0.8)
    for name in ("a", "bb"):
        path = Path("runs") / name / "trials.jsonl"
        path.write_text(path.read_text().replace('"accuracy"', '"loss"'))
    said = dse("space", "compare", "a", "bb").out
    assert "random designs of the first space are better on average" in said


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sampler": "tpe"}, ["random designs", "--sampler tpe"]),
        ({"epochs": 4}, ["epochs is 3 in a and 4 in b"]),
        ({"recipe": {"name": "other"}}, ["recipe is name quick", "name other in b"]),
        ({"data": {"name": "digits", "digest": "ffff"}}, ["data is", "12ab", "ffff"]),
        ({"count": 1}, ["at least 2 random designs", "b has 1"]),
    ],
    ids=str,
)
def test_runs_that_cannot_be_compared(
    refused: Any, made: Callable[..., None], changes: dict[str, Any], words: list[str]
) -> None:
    made("a", 0.7)
    made("b", 0.7, **changes)
    said = refused("space", "compare", "a", "b")
    assert all(word in said for word in words), said


def test_mistakes(refused: Any, made: Callable[..., None]) -> None:
    made("a", 0.7)
    made("b", 0.7)
    assert "no run is called 'nothing'" in refused("space", "compare", "a", "nothing")
    assert "no metric of the run a is called 'f1'" in refused(
        "space", "compare", "a", "b", "--metric", "f1"
    )
    assert "no cost is called 'weight'" in refused(
        "space", "compare", "a", "b", "--at-equal", "weight"
    )


def test_baselines_and_failures_are_no_random_designs(dse: Any, made: Callable[..., None]) -> None:
    made("a", 0.7)
    made("b", 0.7)
    path = Path("runs/a/trials.jsonl")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[0]["baseline"] = True
    rows[1]["state"] = "failed"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    found = dse("space", "compare", "a", "b", "--json").json
    assert (found["a"]["designs"], found["b"]["designs"]) == (38, 40)
