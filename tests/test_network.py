"""Networks as data: what a document may say, how it is refused, and what stays equal."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.blocks import Block, Conv, block_class, block_kinds, read_block
from dse.errors import DseError, InvalidDesign, UnknownName
from dse.ir import Shape
from dse.network import Network, Node, parse_network, read_network
from dse.presets import load_preset
from tests.strategies import networks

Nodes = list[dict[str, Any]]

END: Nodes = [{"name": "pool", "global_pool": {}}, {"name": "scores", "classifier": {}}]
STEM: Nodes = [{"name": "stem", "conv": {"channels": 4}}]


def document(nodes: object, **changes: object) -> dict[str, object]:
    return {"name": "tiny", "input": "3x8x8", "classes": 2, "nodes": nodes, **changes}


def tiny(nodes: Nodes | None = None, **changes: object) -> Network:
    return read_network(document(STEM + END if nodes is None else nodes, **changes))


def refused(nodes: object, **changes: object) -> str:
    with pytest.raises(InvalidDesign) as caught:
        read_network(document(nodes, **changes))
    return str(caught.value)


# -- the graph -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ([*STEM, *STEM, *END], ["unique", "'stem' twice"]),
        (
            [
                *STEM,
                {"name": "a", "identity": {}, "inputs": ["stem"]},
                {"name": "b", "identity": {}, "inputs": ["stem"]},
                *END,
            ],
            ["read by another", "'a' unread"],
        ),
        (
            [*STEM, {"name": "a", "identity": {}, "inputs": ["stam"]}, *END],
            ["node a", "nodes before it", "'stam'"],
        ),
        (
            [*STEM, {"name": "a", "identity": {}, "inputs": ["pool"]}, *END],
            ["node a", "nodes before it", "'pool'"],
        ),
        ([*STEM, {"name": "a", "identity": {}, "inputs": ["a"]}, *END], ["node a", "'a'"]),
        ([{"name": "a", "identity": {}, "inputs": ["image"]}, *END], ["node a", "'image'"]),
        ([{"name": "s.1", "identity": {}}, *END], ["count from 0", "'s.1'"]),
        (
            [{"name": "s.0", "identity": {}}, {"name": "s.2", "identity": {}}, *END],
            ["count up by 1", "'s.2' after 's.0'"],
        ),
        (
            [{"name": "s.0", "identity": {}}, *STEM, {"name": "s.1", "identity": {}}, *END],
            ["stand together", "'s.1'"],
        ),
        (
            [{"name": "s.0", "identity": {}}, *STEM, {"name": "s.0", "identity": {}}, *END],
            ["unique", "'s.0'"],
        ),
        (
            [{"name": "s.0", "identity": {}}, {"name": "s", "identity": {}}, *END],
            ["called like a stage", "'s'"],
        ),
        ([{"name": "s", "identity": {}}, {"name": "s.0", "identity": {}}, *END], ["'s.0'"]),
        ([*STEM, {"name": "f", "fusion": {}}, *END], ["node f", "fusion takes 2 inputs", "got 1"]),
        ([*STEM, {"name": "f", "fusion": {}, "inputs": ["stem"] * 3}, *END], ["takes 2", "got 3"]),
        (
            [*STEM, {"name": "i", "identity": {}, "inputs": ["stem"] * 2}, *END],
            ["takes 1", "got 2"],
        ),
        ([], ["nodes", "at least 1"]),
        (STEM, ["one score per class (2)", "4x8x8 from stem", "classifier"]),
        ([*STEM, END[0]], ["one score per class (2)", "got 4 from pool"]),
        ([*STEM, END[1]], ["scores Classifier", "linear layer needs a vector", "4x8x8"]),
    ],
)
def test_a_broken_graph_is_refused_with_rule_value_and_node(nodes: Nodes, words: list[str]) -> None:
    message = refused(nodes)
    assert "tiny" in message or "score per class" in message or words[0] in message
    assert [word for word in words if word not in message] == []


NOT_NODES = [
    "",
    "1a",
    "Stem",
    "_x",
    "__class__",
    "a-b",
    "a b",
    "a.b",
    "a.01",
    "a.0.1",
    "a.10000",
    "a\n",
    'x"; import os',
    "x'); import os #",
    "../evil",
    "a/b",
    "é",
    "a" * 61,
]


@pytest.mark.parametrize("name", NOT_NODES)
def test_a_node_name_that_is_no_plain_word_is_refused(name: str) -> None:
    message = refused([{"name": name, "identity": {}}, *END])
    assert "a node is named in lower-case letters" in message
    assert repr(name) in message


@pytest.mark.parametrize(
    "name",
    ["class", "lambda", "import", "self", "x", "input", "torch", "nn", "num_classes", "get_x"],
)
def test_a_node_name_that_python_or_the_module_needs_is_refused(name: str) -> None:
    for label in (name, f"{name}.0"):
        message = refused([{"name": label, "identity": {}}, *END])
        assert "may not be a word of Python or torch" in message
        assert repr(label) in message


def test_every_attribute_of_torchs_module_is_refused_as_a_node_name() -> None:
    from torch import nn

    inherited = [n for n in dir(nn.Module()) if n.isidentifier() and not n.startswith("_")]
    accepted = []
    for name in inherited:
        try:
            Node(name=name, block=Conv(channels=1))
            accepted.append(name)
        except ValueError:
            pass
    assert [n for n in accepted if n == n.lower()] == []


@pytest.mark.parametrize(
    "name",
    ["", "A", "a b", "../evil", "a/b", "a--b", "-a", "a.", "a\n", "a" * 81, "__class__", 'x"'],
)
def test_a_network_name_that_is_no_file_name_is_refused(name: str) -> None:
    message = refused(END, name=name)
    assert "a network's name is lower-case letters and digits" in message
    assert repr(name) in message


@pytest.mark.parametrize("title", ["1st", 'T"', "T\n", "T_", "T/..", "T:", "é", "T" * 81])
def test_a_title_that_is_no_class_name_is_refused(title: str) -> None:
    message = refused(END, title=title)
    assert "a title is letters, digits, spaces" in message
    assert repr(title) in message


@pytest.mark.parametrize(
    "about",
    [
        '"""',
        'a"b',
        "a\\",
        "a\\nb",
        "a\nb",
        "a\rb",
        "a\x00b",
        "a\x7fb",
        "a" * 2001,
        "\ud800",
        "\u202e",
    ],
)
def test_an_about_that_could_leave_its_docstring_is_refused(about: str) -> None:
    message = refused(END, about=about)
    assert "one line" in message
    assert repr(about[:20])[1:-1] in message


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"classes": 1}, ["classes", "2", "got 1"]),
        ({"classes": True}, ["classes", "True"]),
        ({"classes": 2.0}, ["classes", "2.0"]),
        ({"classes": "3"}, ["classes", "'3'"]),
        ({"input": "3x8"}, ["input", "'3x8'"]),
        ({"input": [3, 8]}, ["input", "[3, 8]"]),
        ({"input": [3, 8, -1]}, ["input", "3x8x-1"]),
        ({"input": None}, ["input", "None"]),
        ({"nodes": {}}, ["nodes", "{}"]),
        ({"nodes": "abc"}, ["nodes", "'abc'"]),
        ({"nodes": [1]}, ["nodes.0", "1"]),
        ({"nodes": [{}]}, ["nodes.0", "no block"]),
        ({"nodes": [{"name": "a"}]}, ["node a", "no block"]),
        ({"nodes": [{"identity": {}}]}, ["nodes.0", "name is missing"]),
        ({"nodes": [{"name": 1, "identity": {}}]}, ["nodes.0.name", "1"]),
        ({"nodes": [{"name": "a", "conv": {}, "pool": {}}]}, ["node a", "conv, pool"]),
        ({"nodes": [{"name": "a", "conf": {}}]}, ["node a", "'conf'", "did you mean 'conv'"]),
        ({"nodes": [{"name": "a", "conv": []}]}, ["node a", "conv", "mapping", "[]"]),
        ({"nodes": [{"name": "a", "block": {}}]}, ["node a", "block"]),
        ({"nodes": [{"name": "a", "identity": {}, "inputs": "a"}]}, ["inputs", "'a'"]),
        ({"clases": 3}, ["'clases'", "did you mean 'classes'"]),
    ],
)
def test_a_wrong_field_is_named_with_its_value(
    changes: dict[str, object], words: list[str]
) -> None:
    message = refused(changes.pop("nodes", END), **changes)
    assert message.startswith("network 'tiny'")
    assert [word for word in words if word not in message] == []


