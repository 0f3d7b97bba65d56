"""Names of evaluators, and functions found by them."""

from __future__ import annotations

import csv
import random
import re
import sys
import textwrap
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from dse.errors import InvalidValue, UnknownName
from dse.search import Candidate, evaluators, search
from dse.search.evaluators import default_objectives, find_function, proxies_of
from dse.space import Space

OWN = """
MORE = 3

def accuracy(candidate, report):
    return {"accuracy": 0.5}

class Kind:
    def __call__(self, candidate, report):
        return {"accuracy": 0.25}

    def method(self, candidate, report):
        return {"accuracy": 0.75}

kind = Kind()
"""


@pytest.fixture(autouse=True)
def _own_modules(tmp_path: Path) -> Iterator[None]:
    """Modules in the current folder, forgotten afterwards."""
    Path("own_evaluators.py").write_text(OWN)
    Path("broken_evaluators.py").write_text("import nowhere_at_all\n")
    Path("raising_evaluators.py").write_text("1 / 0\n")
    modules, paths = set(sys.modules), list(sys.path)
    yield
    sys.path[:] = paths
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("own_evaluators:accuracy", 0.5),
        ("own_evaluators:kind", 0.25),
        ("own_evaluators:kind.method", 0.75),
    ],
)
def test_a_function_of_the_current_folder(name: str, expected: float, few: Space) -> None:
    run = search(few, find_function(name), trials=2)
    assert [row.values for row in run.trials] == [{"accuracy": expected}] * 2


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nowhere_at_all:f", "there is no module 'nowhere_at_all'"),
        ("own_evaluators.deep:f", "there is no module 'own_evaluators.deep'"),
        ("own_evaluators:missing", "the module own_evaluators has no 'missing'"),
        ("own_evaluators:kind.missing", "the module own_evaluators has no 'kind.missing'"),
        ("own_evaluators:MORE", "MORE is of type int"),
        ("own_evaluators:Kind", "Kind is a class"),
        ("broken_evaluators:f", "cannot be imported: ModuleNotFoundError: No module named"),
        ("raising_evaluators:f", "cannot be imported: ZeroDivisionError: division by zero"),
        ("..own:f", "cannot be imported: TypeError"),
    ],
)
def test_what_is_no_function(name: str, words: str) -> None:
    with pytest.raises(InvalidValue, match=re.escape(words)) as error:
        find_function(name)
    assert str(error.value).startswith(f"evaluator {name!r}: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["", "trian", "accuracy", ":f", "own_evaluators:"])
def test_an_unknown_name(name: str) -> None:
    with pytest.raises(UnknownName, match="no evaluator is called"):
        find_function(name)


def test_an_entry_point_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("nearest", "own_evaluators:kind", "dse.evaluators")
    monkeypatch.setattr(evaluators, "entry_points", lambda group: [point])
    candidate: Candidate | None = None
    found = find_function("nearest")
    assert found(candidate, lambda step, metrics: None) == {"accuracy": 0.25}  # type: ignore[arg-type]
    with pytest.raises(UnknownName, match="did you mean 'nearest'"):
        find_function("nearst")


def test_proxies_by_name() -> None:
    assert proxies_of("proxy:zico") == ("zico",)
    assert proxies_of("proxy:zico, synflow") == ("zico", "synflow")
    assert proxies_of("train") == proxies_of("own_evaluators:accuracy") == ()
    assert default_objectives("proxy:zico,synflow") == ["zico", "params"]
    assert default_objectives("train") == ["accuracy", "params"]
    with pytest.raises(UnknownName, match="did you mean 'zico'"):
        proxies_of("proxy:zicco")
    with pytest.raises(InvalidValue, match="params is a cost"):
        proxies_of("proxy:params")


def test_the_documented_table_stands_for_training(few: Space) -> None:
    """The example of the module's docstring, as it is printed."""
    assert evaluators.__doc__ is not None
    example = evaluators.__doc__.partition("::\n")[2].partition("\nA design that")[0]
    Path("table.py").write_text(textwrap.dedent(example))
    drawn = [few.bind(few.sample(random.Random(seed))) for seed in range(100)]
    networks = list({network.digest: network for network in drawn}.values())
    assert len(networks) == 6
    missing = networks.pop()
    with Path("measured.csv").open("w") as file:
        writer = csv.writer(file)
        writer.writerow(["digest", "accuracy"])
        writer.writerows((network.digest, n / 10) for n, network in enumerate(networks))
    run = search(few, find_function("table:accuracy"), trials=6)
    states = {row.digest: row.state for row in run.trials}
    assert states.pop(missing.digest) == "failed"
    assert states == {network.digest: "finished" for network in networks}
    assert run.best is not None
    assert run.best.values == {"accuracy": 0.4}
