"""The grammar of spaces, one rule a test."""

from __future__ import annotations

import itertools
import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dse.cost import cost
from dse.errors import InvalidDesign
from dse.ir import Shape
from dse.network import Network
from dse.space import Categorical, Choice, Integer, Real, Size, Space, parse_space

END = [{"name": "pool", "global_pool": {}}, {"name": "classifier", "classifier": {}}]


def space_of(*nodes: Any, **network: Any) -> Space:
    """A space of these nodes, read from YAML, and a classifier."""
    body = {"input": "3x16x16", "classes": 3, **network, "nodes": [*nodes, *END]}
    return parse_space(yaml.safe_dump({"network": body}, sort_keys=False))


def conv(channels: Any, **fields: Any) -> dict[str, Any]:
    return {"conv": {"channels": channels, **fields}}


def names(network: Network) -> list[str]:
    return [node.name for node in network.nodes[: -len(END)]]


def widths(network: Network) -> list[int]:
    return [node.block.channels for node in network.nodes if hasattr(node.block, "channels")]


def every(space: Space) -> Iterator[dict[str, Any]]:
    """All decision vectors, by asking again and again."""
    forced: list[list[Any]] = [[]]
    while forced:
        prefix = forced.pop()
        asked: list[Any] = []

        def decide(
            name: str, choice: Choice, asked: list[Any] = asked, prefix: list[Any] = prefix
        ) -> Any:
            position = len(asked)
            if position < len(prefix):
                asked.append(prefix[position])
            else:
                first, *others = choice.values()
                forced.extend([*asked, other] for other in others)
                asked.append(first)
            return asked[-1]

        yield dict(space.walk(decide))


def first(space: Space, **chosen: Any) -> tuple[Network, dict[str, Any]]:
    """Follow `chosen`, elsewhere the first option."""
    decisions, network, _ = space.decide(lambda name, choice: chosen.get(name, choice.values()[0]))
    return network, decisions


# -- holes -----------------------------------------------------------------------------------------


def test_choose_and_between_become_choices() -> None:
    space = space_of(
        {
            "name": "stem",
            **conv(
                {"between": [8, 16], "step": 4},
                kernel={"choose": [1, 3]},
                stride={"between": [1, 2]},
            ),
        },
        scale={"between": [0.5, 1.0]},
    )
    assert space.choices() == {
        "scale": Real(0.5, 1.0),
        "stem.channels": Integer(8, 16, 4),
        "stem.kernel": Categorical((1, 3)),
        "stem.stride": Integer(1, 2),
    }


@pytest.mark.parametrize(
    ("hole", "choice"),
    [
        ({"between": [1, 64], "log": True}, Integer(1, 64, 1, True)),
        ({"between": [3, 3]}, Integer(3, 3)),
        ({"choose": [8]}, Categorical((8,))),
    ],
)
def test_forms_of_integer_holes(hole: dict[str, Any], choice: Choice) -> None:
    assert space_of(conv(hole)).choices() == {"conv.channels": choice}


def test_floats_make_real_ranges() -> None:
    space = space_of(conv(4), scale={"between": [1, 2], "step": 0.5, "name": "alpha"})
    assert space.choices()["alpha"] == Real(1.0, 2.0, 0.5)
    assert widths(space.bind({"alpha": 1.5})) == [6]
    assert space.bind({"alpha": 1}) == space.bind({"alpha": 1.0})


def test_scale_rounds_as_networks_do() -> None:
    space = space_of(conv(5), {"fire": {"squeeze": 3, "expand1x1": 5, "expand3x3": 7}}, scale=0.5)
    plain = space_of(conv(5), {"fire": {"squeeze": 3, "expand1x1": 5, "expand3x3": 7}})
    assert space.bind({}) == plain.bind({}).scaled(0.5)


def test_a_shared_name_is_one_decision() -> None:
    hole = {"choose": [4, 8], "name": "width"}
    space = space_of(conv(hole), conv(hole))
    assert list(space.choices()) == ["width"]
    assert widths(space.bind({"width": 8})) == [8, 8]


def test_labels_relate_fields() -> None:
    space = space_of(
        {
            "fire": {
                "squeeze": {"choose": {16: 2, 32: 4}, "name": "expand"},
                "expand1x1": {"choose": [16, 32], "name": "expand"},
                "expand3x3": {"choose": [16, 32], "name": "expand"},
            }
        }
    )
    block = space.bind({"expand": 32}).nodes[0].block
    assert block.document() == {"fire": {"squeeze": 4, "expand1x1": 32, "expand3x3": 32}}


