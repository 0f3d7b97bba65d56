"""Names in emitted files: no name of a design breaks or shadows what the file needs."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from dse.cost import cost
from dse.emit import emit
from dse.network import Network, read_network
from dse.runtime.load import build, load_source
from tests.modules import built, images, trainable

pytestmark = pytest.mark.usefixtures("one_thread")

Nodes = list[dict[str, Any]]

END: Nodes = [{"name": "pool", "global_pool": {}}, {"name": "scores", "classifier": {}}]


def network(nodes: Nodes, **changes: object) -> Network:
    document = {"name": "tiny", "input": "3x8x8", "classes": 2, "nodes": [*nodes, *END]}
    return read_network({**document, **changes})


def classes_of(source: str) -> list[str]:
    return [node.name for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]


def assert_works(whole: Network) -> None:
    assert built(whole)(images(whole)).shape == (2, whole.classes)
    assert cost(whole).params == trainable(built(whole))


TITLES = [
    "None",
    "True",
    "class",
    "def",
    "lambda",
    "torch",
    "nn",
    "F",
    "Tensor",
    "FlopCounterMode",
    "int",
    "super",
    "range",
    "print",
    "sum",
    "tuple",
    "model",
    "Module",
]


@pytest.mark.parametrize("title", TITLES)
def test_a_title_never_takes_a_name_that_the_file_needs(title: str) -> None:
    whole = network(
        [{"name": "stem", "fire": {"squeeze": 2, "expand1x1": 2, "expand3x3": 2}}], title=title
    )
    source = emit(whole)
    free = {"model", "Module"}
    assert (title in classes_of(source)) == (title in free)
    assert_works(whole)


@pytest.mark.parametrize("name", ["none", "true", "false", "tensor", "f", "flop-counter-mode"])
def test_a_name_never_takes_a_name_that_the_file_needs(name: str) -> None:
    assert_works(network([], name=name))


@pytest.mark.parametrize("title", ["Fire", "ConvBNReLU", "BlurPool2d", "FractionalMaxPool2d"])
def test_a_network_called_like_a_block_keeps_both_classes(title: str) -> None:
    nodes: Nodes = [
        {"name": "a", "conv": {"channels": 4}},
        {"name": "b", "fire": {"squeeze": 2, "expand1x1": 2, "expand3x3": 2}},
        {"name": "c", "blur_pool": {}},
        {"name": "d", "fractional_pool": {}},
    ]
    whole = network(nodes, title=title)
    assert classes_of(emit(whole))[-1] == f"{title}Network"
    assert_works(whole)


@pytest.mark.parametrize(
    "name",
    [
        "y",
        "z",
        "u",
        "f",
        "out",
        "match",
        "type_",
        "model",
        "print",
        "super",
        "kernel",
        "relu",
        "conv",
        "bn",
        "dropout",
        "linear",
        "channels",
        "in_channels",
    ],
)
def test_a_node_may_be_called_what_a_local_variable_is(name: str) -> None:
    fire = {"fire": {"squeeze": 2, "expand1x1": 2, "expand3x3": 2}}
    nodes: Nodes = [
        {"name": "stem", "conv": {"channels": 4}},
        {"name": name, **fire, "inputs": ["stem"]},
        {"name": "other", **fire, "inputs": ["stem"]},
        {"name": "join", "fusion": {}, "inputs": ["other", name]},
    ]
    whole = network(nodes)
    assert_works(whole)
    torch.jit.script(build(whole))


def test_a_layer_of_an_inlined_block_never_takes_the_name_of_another_node() -> None:
    nodes: Nodes = [
        {"name": "first_pool", "global_pool": {}},
        {"name": "a", "classifier": {"dropout": 0.5}},
        {"name": "dropout", "dense": {"features": 4}},
        {"name": "b_dropout", "dense": {"features": 4}},
        {"name": "b", "classifier": {"dropout": 0.25}},
    ]
    whole = network([]).replaced(nodes=nodes)
    assert_works(whole)
    kept = [m.p for m in build(whole).modules() if isinstance(m, torch.nn.Dropout)]
    assert sorted(kept) == [0.25, 0.5]


def test_classes_that_differ_in_structure_have_names_of_their_own() -> None:
    attentions: list[dict[str, Any] | None] = [
        None,
        {"eca": {}},
        {"squeeze_excite": {}},
        {"squeeze_excite": {"gate": "hard_sigmoid"}},
    ]
    functions = ("none", "relu", "relu6", "leaky_relu(0.1)", "leaky_relu(0.2)", "hard_swish")
    variants: list[dict[str, Any]] = [
        {"conv": {"channels": 4, "activation": function, "norm": norm}}
        for function in functions
        for norm in (True, False)
    ]
    variants += [
        {"inverted": {"channels": c, "attention": a, "activation": act, "expansion": e}}
        for c in (4, 8)
        for a in attentions
        for act in ("relu", "relu6")
        for e in (1, 2)
    ]
    nodes = [{"name": f"s.{i}", **block} for i, block in enumerate(variants)]
    whole = network(nodes)
    names = classes_of(emit(whole))
    assert len(set(names)) == len(names)
    assert_works(whole)


def test_equal_blocks_share_one_class() -> None:
    fires = [(2, 4), (3, 5), (4, 6)]
    nodes: Nodes = [
        {"name": f"s.{i}", "fire": {"squeeze": s, "expand1x1": e, "expand3x3": e}}
        for i, (s, e) in enumerate(fires)
    ]
    assert classes_of(emit(network(nodes))) == ["Fire", "Tiny"]


def test_an_about_is_in_the_docstring_as_written() -> None:
    about = "It's {braces}, <angle>, %s, {{ 1 + 1 }}, {% if %}, ${x}, 中文 and 'quotes'."
    source = emit(network([], about=about))
    header = ast.get_docstring(ast.parse(source))
    assert header is not None
    assert header.replace("\n", " ").startswith(about)


def test_the_same_source_is_imported_once() -> None:
    source = emit(network([]))
    assert load_source(source) is load_source(source)


def test_a_cut_short_cache_file_is_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DSE_CACHE", str(tmp_path))
    whole = network([{"name": "stem", "conv": {"channels": 11}}])
    source = emit(whole)
    name = load_source(source).__name__
    [path] = (tmp_path / "emitted").glob("*.py")
    path.write_text(source[:100], encoding="utf-8")
    monkeypatch.delitem(sys.modules, name)
    assert load_source(source).create_model(2) is not None
    assert path.read_text(encoding="utf-8") == source
