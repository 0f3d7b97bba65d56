"""Several processes at one search, by a storage that they share."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest

from dse.cli.worker import search_of
from dse.errors import InvalidValue, UnknownName
from dse.runs import Run
from dse.search import Search, remote
from dse.space import Space
from dse.version import dse_version
from tests.search.helper import SPACE, URL

pytestmark = pytest.mark.slow

HELPER = Path(__file__).with_name("helper.py")


class Machines:
    """Processes that are ended with the test."""

    def __init__(self) -> None:
        self._begun: list[subprocess.Popen[str]] = []

    def start(self, *command: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": str(HELPER.parents[2])},
        )
        self._begun.append(process)
        return process

    def both(self, trials: int) -> tuple[subprocess.Popen[str], subprocess.Popen[str]]:
        """A search and a helper that has begun; both hold."""
        Path("hold-main").touch()
        Path("hold-helper").touch()
        search = self.start(str(HELPER), "main", "--trials", str(trials))
        until(lambda: "main" in roles(), search)
        helper = self.start(str(HELPER), "helper", "--trials", str(trials))
        until(lambda: "helper" in roles(), search, helper)
        return search, helper

    def close(self) -> None:
        for process in self._begun:
            if process.poll() is None:
                process.kill()
            process.communicate()


@pytest.fixture
def machines() -> Iterator[Machines]:
    made = Machines()
    yield made
    made.close()


def begun() -> list[tuple[int, str]]:
    """The evaluations begun so far: trial and process."""
    path = Path("begun.log")
    lines = path.read_text().splitlines() if path.exists() else []
    return [(int(trial), role) for trial, role in map(str.split, lines)]


def roles() -> set[str]:
    return {role for _, role in begun()}


def release(role: str) -> None:
    Path(f"hold-{role}").unlink()


def until(condition: Callable[[], object], *processes: subprocess.Popen[str]) -> None:
    """Wait for something, while these processes live."""
    for _ in range(2400):
        if condition():
            return
        for process in processes:
            assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    raise AssertionError("nothing came of it in two minutes")


def ended(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out


def test_a_helper_takes_its_share_and_its_rows_are_the_runs(machines: Machines) -> None:
    search, helper = machines.both(30)
    release("main")
    release("helper")
    shared = int(ended(helper).split()[0])
    ended(search)
    rows = Run(Path("runs/r")).trials
    assert len(rows) == len({row.trial for row in rows}) == len({row.digest for row in rows}) == 30
    assert {row.state for row in rows} == {"finished", "stopped"}
    by_trial: dict[int, set[str]] = {}
    for trial, role in begun():
        by_trial.setdefault(trial, set()).add(role)
    # Whoever began a design sent it on too.
    assert all(len(who) == 1 for who in by_trial.values())
    assert set(by_trial) == {row.trial for row in rows}
    assert 1 <= shared <= len([who for who in by_trial.values() if who == {"helper"}])
    # The ten best went on, whoever had them.
    best = sorted(rows, key=lambda row: row.cost["params"])[-10:]
    assert {row.state for row in best} == {"finished"}
    # Everybody's values are the study's.
    study = optuna.load_study(study_name="r", storage=URL)
    assert sum(t.state == optuna.trial.TrialState.COMPLETE for t in study.trials) == 30


@pytest.mark.slow
def test_what_a_dead_helper_left_is_taken_over(machines: Machines) -> None:
    search, helper = machines.both(14)
    [lost] = [trial for trial, role in begun() if role == "helper"]
    helper.kill()
    helper.wait()
    release("main")
    ended(search)
    rows = {row.trial: row for row in Run(Path("runs/r")).trials}
    assert len(rows) == 14
    assert rows[lost].state in ("finished", "stopped")
    assert (lost, "main") in begun()


@pytest.mark.slow
def test_a_helper_whose_search_died_ends_and_its_rows_are_found(machines: Machines) -> None:
    search, helper = machines.both(14)
    search.kill()
    search.wait()
    release("helper")
    ended(helper)
    release("main")
    before = {trial for trial, role in begun() if role == "helper"}
    ended(machines.start(str(HELPER), "main", "--trials", "14", "--resume"))
    rows = {row.trial: row for row in Run(Path("runs/r")).trials}
    assert len(rows) == 14
    assert before <= set(rows)


def test_help_is_for_a_search_that_runs(few: Space, recorder: Any) -> None:
    search = Search(few, recorder, trials=2, storage=URL, settings={"options": {}})
    search.run("r")
    with pytest.raises(InvalidValue, match=r"the search r in .* is complete; there is nothing to"):
        remote.running_search(URL, "r")
    optuna.load_study(study_name="r", storage=URL).set_user_attr(remote.COMPLETE, False)
    with pytest.raises(InvalidValue, match="is not running; go on with it first: dse search --run"):
        remote.running_search(URL, "r")
    optuna.create_study(study_name="other", storage=URL)
    with pytest.raises(InvalidValue, match=r"other in .* was not made by dse search --storage"):
        remote.running_search(URL, "other")
    with pytest.raises(UnknownName, match=r"no run in .* is called 's'"):
        remote.running_search(URL, "s")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"dse": "0.0.1"}, "the search runs dse 0.0.1, here is dse "),
        (
            {"data": {"digest": "other"}},
            "the images must be those of the search: the data set digits has the digest ",
        ),
    ],
    ids=["version", "images"],
)
def test_a_machine_that_differs_is_refused(change: dict[str, Any], words: str) -> None:
    from dse.data import load_dataset

    facts = {
        "dse": dse_version(),
        "budget": {"params": 1e5},
        "objectives": ["accuracy", "params"],
        "input": "3x8x8",
        "classes": 10,
        "trials": 16,
        "seed": 3,
        "sampler": "random",
        "rungs": [3],
        "files": {"space.yaml": SPACE},
        "data": {"digest": load_dataset("digits").digest},
        "options": {
            "evaluate": "train",
            "dataset": "digits",
            "recipe": "quick",
            "seed": 3,
            "space_name": "mine",
        },
    }
    search = search_of(facts, None, "cpu")
    assert (search.space.name, str(search.space.input), search.space.classes) == (
        "mine",
        "3x8x8",
        10,
    )
    assert (search.budget.params, search.rungs, search.seed) == (1e5, (3,), 3)
    with pytest.raises(InvalidValue) as caught:
        search_of(facts | change, None, "cpu")
    assert str(caught.value).startswith(words)


def test_silence_is_death_and_a_sign_is_life(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(remote.time, "monotonic", lambda: clock[0])
    signs = remote.Signs()
    signs.look({"alive a": 1})
    assert signs.alive("a")
    assert signs.alive("never heard of")
    clock[0] = remote.SILENCE - 1
    assert signs.alive("a")
    signs.look({"alive a": 2, "alive b": 0})
    assert signs.alive("a")
    assert not signs.alive("b")  # it said good-bye
    clock[0] = remote.SILENCE + 1
    assert signs.alive("a")
    assert not signs.alive("never heard of")
    clock[0] = 2 * remote.SILENCE
    assert not signs.alive("a")


@pytest.mark.slow
def test_the_command_helps_with_a_search_of_the_command(machines: Machines) -> None:
    Path("space.yaml").write_text(SPACE)
    Path("measured.py").write_text(
        "from pathlib import Path\n"
        "import time\n"
        "def evaluate(candidate, report):\n"
        "    open('begun.log', 'a').write(f'{candidate.trial} one\\n')\n"
        "    while not Path('go').exists():\n"
        "        time.sleep(0.05)\n"
        "    return {'accuracy': candidate.cost.params / 1e6}\n"
    )
    search = machines.start(
        *("-m", "dse", "search", "--evaluate", "measured:evaluate", "--space", "space.yaml"),
        *("--storage", URL, "--run", "r", "--trials", "9", "--workers", "1"),
    )
    until(lambda: len(begun()) == 1, search)
    helper = machines.start("-m", "dse", "worker", "--storage", URL, "--run", "r", "--workers", "1")
    until(lambda: len(begun()) == 2, search, helper)
    Path("go").touch()
    assert "designs evaluated for r" in ended(helper)
    ended(search)
    assert len(Run(Path("runs/r")).trials) == 9