def test_conditional_holes_are_asked_when_reached() -> None:
    space = space_of(
        conv(8),
        {
            "name": "attention",
            "choose": {
                "none": [],
                "se": {"squeeze_excite": {"reduction": {"choose": [2, 4]}}},
            },
        },
    )
    found = sorted(every(space), key=str)
    assert found == [
        {"attention": "none"},
        {"attention": "se", "attention.se.reduction": 2},
        {"attention": "se", "attention.se.reduction": 4},
    ]
    assert names(first(space, attention="none")[0]) == ["conv"]
    assert names(first(space, attention="se")[0]) == ["conv", "squeeze_excite"]


def test_nested_blocks_may_be_chosen() -> None:
    attention = {
        "choose": {
            "none": None,
            "se": {"squeeze_excite": {"reduction": {"choose": [2]}}},
            "eca": "eca",
        }
    }
    space = space_of({"name": "body", "inverted": {"channels": 4, "attention": attention}})
    found = [space.bind(decisions).nodes[0].block for decisions in every(space)]
    assert {block.attention.kind if block.attention else None for block in found} == {  # type: ignore[attr-defined]
        None,
        "squeeze_excite",
        "eca",
    }
    assert "body.attention.se.reduction" in space.choices()


def test_lists_may_hold_holes() -> None:
    space = parse_space(
        """
        network:
          input: 3x16x16
          classes: 3
          nodes:
            - adaptive_pyramid: {levels: [{choose: [2, 3]}, 1]}
            - classifier
        """
    )
    assert space.bind({"adaptive_pyramid.levels.0": 3}).nodes[0].block.levels == (3, 1)  # type: ignore[attr-defined]


# -- nodes -----------------------------------------------------------------------------------------


def test_default_names_are_kinds_with_numbers() -> None:
    space = space_of(conv(4), conv({"choose": [4]}), conv(4))
    assert names(first(space)[0]) == ["conv", "conv2", "conv3"]
    assert list(space.choices()) == ["conv2.channels"]


@pytest.mark.parametrize(("depth", "expected"), [(0, []), (1, ["b.0"]), (3, ["b.0", "b.1", "b.2"])])
def test_repeat_makes_a_stage(depth: int, expected: list[str]) -> None:
    node = {"name": "b", **conv({"choose": [4, 8]}), "repeat": {"between": [0, 3], "name": "depth"}}
    network, decisions = first(space_of({"name": "stem", **conv(4)}, node), depth=depth)
    assert names(network) == ["stem", *expected]
    assert ("b.channels" in decisions) == (depth > 0)


def test_first_overrides_fields_of_the_first_copy() -> None:
    space = space_of(
        {
            "name": "b",
            **conv(4, stride={"choose": [1]}),
            "repeat": {"between": [1, 2]},
            "first": {"stride": {"choose": [2, 3]}},
        }
    )
    network, _ = first(space, **{"b.repeat": 2, "b.first.stride": 3})
    assert [node.block.stride for node in network.nodes[:2]] == [3, 1]  # type: ignore[attr-defined]
    _, decisions = first(space, **{"b.repeat": 1})
    assert "b.stride" not in decisions, "no other copy would have it"


def test_a_group_is_repeated_with_decisions_of_its_own() -> None:
    group = {
        "name": "stage",
        "repeat": {"between": [0, 2], "name": "stages"},
        "nodes": [
            {"name": "a", **conv({"choose": [4, 8]})},
            {"name": "b", **conv({"choose": [4, 8], "name": ".width"}), "repeat": 2},
            {"name": "c", **conv({"choose": [4, 8], "name": ".width"})},
            {"name": "d", **conv({"choose": [4, 8], "name": "all"})},
        ],
    }
    space = space_of(group)
    assert list(space.choices()) == [
        "stages",
        "stage1.a.channels",
        "stage1.width",
        "all",
        "stage2.a.channels",
        "stage2.width",
    ]
    chosen = {"stages": 2, "stage2.width": 8, "stage1.a.channels": 8}
    network, _ = first(space, **chosen)
    assert names(network) == [
        f"stage{n}_{name}" for n in (1, 2) for name in ("a", "b.0", "b.1", "c", "d")
    ]
    assert widths(network) == [8, 4, 4, 4, 4, 4, 8, 8, 8, 4]