@pytest.mark.parametrize("missing", ["name", "input", "classes", "nodes"])
def test_a_missing_field_is_named(missing: str) -> None:
    whole = document(END)
    del whole[missing]
    with pytest.raises(InvalidDesign, match=f"{missing} is missing"):
        read_network(whole)


# -- blocks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ({"conv": {"channels": 0}}, ["conv: channels", "greater than or equal to 1", "got 0"]),
        ({"conv": {"channels": 70_000}}, ["conv: channels", "65536", "70000"]),
        ({"conv": {"channels": 10**30}}, ["conv: channels", "65536"]),
        ({"conv": {"channels": "8"}}, ["conv: channels", "'8'"]),
        ({"conv": {"channels": True}}, ["conv: channels", "True"]),
        ({"conv": {"channels": 8.0}}, ["conv: channels", "8.0"]),
        ({"conv": {"channels": 8, "stride": 0}}, ["conv: stride", "got 0"]),
        ({"conv": {"channels": 8, "padding": -1}}, ["conv: padding", "got -1"]),
        ({"conv": {"channels": 8, "activation": "rellu"}}, ["activation", "'rellu'", "'relu'"]),
        ({"conv": {"channels": 8, "activation": 3}}, ["conv: activation", "3"]),
        ({"conv": {}}, ["conv: channels is missing"]),
        ({"conv": {"chanels": 8}}, ["'chanels'", "did you mean 'channels'"]),
        ({"pool": {"mode": "min"}}, ["pool: mode", "'min'"]),
        ({"classifier": {"dropout": 1.0}}, ["classifier: dropout", "1.0"]),
        ({"classifier": {"dropout": float("nan")}}, ["classifier: dropout", "nan"]),
        ({"fractional_pool": {"ratio": 1.0}}, ["fractional_pool: ratio", "1.0"]),
        ({"fractional_pool": {"ratio": float("inf")}}, ["fractional_pool: ratio", "inf"]),
        ({"pyramid": {"windows": []}}, ["pyramid: windows", "[]"]),
        ({"pyramid": {"windows": [0]}}, ["pyramid: windows.0", "0"]),
        (
            {"inverted": {"channels": 8, "attention": {"sqeeze_excite": {}}}},
            ["inverted: attention", "'sqeeze_excite'", "'squeeze_excite'"],
        ),
        (
            {"inverted": {"channels": 8, "attention": {"squeeze_excite": {"hidden": 0}}}},
            ["inverted: attention: squeeze_excite: hidden", "got 0"],
        ),
        (
            {"inverted": {"channels": 8, "attention": {"conv": {"channels": 8}}}},
            ["inverted: attention", "Conv"],
        ),
        ({"inverted": {"channels": 8, "attention": 7}}, ["inverted: attention", "7"]),
        ({"conv": 7}, ["conv", "mapping", "7"]),
        ({"conv": {1: 2}}, ["conv", "1"]),
        ({}, ["{kind: {fields}}", "{}"]),
        ({"conv": {}, "pool": {}}, ["{kind: {fields}}"]),
        ([], ["{kind: {fields}}", "[]"]),
        (None, ["{kind: {fields}}", "None"]),
        ("fire", ["fire: squeeze is missing"]),
    ],
)
def test_a_wrong_block_is_refused_with_field_and_value(block: object, words: list[str]) -> None:
    with pytest.raises(InvalidDesign) as caught:
        read_block(block)
    assert [word for word in words if word not in str(caught.value)] == []


