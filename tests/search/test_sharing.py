"""Who does the last design, where several processes are at one search."""

from __future__ import annotations

from dataclasses import asdict
from random import Random
from typing import Any

import optuna
import pytest

from dse.search import Search, crew
from dse.search.study import Entry, Study
from dse.space import Space
from tests.search.trials import trial

URL = "sqlite:///study.db"


class Hesitant:
    """Another process that begins the last design and withdraws, as in a clash, time and again.

    It acts between any two looks that the search takes at the study.
    """

    def __init__(self, space: Space, chance: Random) -> None:
        sampler = optuna.samplers.RandomSampler(seed=chance.randrange(99))
        self._study = Study(
            space, ("accuracy",), sampler, name="r", storage=URL, asker="other process"
        )
        self._space = space
        self._chance = chance
        self._steps = 20
        self._mine: tuple[int, dict[str, Any]] | None = None

    def act(self, entries: list[Entry], trials: int) -> None:
        begun = {entry.number for entry in entries if entry.begun}
        if self._mine is None:
            if len(begun) >= trials:
                return
            asked, decisions = self._study.ask()
            self._mine = asked.number, decisions
            digest = self._space.bind(decisions).digest
            if any(entry.begun and entry.begun["digest"] == digest for entry in entries):
                self._withdraw()
                return
            self._study.begin(asked.number, digest, "other process")
        elif self._steps > 0:
            self._steps -= 1
            if self._chance.random() < 0.5:
                self._withdraw()
        else:
            self._finish()

    def _withdraw(self) -> None:
        assert self._mine is not None
        self._study.withdraw(self._mine[0])
        self._mine = None

    def _finish(self) -> None:
        assert self._mine is not None
        number, decisions = self._mine
        self._mine = None
        digest = self._space.bind(decisions).digest
        row = trial(number, {"accuracy": 0.5}, digest=digest, choices=decisions)
        self._study.keep_row(number, asdict(row))
        self._study.finish(number, [0.5])


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 7])
def test_the_last_design_is_done_whoever_begins_it(
    few: Space, recorder: Any, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(crew, "_LOOK", 0.0)
    search = Search(few, recorder, trials=3, sampler="random", storage=URL, seed=seed)
    look = Study.entries
    other: list[Hesitant] = []

    def looked(study: Study) -> list[Entry]:
        found = look(study)
        # Before two rows nobody is at the last design.
        if len(recorder.seen) >= 2:
            if not other:
                other.append(Hesitant(few, Random(seed)))
            other[0].act(look(study), search.trials)
        return found

    monkeypatch.setattr(Study, "entries", looked)
    run = search.run("r")
    assert len(run.trials) == len({row.digest for row in run.trials}) == 3