def test_a_group_without_repeat_is_a_prefix() -> None:
    inner = {"name": "inner", "nodes": [conv({"choose": [4], "name": ".w"})], "repeat": 1}
    space = space_of({"name": "outer", "nodes": [conv({"choose": [4]}), inner]})
    assert names(first(space)[0]) == ["outer_conv", "outer_inner1_conv"]
    assert list(space.choices()) == ["outer.conv.channels", "outer.inner1.w"]


def test_a_group_in_a_candidate_is_called_by_its_path() -> None:
    group = {"name": "branch", "nodes": [conv({"choose": [4]})], "repeat": 1}
    space = space_of({"name": "tail", "choose": {"more": [group]}})
    assert list(space.choices()) == ["tail", "tail.more.branch1.conv.channels"]


def test_inputs_are_found_in_the_scope_and_around_it() -> None:
    branch = {
        "name": "stage",
        "repeat": 2,
        "nodes": [
            {"name": "split", "identity": {}},
            {"name": "left", **conv(4)},
            {"name": "right", **conv(4), "inputs": "split"},
            {"name": "fusion", "fusion": {}, "inputs": ["left", "right"]},
            {"name": "again", "fusion": {}, "inputs": ["fusion", "stem"]},
        ],
    }
    network = space_of({"name": "stem", **conv(4)}, branch).bind({})
    assert names(network)[:5] == [
        "stem",
        "stage1_left",
        "stage1_right",
        "stage1_fusion",
        "stage1_again",
    ]
    inputs = {node.name: node.inputs for node in network.nodes}
    assert inputs["stage1_right"] == ("stem",)
    assert inputs["stage2_right"] == ("stage1_again",)
    assert inputs["stage2_again"] == ("stage2_fusion", "stem")
    assert inputs["stage2_left"] == ()


def test_names_of_repeated_things_stand_for_their_end() -> None:
    nodes = [
        {"name": "stem", **conv(4)},
        {"name": "b", **conv(4), "repeat": {"between": [0, 2], "name": "depth"}},
        {"name": "side", **conv(4), "inputs": "stem"},
        {"name": "fusion", "fusion": {}, "inputs": ["b", "side"]},
    ]
    space = space_of(*nodes)
    assert space.bind({"depth": 2}).nodes[4].inputs == ("b.1", "side")
    assert space.bind({"depth": 0}).nodes[2].inputs == ("stem", "side")


def test_one_candidate_used_twice_gets_two_names() -> None:
    pool = {"name": "kind", "choose": {"max": {"name": "p", "pool": {}}, "blur": {"blur_pool": {}}}}
    network, decisions = first(space_of(conv(4), pool, conv(4), pool))
    assert names(network) == ["conv", "p", "conv2", "p2"]
    assert list(decisions) == ["kind"]


def test_yaml_aliases_share_text() -> None:
    space = parse_space(
        """
        network:
          input: 3x16x16
          classes: 3
          nodes:
            - conv: {channels: &w {choose: [4, 8]}}
            - conv: {channels: *w}
            - global_pool
            - classifier:
        """
    )
    assert list(space.choices()) == ["conv.channels", "conv2.channels"]


# -- blocks that do not fit ------------------------------------------------------------------------

POOL = {"name": "p", "pool": {}, "otherwise": "identity"}


@pytest.mark.parametrize(("size", "expected"), [(16, ["conv", "p"]), (1, ["conv"])])
def test_nothing_stands_where_a_block_does_not_fit(size: int, expected: list[str]) -> None:
    space = space_of(conv(4), POOL, input=f"3x{size}x{size}")
    assert names(space.bind({})) == expected


def test_each_copy_is_decided_by_itself() -> None:
    halvings = {**POOL, "repeat": {"between": [0, 9], "name": "depth"}}
    space = space_of(conv(4), halvings, conv(8))
    for depth in range(10):
        network = space.bind({"depth": depth})
        copies = [f"p.{copy}" for copy in range(min(depth, 4))]  # 16, 8, 4, 2, 1
        assert names(network) == ["conv", *copies, "conv2"]
        found = space.locate(network)
        assert found is not None
        assert space.bind(found) == network


