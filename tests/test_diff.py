"""What separates two networks."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

import dse
from dse.blocks import block_kinds
from dse.cost import cost
from dse.diff import Change, Row, diff, nearest_preset
from dse.diff.align import align, gap, least_distance
from dse.diff.part import Part, parts
from dse.errors import DseError, InvalidDesign
from dse.ir import Shape
from dse.network import Network, read_network
from dse.presets import load_preset, preset_names
from tests.strategies import KINDS, Nodes, blocks, networks


def network(*nodes: dict[str, Any], input: str = "3x16x16", classes: int = 4) -> Network:
    """A network of these nodes; the stem and the ending are there."""
    every = [
        {"name": "stem", "conv": {"channels": 8}},
        *nodes,
        {"name": "pool", "global_pool": {}},
        {"name": "classifier", "classifier": {}},
    ]
    return read_network({"name": "made", "input": input, "classes": classes, "nodes": every})


def conv(name: str, channels: int = 8, **fields: Any) -> dict[str, Any]:
    inputs = {"inputs": fields.pop("inputs")} if "inputs" in fields else {}
    return {"name": name, "conv": {"channels": channels, **fields}, **inputs}


def renamed(network: Network) -> Network:
    """The same network, its nodes called otherwise."""
    names = {node.name: f"node{i}" for i, node in enumerate(network.nodes)}
    nodes = [
        node.model_copy(
            update={"name": names[node.name], "inputs": tuple(names[n] for n in node.inputs)}
        )
        for node in network.nodes
    ]
    return network.replaced(nodes=nodes)


@st.composite
def edited(draw: DrawFn, network: Network) -> Network:
    """A network that differs in a few nodes, images or classes; or not, where no edit fits."""
    for _ in range(draw(st.integers(1, 3))):
        nodes: Nodes = renamed(network).model_dump(mode="json")["nodes"]
        at = draw(st.integers(0, len(nodes) - 1))
        block = draw(st.sampled_from(KINDS).map(block_kinds().__getitem__).flatmap(blocks))
        new = {"name": "new", **block.document()}
        match draw(st.sampled_from(["remove", "add", "replace", "input", "classes", "swap"])):
            case "remove":
                del nodes[at]
            case "add":
                nodes.insert(at, new)
            case "replace":
                nodes[at] = {**new, "name": nodes[at]["name"]}
            case "swap":
                nodes[at]["inputs"] = nodes[at].get("inputs", [])[::-1]
            case _:
                pass
        shape = Shape((network.input[0], network.input[1] + draw(st.integers(0, 2)), 12))
        try:
            network = network.replaced(
                nodes=nodes,
                input=draw(st.sampled_from([network.input, shape])),
                classes=draw(st.sampled_from([network.classes, 6])),
            )
        except DseError:
            continue
    return network


PAIRS = st.tuples(networks(), networks()) | networks().flatmap(
    lambda network: st.tuples(st.just(network), edited(network))
)


# -- laws ---------------------------------------------------------------------------------------


@given(pair=PAIRS)
@settings(max_examples=60)
def test_the_rows_sum_to_the_totals(pair: tuple[Network, Network]) -> None:
    a, b = pair
    found = diff(a, b)
    for metric in ("params", "macs", "peak_activation_bytes"):
        assert getattr(found, metric) == getattr(cost(b), metric) - getattr(cost(a), metric)
    assert sum(row.params for row in found.differences) == found.params
    assert sum(row.macs for row in found.differences) == found.macs
    assert all(row.params == row.macs == 0 for row in found.rows if row.status == "same")


@given(pair=PAIRS)
@settings(max_examples=60)
def test_there_is_no_difference_exactly_between_equal_networks(
    pair: tuple[Network, Network],
) -> None:
    a, b = pair
    found = diff(a, b)
    assert bool(found) == (a != b)
    assert bool(found.changes) == ((a.input, a.classes) != (b.input, b.classes))


@given(pair=PAIRS)
def test_every_node_has_its_row_in_order(pair: tuple[Network, Network]) -> None:
    a, b = pair
    if a == b:
        return
    rows = diff(a, b).rows
    assert [row.a for row in rows if row.a is not None] == list(a.nodes)
    assert [row.b for row in rows if row.b is not None] == list(b.nodes)
    for row in rows:
        assert (row.a is None) == (row.status == "added")
        assert (row.b is None) == (row.status == "removed")
        assert bool(row.changes) == (row.status == "changed")


@given(pair=PAIRS)
def test_the_other_way_round_everything_is_mirrored(pair: tuple[Network, Network]) -> None:
    a, b = pair
    there, back = diff(a, b), diff(b, a)
    mirror = {"same": "same", "changed": "changed", "added": "removed", "removed": "added"}
    turned = [
        Row(
            mirror[row.status],  # type: ignore[arg-type]
            row.b,
            row.a,
            tuple(Change(c.field, c.new, c.old) for c in row.changes),
            -row.params,
            -row.macs,
        )
        for row in back.rows
    ]

    # Between two pairs, what is removed comes first either way.
    def paired(rows: list[Row]) -> list[Row]:
        return [row for row in rows if row.a is not None and row.b is not None]

    assert paired(turned) == paired(list(there.rows))
    assert set(map(repr, turned)) == set(map(repr, there.rows))
    assert (there.params, there.macs) == (-back.params, -back.macs)


@given(network=networks())
def test_names_play_no_part(network: Network) -> None:
    assert not diff(network, network)
    found = diff(network, renamed(network))
    assert found.differences == ()
    assert not found


# -- the alignment ------------------------------------------------------------------------------


def cheapest(a: list[Part], b: list[Part]) -> int:
    """The least cost of any alignment, by trying all."""
    alone = {
        (i, j): align([one], [other]).cost for i, one in enumerate(a) for j, other in enumerate(b)
    }

    @cache
    def rest(i: int, j: int) -> int:
        options = [rest(i + 1, j) + gap(a[i])] if i < len(a) else []
        options += [rest(i, j + 1) + gap(b[j])] if j < len(b) else []
        if i < len(a) and j < len(b):
            options.append(rest(i + 1, j + 1) + alone[i, j])
        return min(options, default=0)

    return rest(0, 0)


@given(pair=PAIRS)
def test_no_alignment_is_cheaper(pair: tuple[Network, Network]) -> None:
    a, b = map(parts, pair)
    found = align(a, b)
    assert found.cost == cheapest(a, b)
    assert 0 <= least_distance(a, b) <= found.distance <= 1
    assert found.most == sum(map(gap, [*a, *b]))
    for one, other in zip(found.pairs, found.pairs[1:], strict=False):
        assert one[0] < other[0]
        assert one[1] < other[1]


def test_names_decide_between_equal_blocks() -> None:
    def stages(*names: str) -> Network:
        return network(*map(conv, names))

    found = diff(stages("one", "two", "three"), stages("one", "three"))
    assert statuses(found.differences) == ["-two"]
    found = diff(stages("body.0", "tail.0"), stages("body.0", "body.1", "tail.0"))
    assert statuses(found.differences) == ["+body.1"]


def test_resolution_decides_before_names() -> None:
    def halved(*names: str) -> Network:
        first, second, third = names
        pool = {"name": "halve", "pool": {}}
        return network(conv(first), pool, conv(second), conv(third))

    before = network(conv("one"), {"name": "halve", "pool": {}}, conv("two"))
    found = diff(before, halved("new", "one", "two"))
    names = ["stem", "one -> new", "halve", "+one", "two", "pool", "classifier"]
    assert statuses(found.rows) == names


@pytest.mark.parametrize(
    ("old", "new", "paired"),
    [
        ({"pool": {}}, {"strided_conv": {}}, True),
        ({"pool": {}}, {"blur_pool": {}}, True),
        ({"identity": {}}, {"squeeze_excite": {}}, True),
        ({"conv": {"channels": 8}}, {"depthwise": {"channels": 8}}, True),
        ({"conv": {"channels": 8}}, {"pool": {}}, False),  # one shrinks the map
        ({"identity": {}}, {"conv": {"channels": 12}}, False),  # one makes new channels
    ],
)
def test_another_kind_takes_a_blocks_place_where_it_does_the_same_service(
    old: dict[str, Any], new: dict[str, Any], paired: bool
) -> None:
    found = diff(network({"name": "here", **old}), network({"name": "here", **new}))
    body = [row for row in found.rows if "here" in statuses([row])[0]]
    if paired:
        assert [row.changes for row in body] == [(Change("kind", *old, *new),)]
    else:
        assert statuses(body) == ["-here", "+here"]


# -- what a row says ----------------------------------------------------------------------------


def statuses(rows: Any) -> list[str]:
    """``-name`` removed, ``+name`` added, ``old -> new`` or just the name of pairs."""
    texts = []
    for row in rows:
        if row.a is None or row.b is None:
            texts.append(f"+{row.b.name}" if row.a is None else f"-{row.a.name}")
        else:
            names = dict.fromkeys((row.a.name, row.b.name))
            texts.append(" -> ".join(names))
    return texts


def only(a: Network, b: Network) -> Row:
    """The one row in which they differ."""
    [row] = diff(a, b).differences
    return row


def test_fields_and_nested_fields() -> None:
    def body(**fields: Any) -> Network:
        return network({"name": "body", "inverted": {"channels": 8, **fields}})

    def attention(reduction: int) -> dict[str, Any]:
        return {"squeeze_excite": {"reduction": reduction}}

    row = only(body(attention=attention(4)), body(attention=attention(8), kernel=5))
    assert row.status == "changed"
    assert row.changes == (Change("kernel", 3, 5), Change("attention.reduction", 4, 8))
    row = only(body(), body(attention={"eca": {"kernel": 5}}))
    assert row.changes == (Change("attention", None, {"eca": {"kernel": 5}}),)
    row = only(body(attention={"eca": {}}), body(attention=attention(8)))
    assert [change.field for change in row.changes] == ["attention"]


def test_fields_that_change_nothing_are_no_difference() -> None:
    written, left_out = network(conv("body", padding=1)), network(conv("body"))
    assert not diff(written, left_out)
    more = network(conv("body"), conv("more"))
    assert statuses(diff(written, more).differences) == ["+more"]


def test_a_changed_input_is_named_where_it_changes_the_cost() -> None:
    a, b = load_preset("squeezenet"), load_preset("squeezenet-1.1")
    rows = {row.a.name: row for row in diff(a, b).rows if row.a is not None}
    assert rows["conv1"].changes == (Change("channels", 96, 64), Change("kernel", 7, 3))
    assert rows["fire2"].changes == (Change("input", "96x54x54", "64x55x55"),)
    assert rows["fire9"].status == "same"
    assert rows["pool8"].status == "removed"
    totals = cost(b).params - cost(a).params, cost(b).macs - cost(a).macs
    assert (diff(a, b).params, diff(a, b).macs) == totals


def test_images_and_classes() -> None:
    a = network(conv("body"), input="3x16x16", classes=4)
    b = network(conv("body"), input="3x8x8", classes=10)
    found = diff(a, b)
    assert found.changes == (Change("input", "3x16x16", "3x8x8"), Change("classes", 4, 10))
    rows = {row.a.name: row.changes for row in found.differences if row.a is not None}
    assert rows == {
        "stem": (Change("input", "3x16x16", "3x8x8"),),
        "body": (Change("input", "8x16x16", "8x8x8"),),
        "classifier": (Change("classes", 4, 10),),
    }


def fused(left: str, right: str, source: str = "stem") -> Network:
    branches = [conv("left", inputs=[source]), conv("right", kernel=1, inputs=[source])]
    return network(*branches, {"name": "sum", "fusion": {}, "inputs": [left, right]})


def test_wiring() -> None:
    row = only(fused("left", "right"), fused("right", "left"))
    assert row.changes == (Change("reads", ["left", "right"], ["right", "left"]),)
    assert (row.params, row.macs) == (0, 0)

    def beside(source: str) -> Network:
        nodes = [conv("left"), conv("right", inputs=[source])]
        return network(*nodes, {"name": "sum", "fusion": {}, "inputs": ["left", "right"]})

    row = only(beside("left"), beside("stem"))
    assert (row.a and row.a.name) == "right"
    assert row.changes == (Change("reads", ["left"], ["stem"]),)


def test_reading_past_an_added_block_is_no_other_wiring() -> None:
    short = network(conv("body.0"), conv("tail", 12))
    long = network(conv("body.0"), conv("body.1"), conv("tail", 12))
    assert statuses(diff(short, long).differences) == ["+body.1"]

    def forked(depth: int) -> Network:
        deep = [conv(f"deep.{i}", inputs=["stem"] if i == 0 else []) for i in range(depth)]
        fusion = {"name": "sum", "fusion": {}, "inputs": ["flat", f"deep.{depth - 1}"]}
        return network(conv("flat", kernel=1), *deep, fusion)

    assert statuses(diff(forked(1), forked(3)).differences) == ["+deep.1", "+deep.2"]


def test_an_identity_computes_nothing_to_read() -> None:
    nodes = [conv("left", inputs=["split"]), conv("right", kernel=1, inputs=["split"])]
    split = network(
        {"name": "split", "identity": {}},
        *nodes,
        {"name": "sum", "fusion": {}, "inputs": ["left", "right"]},
    )
    assert not diff(split, fused("left", "right"))
    wider = fused("left", "right").replaced(classes=9)
    assert statuses(diff(split, wider).differences) == ["-split", "classifier"]


def test_the_facade() -> None:
    a, b = dse.preset("resnet-101"), dse.preset("resnet-152")
    found = dse.diff(a, b)
    assert found.counts == {"same": len(a.nodes), "added": len(b.nodes) - len(a.nodes)}


# -- the nearest preset -------------------------------------------------------------------------


@pytest.mark.parametrize("name", preset_names())
def test_the_nearest_preset_of_a_preset_is_itself(name: str) -> None:
    itself = load_preset(name, input="3x64x64", classes=7)
    found = nearest_preset(renamed(itself).replaced(name="mine"))
    assert (found.distance, found.network) == (0, itself)
    other = nearest_preset(itself, excluding=name)
    assert other.network.name != name
    assert other.compared < found.compared


@pytest.mark.parametrize(
    ("changed", "label"),
    [
        (lambda: load_preset("squeezenet").scaled(0.75), "squeezenet"),
        (lambda: load_preset("resnet-101", input="1x40x40").scaled(0.5), "resnet-101"),
        (
            lambda: load_preset("hybrid-mobilenet", downsample="maxpool3", classes=3),
            "hybrid-mobilenet (downsample=maxpool3)",
        ),
        (
            lambda: load_preset("hybrid-mobilenet", alpha=0.45, downsample="fractional"),
            "hybrid-mobilenet (alpha=0.5 downsample=fractional)",
        ),
    ],
)
def test_a_changed_preset_is_nearest_to_what_it_was(
    changed: Callable[[], Network], label: str
) -> None:
    assert nearest_preset(changed()).label == label


@pytest.mark.slow
@given(network=networks())
@settings(max_examples=8)
def test_no_preset_is_nearer(network: Network) -> None:
    network = network.replaced(input=Shape((network.input[0], 64, 64)))
    found = nearest_preset(network)
    for name in preset_names():
        preset = load_preset(name, input=str(network.input), classes=network.classes)
        apart = align(parts(network), parts(preset)).distance
        assert apart >= found.distance
        if apart == found.distance:
            size = cost(network).params
            nearest = abs(cost(found.network).params - size)
            assert abs(cost(preset).params - size) >= nearest


def test_presets_that_cannot_take_the_images_are_passed_over() -> None:
    takes = set()
    for name in preset_names():
        with contextlib.suppress(DseError):
            takes.add(load_preset(name, input="3x1x1", classes=4).name)
    assert 0 < len(takes) < len(preset_names())
    assert nearest_preset(network(input="3x1x1", classes=4)).network.name in takes


def test_images_that_no_preset_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str, **arguments: Any) -> Network:
        raise InvalidDesign(f"{name} cannot take {arguments}")

    monkeypatch.setattr(import_module("dse.diff.nearest"), "load_preset", refuse)
    with pytest.raises(InvalidDesign, match="no preset can take 3x16x16 images and 4 classes"):
        nearest_preset(network())
