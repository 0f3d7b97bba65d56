# ruff: noqa: E501 - a document and its message read best on one line each
"""Every mistake in a space is one sentence: the place, the rule, the value."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from dse.errors import DseError, InvalidDesign, UnknownName
from dse.space import Space, load_space, parse_space

HEAD = "network: {input: 3x16x16, classes: 3, nodes: ["
TAIL = ", global_pool, classifier]}"


def one(nodes: str) -> str:
    return HEAD + nodes + TAIL


MALFORMED = {
    # the document
    "[1, 2]": r"^bad: a space is a mapping, got \[1, 2\]$",
    "": r"^bad: a space is a mapping, got None$",
    "about: x": r"^bad: a space has a network, got none$",
    "netwrok: {}": r"^bad: a space has the keys about, contains, network; got 'netwrok'$",
    "network: {input: 3x16x16, classes: 3}": r"^bad: network: nodes is missing$",
    "network: {input: 3, classes: 3, nodes: []}": r"network.nodes|network.*node",
    "network: {input: 3x16, classes: 3, nodes: [classifier]}": r"network.input: .*3x224x224; got '3x16'",
    "network: {input: 3x16x16, classes: 1, nodes: [classifier]}": r"network.classes: .* got 1$",
    "network: {input: 3x16x16, classes: 3, nodes: 5}": r"network.nodes: nodes are a list, got 5$",
    "network: {input: 3x16x16, classes: 3, nodes: []}": r"at least one node",
    "contains: 5\n" + one("identity"): r"contains: contains is a list of presets, got 5",
    "contains: [{alpha: 1}]\n" + one("identity"): r"contains\[0\]: a preset is its name",
    "about: [1]\n" + one("identity"): r"about: about is a sentence, got \[1\]",
    # YAML
    "a: [1": r"^bad at line 1, column \d+: ",
    "a: 1\nb: 2\na: 3": r"^bad at line 3, column 1: the key 'a' appears twice$",
    "a: &x {b: 1}\nc:\n  <<: *x": r"^bad at line 3, column 3: merge keys",
    "a: !!python/object:os.system {}": r"^bad at line 1, column 4: ",
    "? [1, 2]\n: 3": r"^bad at line \d+",
    # holes
    one(
        "{conv: {channels: {choose: []}}}"
    ): r"nodes\[0\].conv.channels.choose: .*at least one option, got none",
    one("{conv: {channels: {choose: [8, 8]}}}"): r"channels.choose: options differ .* got 8 twice",
    one("{conv: {channels: {choose: [[8]]}}}"): r"channels.choose: options are words.*got \[8\]",
    one(
        "{conv: {channels: {choose: [8, 0]}}}"
    ): r"channels.choose\[1\]: .*greater than or equal to 1, got 0",
    one(
        "{conv: {channels: {choose: 8}}}"
    ): r"channels.choose: a choice is a list of options.*got 8",
    one(
        "{conv: {channels: {choose: [8], step: 1}}}"
    ): r"a choice has the keys choose, name; got 'step'",
    one("{conv: {channels: {between: [8]}}}"): r"between takes two numbers.*got \[8\]",
    one("{conv: {channels: {between: [8, 4]}}}"): r"the lower number first, got \[8, 4\]",
    one(
        "{conv: {channels: {between: [0, 4]}}}"
    ): r"channels.between: .*greater than or equal to 1, got 0",
    one("{conv: {channels: {between: [1.5, 4]}}}"): r"channels.between: .*integer, got 1.5",
    one("{conv: {channels: {between: [1, 4], step: 2}}}"): r"steps lead .* got step 2 for 1 to 4",
    one("{conv: {channels: {between: [1, 4], step: -1}}}"): r"step is a number above 0, got -1",
    one("{conv: {channels: {between: [1, 4], log: 3}}}"): r"log is true or false, got 3",
    one("{conv: {channels: {between: [1, 4], step: 1, log: true}}}"): r"log takes no step",
    one("{conv: {channels: {between: [1, .inf]}}}"): r"between takes two numbers",
    one("{conv: {channels: {choose: [8], name: 5}}}"): r"a decision's name is letters.*got 5",
    one("{conv: {channels: {choose: [8], name: .w}}}"): r"local to a group, got '.w' outside any",
    one("{conv: {channels: {choose: {'a b?': 8}}}}"): r"a label is letters.*got 'a b\?'",
    one(
        "{conv: {channels: {choose: [4, 8], name: w}}}, {conv: {channels: {choose: [4], name: w}}}"
    ): r"nodes\[1\].conv.channels: the decision 'w' has the same options .* got one of 4, "
    r"but one of 4, 8 at bad: network.nodes\[0\].conv.channels",
    one(
        "{name: a, conv: {channels: {choose: [4]}}}, {conv: {channels: {choose: [4], name: a.channels}}}"
    ): r"two holes are called 'a.channels'",
    # blocks
    one(
        "{conv: {chanels: 8}}"
    ): r"nodes\[0\].conv: no field of conv is called 'chanels'; .*'channels'",
    one("{conv: {}}"): r"nodes\[0\].conv: channels is missing",
    one("{conv: {channels: eight}}"): r"nodes\[0\].conv.channels: .*integer, got 'eight'",
    one("{conv: {channels: {a: 1}}}"): r"nodes\[0\].conv.channels: ",
    one("{conv: [8]}"): r"the fields of a block is a mapping, got \[8\]",
    one("{convv: {channels: 8}}"): r"nodes\[0\]: no block is called 'convv'; .*'conv'",
    one("{inverted: {channels: 8, attention: {conv: {channels: 3}}}}"): r"inverted: attention",
    one(
        "{inverted: {channels: 8, attention: {nope: {}}}}"
    ): r"attention: no block is called 'nope'",
    one("{conv: {channels: 8, activation: relux}}"): r"activation.*relux",
    # nodes
    one("7"): r"nodes\[0\]: a node is a mapping, got 7",
    one("{name: a}"): r"nodes\[0\]: a node has a name and one block.* got no block",
    one("{conv: {channels: 8}, pool: {}}"): r"a node has a name and one block.* got conv, pool",
    one("{name: A, identity: {}}"): r"a node's name is lower-case.* got 'A'",
    one(
        "{name: forward, identity: {}}"
    ): r"nodes\[0\].name: .*word of Python or torch, got 'forward'",
    one("{name: a, identity: {}}, {name: a, identity: {}}"): r"names differ .* got 'a' twice",
    one("{identity: {}, inputs: [b]}"): r"nodes\[0\]: inputs are nodes before it, got 'b'",
    one("{identity: {}, inputs: 5}"): r"inputs are names, got 5",
    one("{fusion: {}}"): r"nodes\[0\]: fusion takes 2 inputs, got 1",
    one(
        "{conv: {channels: 8}, first: {stride: 2}}"
    ): r"first is for repeated blocks, got no repeat",
    one("{conv: {channels: 8}, repeat: -1}"): r"nodes\[0\].repeat: .*got -1",
    one(
        "{conv: {channels: 8}, repeat: {choose: [1, x]}}"
    ): r"nodes\[0\].repeat.choose\[1\]: .*got 'x'",
    one(
        "{conv: {channels: 8}, repeat: 2, first: {strid: 2}}"
    ): r"first: no field of conv is called 'strid'",
    one(
        "{conv: {channels: 8}, first: {stride: 2}, repeat: 2, otherwise: {conv: {channels: 0}}}"
    ): r"nodes\[0\].otherwise.conv.channels: .*greater than or equal to 1, got 0",
    one("{pool: {}, otherwise: {conv: {}}}"): r"nodes\[0\].otherwise.conv: channels is missing",
    one("{pool: {}, otherwise: nothing}"): r"nodes\[0\].otherwise: no block is called 'nothing'",
    one("{pool: {}, otherwise: null}"): r"nodes\[0\].otherwise: a block is written .*got None",
    one("{pool: {}, otherwise: []}"): r"nodes\[0\].otherwise: a block is written .*got \[\]",
    one(
        "{pool: {}, otherwise: fusion}"
    ): r"nodes\[0\].otherwise: it takes as many inputs as pool \(1\), got fusion with 2",
    one(
        "{identity: {}, otherwise: {conv: {channels: 8}}}"
    ): r"nodes\[0\].otherwise: identity fits everywhere",
    one(
        "{choose: {a: []}, otherwise: identity}"
    ): r"a choice of nodes has the keys .*; got 'otherwise'",
    one(
        "{name: g, nodes: [identity], otherwise: identity}"
    ): r"a group has the keys .*; got 'otherwise'",
    one(
        "{name: a, conv: {channels: 4}}, {name: b, conv: {channels: 4}}, "
        "{fusion: {}, inputs: [a, b], repeat: {between: [1, 2]}}"
    ): r"nodes\[2\]: a repeated block takes one input, got fusion with 2",
    one("{nodes: [identity]}"): r"nodes\[0\]: a group has a name, got none",
    one("{name: g, nodes: [identity], step: 1}"): r"a group has the keys .*; got 'step'",
    one("{name: g, nodes: [identity], repeat: 100}"): r"nodes\[0\].repeat: .*got 100",
    one(
        "{choose: [a, b]}"
    ): r"nodes\[0\].choose: a choice of nodes, each under a label.*got \['a', 'b'\]",
    one("{choose: {a: 5}}"): r"nodes\[0\].choose.a\[0\]: a node is a mapping, got 5",
    one("{choose: {a: []}, repeat: 2}"): r"a choice of nodes has the keys .*; got 'repeat'",
}


@pytest.mark.parametrize("text", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_documents(text: str) -> None:
    with pytest.raises(InvalidDesign, match=MALFORMED[text]) as caught:
        parse_space(text, "bad")
    assert str(caught.value).startswith("bad")
    assert "\n" not in str(caught.value)


# -- documents that try to be large -------------------------------------------------------------------


def test_aliases_cannot_grow_without_bound() -> None:
    lists = ["a0: &a0 [identity, identity, identity, identity]"]
    lists += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    text = "\n".join(lists) + "\nnetwork: {input: 3x9x9, classes: 3, nodes: *a9}"
    with pytest.raises(InvalidDesign):
        parse_space(text, "bad")
    groups = ["about: x", "contains: []", "network:", "  input: 3x9x9", "  classes: 3", "  nodes:"]
    groups += ["    - {name: g0, nodes: &a0 [identity, identity]}"]
    for n in range(1, 30):
        inner = f"[{{name: l, nodes: *a{n - 1}}}, {{name: r, nodes: *a{n - 1}}}]"
        groups.append(f"    - {{name: g{n}, nodes: &a{n} {inner}}}")
    with pytest.raises(InvalidDesign, match="at most 20,000 parts"):
        parse_space("\n".join(groups), "bad")


@pytest.mark.parametrize(
    "nodes",
    [
        "&a [{name: g, nodes: *a}]",
        "[{choose: &a {x: {choose: *a}}}]",
        "[{conv: {channels: &a {choose: {x: *a}}}}]",
    ],
)
def test_recursive_aliases_end(nodes: str) -> None:
    with pytest.raises(InvalidDesign):
        parse_space(f"network: {{input: 3x9x9, classes: 3, nodes: {nodes}}}", "bad")


def test_deep_nesting_ends() -> None:
    with pytest.raises(InvalidDesign, match="nested"):
        parse_space("[" * 1500, "bad")


def test_too_many_decisions() -> None:
    text = one("{conv: {channels: {choose: [1, 2]}}}")
    for name in ("a", "b", "c", "d"):
        start = text.index("[") + 1
        end = text.index(TAIL)
        text = f"{text[:start]}{{name: {name}, repeat: {{between: [1, 40]}}, nodes: [{text[start:end]}]}}{text[end:]}"
    with pytest.raises(InvalidDesign, match="at most 5,000 decisions"):
        parse_space(text, "bad")


# -- decisions ----------------------------------------------------------------------------------------


@pytest.fixture
def space() -> Space:
    return parse_space(
        dedent(
            """
            network:
              input: 3x16x16
              classes: 3
              nodes:
                - {name: stem, conv: {channels: {choose: [4, 8]}}}
                - name: more
                  choose:
                    no_more: []
                    pool: {pool: {kernel: {between: [2, 32]}}}
                    flag: {pool: {ceil_mode: {choose: [true, false]}}}
                - global_pool
                - classifier
            """
        ),
        "tiny",
    )


@pytest.mark.parametrize(
    ("decisions", "message"),
    [
        (
            {"stem.channels": 4},
            r"tiny: the decision 'more' is missing \(one of no_more, pool, flag\)",
        ),
        ({"stem.channels": 5, "more": "no_more"}, r"tiny: stem.channels is one of 4, 8; got 5"),
        ({"stem.channels": True, "more": "no_more"}, r"stem.channels is one of 4, 8; got True"),
        ({"stem.channels": [4], "more": "no_more"}, r"stem.channels is one of 4, 8; got \[4\]"),
        ({"stem.channels": 4, "more": "no_more", "x": 1}, r"tiny: no decision is called 'x'"),
        (
            {"stem.channels": 4, "more": "no_more", "more.pool.kernel": 2},
            r"tiny: the other decisions do not lead to 'more.pool.kernel', leave it out",
        ),
        (
            {"stem.channels": 4, "more": "pool", "more.pool.kernel": 33},
            r"more.pool.kernel is an integer from 2 to 32; got 33",
        ),
        (
            {"stem.channels": 4, "more": "pool", "more.pool.kernel": 30},
            r"pool Pool: the pooling window must fit the map, got window 30 on 4x16x16",
        ),
        (
            {"stem.channels": 4, "more": "flag", "more.flag.ceil_mode": 1},
            r"one of True, False; got 1",
        ),
    ],
)
def test_bad_decisions(space: Space, decisions: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidDesign, match=message):
        space.bind(decisions)  # type: ignore[arg-type]


def test_bad_answers(space: Space) -> None:
    with pytest.raises(InvalidDesign, match=r"stem.channels is one of 4, 8; got None"):
        space.walk(lambda name, choice: None)


def test_reading_what_was_left_out() -> None:
    space = parse_space(
        one(
            "{choose: {a: [{name: left, conv: {channels: 4}}], b: []}, name: c}, "
            "{conv: {channels: 4}}, {fusion: {}, inputs: [left, conv]}"
        ),
        "tiny",
    )
    space.bind({"c": "a"})
    with pytest.raises(InvalidDesign, match="tiny: with these decisions there is no node 'left'"):
        space.bind({"c": "b"})


def test_an_unread_node() -> None:
    space = parse_space(
        one(
            "{name: a, conv: {channels: 4}}, {name: b, conv: {channels: 4}}, {pool: {}, inputs: [a]}"
        ),
        "tiny",
    )
    with pytest.raises(InvalidDesign, match=r"tiny: every node but the last is read.*'b'"):
        space.bind({})


# -- files --------------------------------------------------------------------------------------------


def test_files(tmp_path: Path) -> None:
    file = tmp_path / "My Space.yaml"
    file.write_text(one("{conv: {channels: 8}}"))
    assert load_space(file).name == "my-space"
    assert load_space(str(file)).bind({}).name.startswith("my-space-")
    file.write_text(one("{conv: {channels: 0}}"))
    with pytest.raises(InvalidDesign, match=r"^My Space.yaml: network.nodes\[0\].conv.channels: "):
        load_space(file)
    with pytest.raises(InvalidDesign, match=r"absent.yaml: a space is a YAML file; no such file"):
        load_space(tmp_path / "absent.yaml")
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidDesign, match="not text in UTF-8"):
        load_space(file)
    with pytest.raises(InvalidDesign, match="is a directory"):
        load_space(tmp_path)


@pytest.mark.parametrize("name", ["nothing", "../fire", ""])
def test_unknown_names(name: str) -> None:
    with pytest.raises(DseError):
        load_space(name)
    with pytest.raises(UnknownName):
        load_space("nothing")


def test_a_space_name_must_name_networks() -> None:
    with pytest.raises(InvalidDesign, match=r"a space's name is .* got 'Bad Name'"):
        parse_space(one("identity"), "Bad Name")
