"""The best are trained again with other seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from dse.errors import DivergedTraining
from dse.network import Network
from dse.presets import load_preset
from dse.runs import Run, Trial
from dse.search.leaders import SEEDS, leaders, standings
from tests.search.trials import trial

NAMES = ("hl-cnn", "squeezenet", "squeezenet-1.1", "mobilenet-v1")


@dataclass
class Again:
    """Gives each network its metric plus a wobble that hangs on the seed."""

    worth: Mapping[str, float]
    wobble: float = 0.01
    seed: int = 7
    asked: list[tuple[str, int]] = field(default_factory=list)

    def repeat(self, network: Network, seed: int) -> dict[str, float]:
        self.asked.append((network.name, seed))
        worth = self.worth[network.name]
        if worth < 0:
            raise DivergedTraining("the loss is not a number")
        return {"accuracy": worth + self.wobble * (seed % 2)}


def rows() -> list[Trial]:
    return [
        trial(
            number,
            {"accuracy": 0.9 - number / 100},
            name=name,
            params=1000 * (number + 1),
            baseline=number == 3,
            design=load_preset(name).model_dump(mode="json", exclude_defaults=True),
        )
        for number, name in enumerate(NAMES)
    ]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = Run(tmp_path / "run")
    run.folder.mkdir()
    run.save_settings({})
    return run


def test_leaders_are_the_best_and_the_best_of_each_kind() -> None:
    found = rows()
    assert leaders(found, "accuracy") == found  # the fourth is the best preset
    one_kind = [replace(row, baseline=False) for row in found]
    assert leaders(one_kind, "accuracy") == one_kind[:3]
    assert leaders([replace(found[0], state="failed"), found[1]], "accuracy") == [found[1]]
    assert [row.trial for row in leaders(found, "params")][:3] == [0, 1, 2]


def test_the_mean_over_new_seeds_decides(run: Run) -> None:
    again = Again(dict(zip(NAMES, (0.5, 0.8, 0.6, 0.7), strict=True)))
    found = standings(run, rows(), again, "accuracy", 1)
    assert [standing.trial for standing in found] == [1, 3, 2, 0]
    assert all(seed > again.seed for _, seed in again.asked)
    assert found[0].mean == pytest.approx(0.805)
    assert found[0].found == 0.89
    assert not any(standing.tied for standing in found)


def test_what_noise_explains_is_a_tie(run: Run) -> None:
    again = Again(dict(zip(NAMES, (0.800, 0.801, 0.5, 0.799), strict=True)), wobble=0.02)
    found = standings(run, rows(), again, "accuracy", 1)
    assert {standing.trial: standing.tied for standing in found} == {
        1: False,
        0: True,
        3: True,
        2: False,
    }


def test_nothing_is_trained_twice(run: Run) -> None:
    again = Again(dict.fromkeys(NAMES, 0.5))
    first = standings(run, rows(), again, "accuracy", 1)
    assert len(again.asked) == SEEDS * len(NAMES)
    assert standings(run, rows(), again, "accuracy", 1) == first
    assert len(again.asked) == SEEDS * len(NAMES)


def test_one_that_diverges_comes_last(run: Run) -> None:
    again = Again(dict(zip(NAMES, (-1.0, 0.8, 0.6, 0.7), strict=True)))
    found = standings(run, rows(), again, "accuracy", 1)
    assert found[-1].trial == 0
    assert found[-1].mean is None
    assert not found[-1].tied