def test_another_block_stands_where_one_does_not_fit() -> None:
    windows = {"choose": {"large": [7, 4], "small": [2]}, "name": "windows"}
    levels = {"choose": {"large": [2, 5], "small": [1]}, "name": "windows"}
    pyramid = {
        "name": "pyramid",
        "pyramid": {"windows": windows},
        "otherwise": {"adaptive_pyramid": {"levels": levels}},
    }
    space = parse_space(
        yaml.safe_dump(
            {
                "network": {
                    "input": "3x16x16",
                    "classes": 3,
                    "nodes": [conv(4), pyramid, {"classifier": {}}],
                }
            }
        )
    )
    assert list(space.choices()) == ["windows"]
    small = space.with_io(input=Shape((3, 6, 6)))
    for label, kinds in (("large", ("pyramid", "adaptive_pyramid")), ("small", ("pyramid",) * 2)):
        bound = [place.bind({"windows": label}) for place in (space, small)]
        assert tuple(network.nodes[1].block.kind for network in bound) == kinds
        assert [place.locate(n) for place, n in zip((space, small), bound, strict=True)] == [
            {"windows": label}
        ] * 2


def test_holes_of_both_blocks_are_decided() -> None:
    space = space_of(
        {
            "name": "p",
            "pool": {"kernel": {"choose": [2, 32]}},
            "otherwise": {"conv": {"channels": {"choose": [4, 8]}}},
        }
    )
    assert list(space.choices()) == ["p.kernel", "p.otherwise.channels"]
    assert space.size() == Size(4)
    for kernel, kind in ((2, "pool"), (32, "conv")):
        network = space.bind({"p.kernel": kernel, "p.otherwise.channels": 8})
        assert network.nodes[0].block.kind == kind
    with pytest.raises(InvalidDesign, match=r"'p.otherwise.channels' is missing"):
        space.bind({"p.kernel": 2})


def test_first_changes_the_other_block_of_the_same_kind() -> None:
    stage = {
        "name": "s",
        **conv(9, groups=3),
        "repeat": 2,
        "first": {"stride": {"choose": [1, 2]}},
        "otherwise": conv(9),
    }
    space = space_of(conv({"choose": [4, 6]}), stage)
    assert list(space.choices()) == ["conv.channels", "s.first.stride"]
    for channels, groups in ((4, [1, 3]), (6, [3, 3])):
        network = space.bind({"conv.channels": channels, "s.first.stride": 2})
        blocks = [node.block for node in network.nodes[1:3]]
        assert [block.groups for block in blocks] == groups  # type: ignore[attr-defined]
        assert [block.stride for block in blocks] == [2, 1]  # type: ignore[attr-defined]
        found = space.locate(network)
        assert found == {"conv.channels": channels, "s.first.stride": 2}


def test_the_name_of_nothing_stands_for_what_came_in() -> None:
    nodes = [
        {"name": "stem", **conv(4)},
        POOL,
        {"name": "side", **conv(4)},
        {"name": "fusion", "fusion": {}, "inputs": ["p", "side"]},
    ]
    inputs = {}
    for size in (1, 2):
        space = space_of(*nodes, input=f"3x{size}x{size}")
        network = space.bind({})
        inputs[size] = {node.name: node.inputs for node in network.nodes}
        assert space.locate(network) == {}
    assert inputs[1]["fusion"] == ("stem", "side")
    assert inputs[2]["fusion"] == ("p", "side")
    assert inputs[1]["side"] == inputs[2]["side"] == ()


def test_what_fits_nowhere_says_why() -> None:
    node = {"name": "p", "pool": {"kernel": 40}, "otherwise": {"pool": {"kernel": 30}}}
    with pytest.raises(InvalidDesign, match=r"p Pool: the pooling window .* window 30 on 3x16x16"):
        space_of(node).bind({})


# -- the space as a whole --------------------------------------------------------------------------

