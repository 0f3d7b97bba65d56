"""A run that is cut off, anywhere, and gone on with is row for row the run that was not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from optuna.samplers import RandomSampler

from dse.runs import Run, Trial
from dse.search import Candidate, Report, Search
from dse.search.study import Study, _Journal
from dse.space import Space
from tests.search.pausing import Pausing

TRIALS = 14


class Killed(BaseException):
    """The process is gone: nothing that runs here may catch it."""


class Reaper:
    """Kills at the n-th of all the moments at which something is written or evaluated."""

    def __init__(self, at: int = 0) -> None:
        self.passed = 0
        self._at = at

    def __call__(self) -> None:
        self.passed += 1
        if self.passed == self._at:
            raise Killed


@contextmanager
def under(reaper: Reaper) -> Iterator[None]:
    """Have the reaper pass before each write, and in the middle of each line of the journal."""
    patch = pytest.MonkeyPatch()

    def before(owner: Any, name: str) -> None:
        method = getattr(owner, name)

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            reaper()
            return method(*args, **kwargs)

        patch.setattr(owner, name, wrapped)

    write = _Journal.append_logs

    def append_logs(self: Any, logs: list[dict[str, Any]]) -> None:
        try:
            reaper()
        except Killed:
            with open(self._path, "ab") as file:
                file.write(b'{"op_code": 4, "wor')
            raise
        write(self, logs)

    before(Run, "append")
    before(Run, "save_settings")
    patch.setattr(_Journal, "append_logs", append_logs)
    try:
        yield
    finally:
        patch.undo()


def evaluate_plainly(reaper: Reaper) -> Callable[[Candidate, Report], dict[str, float]]:
    def evaluate(candidate: Candidate, report: Report) -> dict[str, float]:
        accuracy = candidate.cost.params / 1e5
        for step in range(9):
            reaper()
            report(step, {"accuracy": accuracy * step})
        if candidate.cost.params % 5 == 0:
            raise RuntimeError("a multiple of five")
        return {"accuracy": accuracy * 9}

    return evaluate


def evaluator(kind: str, reaper: Reaper) -> Any:
    return Pausing(gone_through=reaper) if kind == "pausing" else evaluate_plainly(reaper)


def told(space: Space, folder: Path) -> list[tuple[Any, ...]]:
    """What the study says in the end."""
    study = Study(
        space,
        ("accuracy", "params"),
        RandomSampler(),
        name=folder.name,
        storage=folder / "study.log",
    )
    return [
        (t.number, t.state.name, t.params, t.values, t.user_attrs.get("rungs"))
        for t in study._study.trials
    ]


def essence(row: Trial) -> tuple[Any, ...]:
    return row.trial, row.name, row.state, row.digest, row.choices, row.values, row.epochs


def searched(space: Space, kind: str, sampler: str, reaper: Reaper) -> list[Any]:
    """The run, gone on with as often as it is killed; its rows and its study."""
    resume = False
    while True:
        search = Search(space, evaluator(kind, reaper), trials=TRIALS, sampler=sampler, seed=5)
        try:
            with under(reaper):
                run = search.run("r", resume=resume)
            return [[essence(row) for row in run.trials], told(space, run.folder)]
        except Killed:
            resume = Path("runs/r/run.json").exists()


@pytest.mark.parametrize("kind", ["pausing", "plain"])
@pytest.mark.parametrize(
    ("sampler", "step"),
    [
        pytest.param("tpe", 61, marks=pytest.mark.slow),
        ("random", 47),
        pytest.param("random", 1, marks=pytest.mark.slow),
        pytest.param("auto", 13, marks=pytest.mark.slow),
        pytest.param("nsga2", 13, marks=pytest.mark.slow),
    ],
)
def test_killed_anywhere_it_ends_as_if_it_had_not_been(
    many: Space, kind: str, sampler: str, step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reaper = Reaper()
    whole = searched(many, kind, sampler, reaper)
    assert {row[2] for row in whole[0]} >= {"finished", "stopped"}
    # The steps share no factor with the writes that a proposal takes, so that all kinds are met.
    for at in range(1, reaper.passed + 1, step):
        folder = tmp_path / str(at)
        folder.mkdir()
        monkeypatch.chdir(folder)
        assert searched(many, kind, sampler, Reaper(at)) == whole, f"killed at moment {at}"
        assert not (folder / "runs/r/checkpoints").exists()