@pytest.mark.parametrize("kind", ["conf", "", "Conv", "__class__", None, 3, [], {}])
def test_an_unknown_block_is_refused_by_name(kind: Any) -> None:
    with pytest.raises(UnknownName) as caught:
        block_class(kind)
    assert repr(kind) in str(caught.value)


def test_a_kind_alone_is_a_block_of_defaults() -> None:
    assert (
        read_block("global_pool")
        == read_block({"global_pool": None})
        == read_block({"global_pool": {}})
    )


def test_two_blocks_of_one_kind_are_refused() -> None:
    with pytest.raises(TypeError, match="two blocks are called 'conv'"):
        type("Other", (Block,), {"kind": "conv", "__module__": __name__})
    assert block_class("conv") is Conv


@pytest.mark.parametrize("cls", block_kinds().values())
def test_every_block_says_its_idea_in_one_line(cls: type[Block]) -> None:
    summary = inspect.cleandoc(cls.__doc__ or "").splitlines()[0]
    assert summary.endswith(".")
    assert 8 < len(summary) < 100


# -- text and equality ---------------------------------------------------------------------------


@given(networks())
def test_any_network_round_trips_through_json(network: Network) -> None:
    again = parse_network(network.to_json(), "test")
    assert again.nodes == network.nodes
    assert again.to_json() == network.to_json()
    assert again.digest == network.digest


