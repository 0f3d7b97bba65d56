"""`import dse`: its names, and what is imported when."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import dse

HEAVY = ("torch", "optuna", "onnx", "onnxruntime", "sklearn", "plotly")


def python(code: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", dse.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert callable(getattr(dse, name))
    assert getattr(dse, name).__doc__
    assert name in dir(dse)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError):
        dse.nothing  # noqa: B018


@pytest.mark.slow
@pytest.mark.parametrize(
    "first",
    [
        "import dse.cost",
        "import dse.search, dse.search.engine",
        "import dse.emit, dse.generate",
        "from dse.runtime.evaluate import Train",
        "import dse.cli",
        "import dse.cost as c, dse.emit as e, dse.search as s",
    ],
)
def test_functions_stay_functions_whatever_was_imported(first: str, tmp_path: Path) -> None:
    code = f"""
{first}
import dse
for name in ("cost", "search", "emit", "generate", "graph", "build", "preset", "recipe"):
    found = getattr(dse, name)
    assert callable(found) and type(found).__name__ == "function", (name, found)
import dse.cost, dse.search, dse.emit, dse.generate
network = dse.preset("squeezenet", classes=10)
print(dse.cost(network).params, dse.emit(network).count("class SqueezeNet("))
"""
    assert python(code, tmp_path) == "740554 1\n"


def test_modules_can_still_be_imported_by_name(tmp_path: Path) -> None:
    code = "from dse.cost import Budget; from dse.search import Candidate; print(Budget.__name__)"
    assert python(code, tmp_path) == "Budget\n"


@pytest.mark.parametrize(
    "arguments",
    [
        None,
        ["--help"],
        ["list"],
        *(["list", kind] for kind in ("blocks", "spaces", "datasets", "recipes", "devices")),
        ["cost", "squeezenet"],
        ["cost", "hl-cnn", "--by", "op"],
        ["show", "spp-covid-net"],
        ["show", "squeezenet", "--code"],
        ["show", "squeezenet", "--json"],
        ["papers"],
        ["diff", "squeezenet", "squeezenet-1.1"],
        ["generate", "squeezenet", "--out", "there"],
        ["search", "--help"],
        ["space", "stats", "fire", "--samples", "5"],
        ["cost", "mistake"],
    ],
    ids=lambda arguments: "import" if arguments is None else " ".join(arguments),
)
def test_reading_imports_nothing_heavy(arguments: list[str] | None, tmp_path: Path) -> None:
    code = f"""
import sys
import dse
arguments = {arguments!r}
if arguments is not None:
    from dse.cli import main
    sys.argv = ["dse", *arguments]
    try:
        main()
    except SystemExit:
        pass
print("\\nheavy", *[name for name in {HEAVY!r} if name in sys.modules])
"""
    assert python(code, tmp_path).splitlines()[-1].split() == ["heavy"]


def test_the_docstrings_example_holds() -> None:
    import doctest

    assert doctest.testmod(dse).failed == 0
    assert doctest.testmod(dse).attempted > 0