SMALL: dict[str, Callable[[], Space]] = {
    "plain": lambda: space_of(conv({"choose": [4, 8]}), conv({"between": [1, 3]})),
    "shared": lambda: space_of(
        conv({"choose": [4, 8], "name": "w"}),
        {"choose": {"no": [], "yes": conv({"choose": [4, 8], "name": "w"})}, "name": "more"},
        conv({"choose": [1, 2, 3]}),
    ),
    "table": lambda: space_of(
        {"choose": {"a": conv(4), "b": conv({"choose": [4, 8]})}, "name": "kind"},
        conv({"choose": {"a": {"choose": [1, 2, 3]}, "b": 4}, "name": "kind"}),
    ),
    "groups": lambda: space_of(
        {
            "name": "stage",
            "repeat": {"between": [0, 2], "name": "stages"},
            "nodes": [
                {
                    "name": "b",
                    **conv({"choose": [4, 8], "name": ".w"}),
                    "repeat": {"between": [0, 2]},
                    "first": {"stride": {"choose": [1, 2], "name": "s"}},
                },
                conv({"choose": [4, 8], "name": ".w"}),
            ],
        },
        scale={"choose": [0.5, 1.0]},
    ),
    "repeat by label": lambda: space_of(
        {
            "name": "b",
            **conv({"choose": [4, 8]}),
            "repeat": {"choose": {"few": 1, "many": {"between": [2, 4]}}, "name": "amount"},
        },
        conv({"choose": {"few": {"choose": [1, 2]}, "many": 3}, "name": "amount"}),
    ),
}


@pytest.mark.parametrize("name", SMALL)
def test_size_equals_enumeration(name: str) -> None:
    space = SMALL[name]()
    vectors = [tuple(sorted(decisions.items())) for decisions in every(space)]
    assert len(set(vectors)) == len(vectors)
    assert space.size().exact
    assert space.size().count == len(vectors)
    asked = set(itertools.chain.from_iterable(dict(vector) for vector in vectors))
    assert asked == set(space.choices())


MENU: list[dict[str, Any]] = [
    conv({"choose": [4, 8]}),
    conv({"choose": [4, 8], "name": "w"}),
    conv({"between": [2, 6], "step": 2}, stride={"choose": [1, 2], "name": "s"}),
    {**conv({"choose": [4, 8], "name": "w"}), "repeat": {"between": [0, 2], "name": "depth"}},
    {**conv(4, stride={"choose": {"a": 1, "b": 2}, "name": "kind"}), "repeat": {"choose": [1, 3]}},
    {
        "choose": {"a": [], "b": {"pool": {"kernel": 1, "stride": {"choose": [1, 2]}}}},
        "name": "kind",
    },
    {"choose": {"a": {"depthwise": {"channels": 4}}, "b": "eca", "c": {"choose": {"d": "eca"}}}},
    {"residual": {"channels": {"choose": {"a": 4, "b": {"choose": [4, 8]}}, "name": "kind"}}},
    {"pool": {"kernel": {"choose": [2, 5]}}, "otherwise": "identity", "repeat": {"choose": [1, 2]}},
    {
        **conv({"choose": [4, 6]}, groups={"choose": [2, 3]}),
        "otherwise": conv({"choose": [4, 8], "name": "w"}),
        "repeat": {"between": [0, 2], "name": "depth"},
        "first": {"stride": {"choose": [1, 2], "name": "s"}},
    },
    {
        "choose": {
            "fused": [
                {"name": "split", "pool": {"kernel": 9}, "otherwise": "identity"},
                {"name": "left", **conv(4), "repeat": {"choose": [1, 2]}},
                {"name": "right", **conv({"choose": [2, 4]}), "inputs": "split", "repeat": 2},
                {"name": "back", **conv(4)},
                {"name": "fusion", "fusion": {}, "inputs": ["back", "left"]},
            ]
        }
    },
]


