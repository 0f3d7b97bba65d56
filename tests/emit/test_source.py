"""Emitted files as text: clean by the usual tools, true in their header, readable."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.cost import cost
from dse.emit import emit
from dse.network import Network, parse_network
from dse.presets import load_preset
from tests.emit.conftest import Emitted
from tests.strategies import KINDS, minimal_networks, networks

SELECTED = "E,F,W,I,UP,B,SIM,RUF,C4,PIE,PT,RET"


def told(*command: str) -> str:
    """What a tool has to complain about; nothing if it is content."""
    result = subprocess.run(
        [sys.executable, "-m", *command], capture_output=True, text=True, check=False
    )
    return "" if result.returncode == 0 else result.stdout + result.stderr


def test_files_are_lint_clean(emitted: Emitted) -> None:
    """A module's call is untyped, so a typed name before its return is meant (RET504)."""
    settings = ["--isolated", "--line-length=88", "--target-version=py311", "--no-cache"]
    rules = [f"--extend-select={SELECTED}", "--ignore=RET504,RUF001,RUF002,RUF003"]
    assert told("ruff", "check", *settings, *rules, str(emitted.folder)) == ""


def test_files_are_formatted(emitted: Emitted) -> None:
    settings = ["--isolated", "--line-length=88", "--no-cache"]
    assert told("ruff", "format", "--diff", *settings, str(emitted.folder)) == ""


@pytest.mark.slow
def test_files_are_typed(emitted: Emitted, pytestconfig: pytest.Config) -> None:
    cache = pytestconfig.cache.mkdir("mypy")  # torch's types take half a minute to read anew
    settings = ["--strict", "--config-file=", f"--cache-dir={cache}", "--follow-imports=silent"]
    assert told("mypy", *settings, str(emitted.folder)) == ""


def test_files_import_torch_alone(emitted: Emitted) -> None:
    found = set()
    for name in emitted.networks:
        for node in ast.walk(ast.parse(emitted.source(name))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module or "")
    assert found == {"torch", "torch.nn", "torch.utils.flop_counter"}


def test_headers_say_the_cost(emitted: Emitted) -> None:
    for name, network in emitted.networks.items():
        header = ast.get_docstring(ast.parse(emitted.source(name)))
        total = cost(network)
        assert header is not None
        assert re.search(rf"input +{network.input}, {network.classes} classes", header)
        assert re.search(rf"parameters +{total.params:,}$", header, re.MULTILINE)
        assert re.search(rf"MACs +{total.macs:,}$", header, re.MULTILINE)
        assert f"{total.peak_activation_bytes:,} bytes" in header


def _forwards(tree: ast.Module) -> Iterator[tuple[ast.ClassDef, ast.FunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            for item in node.body:
                if isinstance(item, ast.FunctionDef) and item.name == "forward":
                    yield node, item


def _heavy(tree: ast.ClassDef) -> set[str]:
    """Attributes of a class that are convolutions or linear layers."""
    made = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
            made[node.targets[0].attr] = ast.unparse(node.value)
    return {name for name, text in made.items() if re.match(r"nn\.(Conv2d|Linear)\(", text)}


def _calls(statement: ast.AST, heavy: set[str]) -> int:
    """Convolutions in one statement, those in the list of a concatenation aside."""
    if isinstance(statement, ast.Call) and ast.unparse(statement.func) == "torch.cat":
        return 0
    own = isinstance(statement, ast.Call) and (
        isinstance(statement.func, ast.Attribute) and statement.func.attr in heavy
    )
    return own + sum(_calls(child, heavy) for child in ast.iter_child_nodes(statement))


def test_a_statement_has_at_most_one_convolution(emitted: Emitted) -> None:
    crowded = [
        ast.unparse(statement)
        for name in emitted.networks
        for cls, forward in _forwards(ast.parse(emitted.source(name)))
        for statement in forward.body
        if _calls(statement, _heavy(cls)) > 1
    ]
    assert crowded == []


def test_every_argument_is_used(emitted: Emitted) -> None:
    unused = []
    for name in emitted.networks:
        for cls in ast.parse(emitted.source(name)).body:
            if not isinstance(cls, ast.ClassDef):
                continue
            for function in (f for f in cls.body if isinstance(f, ast.FunctionDef)):
                read = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)}
                arguments = [a.arg for a in function.args.args if a.arg != "self"]
                unused += [(name, cls.name, a) for a in arguments if a not in read]
    assert [u for u in unused if u[2] != "num_classes"] == []


def test_every_class_is_defined_once_and_used(emitted: Emitted) -> None:
    for name in emitted.networks:
        source = emitted.source(name)
        classes = [c.name for c in ast.parse(source).body if isinstance(c, ast.ClassDef)]
        assert len(set(classes)) == len(classes)
        assert [c for c in classes if len(re.findall(rf"\b{c}\(", source)) < 2] == []


def test_every_class_has_a_docstring(emitted: Emitted) -> None:
    for name in emitted.networks:
        for node in ast.parse(emitted.source(name)).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                assert ast.get_docstring(node), f"{name}: {node.name}"


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_emission_is_a_function_of_the_document(kind: str, data: st.DataObject) -> None:
    network = data.draw(minimal_networks(kind))
    source = emit(network)
    compile(source, "emitted", "exec")
    assert emit(network) == source
    assert emit(parse_network(network.to_json(), "test")) == source


@given(networks())
def test_emission_of_chains_is_a_function_of_the_document(network: Network) -> None:
    assert emit(parse_network(network.to_json(), "test")) == emit(network)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["squeezenet-1.1", "hybrid-mobilenet"])
def test_a_file_run_as_a_script_prints_its_cost(name: str, tmp_path: Path) -> None:
    network = load_preset(name, classes=7)
    total = cost(network)
    path = tmp_path / f"{network.module_name}.py"
    path.write_text(emit(network), encoding="utf-8")
    result = subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert result.stdout.splitlines() == [
        f"parameters {total.params:,}",
        f"MACs {total.macs:,}",
        "output (1, 7)",
    ]