@given(networks())
def test_names_play_no_part_in_equality(network: Network) -> None:
    renamed = json.loads(network.to_json())
    new = {node["name"]: f"n{i}" for i, node in enumerate(renamed["nodes"])}
    for node in renamed["nodes"]:
        node["name"] = new[node["name"]]
        if "inputs" in node:
            node["inputs"] = [new[name] for name in node["inputs"]]
    other = read_network({**renamed, "name": "another", "about": "Another."})
    assert other == network
    assert hash(other) == hash(network)


def test_the_document_form_of_inputs_plays_no_part_in_equality() -> None:
    chained = tiny([*STEM, {**END[0], "inputs": ["stem"]}, END[1]])
    assert chained == tiny()
    assert tiny(input=[3, 8, 8]) == tiny()


@pytest.mark.parametrize(
    "other",
    [
        {"classes": 3},
        {"input": "3x8x9"},
        {"nodes": [{"name": "stem", "conv": {"channels": 4, "kernel": 5}}, *END]},
        {"nodes": [{"name": "stem", "conv": {"channels": 4, "activation": "relu6"}}, *END]},
        {"nodes": [{"name": "stem", "conv": {"channels": 4, "norm": False}}, *END]},
        {"nodes": [*STEM, END[0], {"name": "scores", "classifier": {"dropout": 0.1}}]},
        {"nodes": [*STEM, {"name": "pool", "global_pool": {"mode": "max"}}, END[1]]},
    ],
)
def test_networks_that_compute_differently_differ(other: dict[str, Any]) -> None:
    assert tiny(**other) != tiny()


def test_which_branch_a_node_reads_is_part_of_the_digest() -> None:
    branches: Nodes = [
        {"name": "a", "conv": {"channels": 4, "kernel": 3}, "inputs": ["stem"]},
        {"name": "b", "conv": {"channels": 4, "kernel": 5}, "inputs": ["stem"]},
    ]
    one = tiny([*STEM, *branches, {"name": "f", "fusion": {}, "inputs": ["a", "b"]}, *END])
    two = tiny([*STEM, *branches, {"name": "f", "fusion": {}, "inputs": ["b", "a"]}, *END])
    assert one != two


