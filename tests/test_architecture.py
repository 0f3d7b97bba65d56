"""The shape of the code base: who may import whom, and that nothing new is left unlisted."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import dse
from dse.blocks import block_kinds
from dse.emit.expressions import has_macros
from dse.ir.ops import OPS

PACKAGE = Path(dse.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

FLOORS: list[set[str]] = [
    {"errors", "resources", "atomic", "version", "processes", "fronts"},
    {"ir"},
    {"blocks"},
    {"network"},
    {"presets", "cost", "latency", "diff", "draw", "space", "emit", "recipes", "papers"},
    {"data", "runtime", "devices"},
    {"search", "experiments"},
    {"report"},
    {"explore"},
    {"cli"},
]
# Beside the floors: what joins several of them, each with the highest floor it may read.
JOINERS = {"designs": "data", "runs": "data", "generate": "search"}

FLOOR = {name: level for level, names in enumerate(FLOORS) for name in names}
FLOOR |= {name: FLOOR[serves] for name, serves in JOINERS.items()}


def part(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path, *, anywhere: bool = True) -> Iterator[str]:
    """Modules that a file imports when it runs; what is only for type checkers is left out."""
    pending: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            pending += node.orelse
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif anywhere or not isinstance(node, ast.FunctionDef):
            pending += ast.iter_child_nodes(node)


def outside(package: str, allowed: set[str]) -> list[str]:
    """Files outside the allowed parts that import a package, also within a function."""
    return [
        str(path.relative_to(PACKAGE))
        for path in FILES
        if part(path) not in allowed
        and any(name.partition(".")[0] == package for name in imports(path))
    ]


def test_every_part_has_a_floor() -> None:
    parts = {part(path) for path in FILES} - {"__init__", "__main__"}
    assert parts - FLOOR.keys() == set()


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_floor_imports_only_from_floors_below(path: Path) -> None:
    """`Network.__str__` alone calls up, late: its table is a walk over the program."""
    own = part(path)
    if own in ("__init__", "__main__"):
        return
    used = {name.split(".")[1] for name in imports(path) if name.startswith("dse.")} & FLOOR.keys()
    above = {name for name in used - {own} if FLOOR[name] > FLOOR[own]}
    assert above <= ({"cost"} if own == "network" else set())


def test_only_runtime_and_devices_import_torch() -> None:
    assert outside("torch", {"runtime", "devices"}) == []


def test_only_search_imports_optuna() -> None:
    assert outside("optuna", {"search"}) == []


@pytest.mark.parametrize("folder", ["blocks", "presets"])
def test_every_file_is_listed_in_its_package(folder: str) -> None:
    listed = set(imports(PACKAGE / folder / "__init__.py"))
    files = {p.stem for p in (PACKAGE / folder).glob("*.py")} - {"__init__"}
    assert {f for f in files if f"dse.{folder}.{f}" not in listed} == set()


def test_every_block_is_exported_by_name() -> None:
    import dse.blocks

    assert {cls.__name__ for cls in block_kinds().values()} <= set(dse.blocks.__all__)


def test_every_op_has_its_macros() -> None:
    assert [name for name, op in OPS.items() if not has_macros(op)] == []


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_file_is_no_longer_than_a_sitting(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 450


@pytest.mark.parametrize(
    "code",
    ["import dse", "import dse.cost, dse.presets, dse.emit", "import dse.network, dse.space"],
)
def test_light_imports_load_no_heavy_package(code: str) -> None:
    heavy = ("torch", "optuna", "onnx", "onnxruntime", "sklearn", "plotly")
    script = f"import sys; {code}; print([m for m in {heavy} if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_costing_and_emitting_a_preset_load_no_heavy_package() -> None:
    script = (
        "import sys; from dse.cost import cost; from dse.emit import emit;"
        "from dse.presets import load_preset; n = load_preset('hl-cnn'); cost(n); emit(n); str(n);"
        "print([m for m in ('torch', 'optuna', 'onnx', 'numpy') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