@st.composite
def documents(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Some nodes of the menu, some of them in a repeated group, where names may be local."""
    some = st.lists(st.sampled_from(MENU), min_size=1, max_size=3)
    nodes = draw(some)
    if draw(st.booleans()):
        inner = json.dumps(draw(st.lists(st.sampled_from(MENU), min_size=1, max_size=2)))
        if draw(st.booleans()):
            # Decisions, not nodes: a node's name is local as it is.
            inner = re.sub(r'"name": "(w|s|kind|depth)"', r'"name": ".\1"', inner)
        repeat = draw(st.sampled_from([1, 2, {"between": [0, 2]}]))
        group = {"name": "stage", "repeat": repeat, "nodes": json.loads(inner)}
        nodes.insert(draw(st.integers(0, len(nodes))), group)
    return nodes


@given(documents(), st.sampled_from([1, {"choose": [1.0, 0.5], "name": "alpha"}]))
def test_any_space_is_counted_and_inverted(nodes: list[dict[str, Any]], scale: Any) -> None:
    space = space_of(*nodes, scale=scale)
    vectors = list(itertools.islice(every(space), 3000))
    if len(vectors) < 3000:
        assert space.size() == Size(len(vectors))
        assert set(itertools.chain.from_iterable(vectors)) <= set(space.choices())
    for decisions in vectors[:: max(1, len(vectors) // 20)]:
        network, spent = space.evaluate(decisions)
        assert spent == cost(network)
        found = space.locate(network)
        assert found is not None
        assert space.bind(found) == network


def test_what_is_alive_beside_a_stage_counts() -> None:
    space = space_of(
        {"name": "stem", **conv(16)},
        {"name": "wide", **conv(64), "repeat": 2},
        {"name": "narrow", **conv(4)},
        {"name": "side", **conv(4), "inputs": "stem"},
        {"name": "fusion", "fusion": {}, "inputs": ["narrow", "side"]},
    )
    network, spent = space.evaluate({})
    assert spent == cost(network)
    assert spent.peak_activation_bytes == 4 * 16 * 16 * (16 + 64 + 64)  # stem, wide.0, wide.1


@pytest.mark.parametrize("name", SMALL)
def test_locate_inverts_bind_everywhere(name: str) -> None:
    space = SMALL[name]()
    for decisions in every(space):
        network = space.bind(decisions)
        found = space.locate(network)
        assert found is not None
        assert space.bind(found) == network


def test_a_continuous_space_is_infinite() -> None:
    assert str(space_of(conv(8), scale={"between": [0.5, 1.5]}).size()) == "infinite"


def test_locate_takes_identities_and_other_names() -> None:
    space = space_of(conv({"choose": [4, 8]}))
    other = space_of({"name": "start", "identity": {}}, {"name": "other", **conv(8)}).bind({})
    assert space.locate(other) == {"conv.channels": 8}
    document: Mapping[str, Any] = {
        "name": "n",
        "input": "3x16x16",
        "classes": 3,
        "nodes": [{"name": "i", "identity": {}}, {"name": "c", **conv(8)}, *END],
    }
    assert space.locate(Network(**document)) == {"conv.channels": 8}


def test_locate_finds_scaled_ranges() -> None:
    space = space_of(
        conv({"between": [1, 64], "name": "w"}),
        conv({"between": [1, 64], "name": "w"}),
        scale={"choose": [1.0, 0.3]},
    )
    network = space.bind({"scale": 0.3, "w": 50})
    assert space.locate(network) == {"scale": 1.0, "w": 15}
    wide = space_of(conv({"between": [40, 64]}), scale={"choose": [0.3]})
    found = wide.locate(wide.bind({"scale": 0.3, "conv.channels": 50}))
    assert found is not None
    assert wide.bind(found) == wide.bind({"scale": 0.3, "conv.channels": 50})


def test_complete_keeps_what_can_be_kept() -> None:
    space = SMALL["table"]()
    decisions = space.complete({"kind": "b", "conv.channels": 2, "gone": 1}, random.Random(0))
    assert decisions["kind"] == "b"
    space.bind(decisions)


def test_with_io_changes_images_and_classes() -> None:
    space = SMALL["plain"]()
    other = space.with_io(input=Shape((1, 8, 8)), classes=7)
    network = other.bind({"conv.channels": 4, "conv2.channels": 3})
    assert (str(network.input), network.classes) == ("1x8x8", 7)
    assert space.input == (3, 16, 16)


def test_sampling_is_reproducible_and_valid() -> None:
    space = space_of(conv(4), {"pool": {"kernel": {"choose": [2, 64]}}})
    draws = [space.sample(random.Random(seed)) for seed in range(20)]
    assert draws == [{"pool2.kernel": 2}] * 20
    with pytest.raises(InvalidDesign, match=r"none of 1000 random designs .* window"):
        space_of(conv(4), {"pool": {"kernel": 64}}).sample(random.Random(0))


def test_check_says_how_many_designs_can_be_built() -> None:
    pool = {"pool": {"kernel": {"choose": [2, 64, 65]}}}
    [problem] = space_of(conv({"choose": [4, 8]}), pool).check(samples=100)
    assert "at least 60% of random designs can be built" in problem
    assert "otherwise: BLOCK" in problem
    assert space_of(conv({"choose": [4, 8]}), {**pool, "otherwise": "identity"}).check() == []