def test_the_digest_is_the_same_in_every_process() -> None:
    code = "from dse.presets import load_preset; print(load_preset('hl-cnn').digest)"
    environment = {"PYTHONHASHSEED": "7", "PATH": ""}
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert told.stdout.strip() == load_preset("hl-cnn").digest


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["not JSON", "line 1"]),
        ("{", ["not JSON"]),
        ('{"name": "a",\n}', ["not JSON", "line 2"]),
        ("[]", ["a network is a mapping", "list"]),
        ("null", ["a network is a mapping"]),
        ("[" * 100_000, ["nest"]),
        ('{"a":' * 100_000, ["nest"]),
        ('{"classes": ' + "1" * 5_000 + "}", ["not JSON"]),
        ('{"classes": NaN}', ["is missing"]),
    ],
)
def test_text_that_is_no_network_is_refused_with_its_file(text: str, words: list[str]) -> None:
    with pytest.raises(InvalidDesign) as caught:
        parse_network(text, "designs/x.json")
    assert str(caught.value).startswith("designs/x.json: ")
    assert len(str(caught.value)) < 400
    assert [word for word in words if word not in str(caught.value)] == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(json_values, st.sampled_from(["name", "title", "about", "input", "classes", "nodes"]))
def test_any_json_in_a_field_is_a_network_or_a_user_error(value: object, field: str) -> None:
    try:
        network = read_network({**document(END), field: value})
    except DseError:
        return
    assert parse_network(network.to_json(), "test") == network


@given(json_values, st.sampled_from(sorted(block_kinds())))
def test_any_json_for_a_block_is_a_block_or_a_user_error(value: object, kind: str) -> None:
    try:
        block = read_block({kind: value})
    except DseError:
        return
    assert read_block(block.document()) == block


# -- transforms ----------------------------------------------------------------------------------


@pytest.mark.parametrize("alpha", [0, -1, float("nan"), float("inf"), 65])
def test_a_width_multiplier_out_of_range_is_refused(alpha: float) -> None:
    with pytest.raises(InvalidDesign, match="width multiplier is above 0") as caught:
        tiny().scaled(alpha)
    assert f"alpha={alpha}" in str(caught.value)


def test_scaling_rounds_half_up_and_keeps_at_least_one_channel() -> None:
    nodes: Nodes = [{"name": f"s.{i}", "conv": {"channels": c}} for i, c in enumerate((1, 3, 5, 8))]
    scaled = tiny([*nodes, *END]).scaled(0.5)
    assert [node.block.channels for node in scaled.nodes[:4]] == [1, 2, 3, 4]  # type: ignore[attr-defined]


def test_scaling_reaches_nested_blocks_and_leaves_classes() -> None:
    settings = {"channels": 8, "attention": {"squeeze_excite": {"hidden": 6}}}
    scaled = tiny([{"name": "a", "inverted": settings}, *END]).scaled(0.5)
    assert json.loads(scaled.to_json())["nodes"][0]["inverted"] == {
        "channels": 4,
        "attention": {"squeeze_excite": {"hidden": 3}},
    }
    assert scaled.classes == 2


def test_scaling_past_the_widest_width_is_refused() -> None:
    with pytest.raises(InvalidDesign, match="at most 65536, got 60000 x 2"):
        tiny([{"name": "a", "conv": {"channels": 60_000}}, *END]).scaled(2)


def test_resized_takes_other_images_and_classes() -> None:
    network = tiny().resized(input=Shape((1, 16, 12)), classes=7)
    assert (str(network.input), network.classes) == ("1x16x12", 7)
    assert network.lower().output.shape == (7,)


def test_an_identity_may_stand_at_either_end() -> None:
    ends: Nodes = [{"name": "first", "identity": {}}, *STEM, *END, {"name": "last", "identity": {}}]
    assert tiny(ends) == tiny()


def test_file_and_class_are_named_after_name_and_title() -> None:
    plain = tiny(name="squeezenet-1.1")
    assert (plain.module_name, plain.class_name) == ("squeezenet_1_1", "Squeezenet11")
    assert tiny(name="hl-cnn", title="HL-CNN").class_name == "HLCNN"


def test_a_network_prints_as_a_table_of_its_nodes() -> None:
    lines = str(tiny()).splitlines()
    assert lines[0] == "tiny: 3x8x8 -> 2 classes"
    assert [line.split()[0] for line in lines[2:]] == ["stem", "pool", "scores", "total"]
    assert lines[-1].split()[1:] == ["126", "6,920"]  # 108 + 8 + 10; 108 * 64 + 8
