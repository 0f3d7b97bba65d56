"""The panel: what blocks are inside, as their papers draw it."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from dse.draw.inside import dissect
from dse.draw.labels import words
from dse.ir import Shape, Tape
from dse.ir.ops import ChannelShuffle, LocalResponseNorm
from dse.network import Network, read_network
from dse.presets import load_preset

from .reading import Drawing, Inside, Op


def panel(name: str) -> dict[str, Inside]:
    """The insides of a preset by their titles."""
    return {inside.title: inside for inside in Drawing(load_preset(name)).insides}


def written(inside: Inside) -> list[str]:
    """What is written on the boxes, from top to bottom and left to right."""
    boxes = sorted(inside.ops, key=lambda op: (op.area[1], op.area[0]))
    return [", ".join(op.texts) for op in boxes if op.texts]


def columns(inside: Inside) -> list[list[str]]:
    """What is written on the boxes of each branch, from left to right."""
    found: dict[float, list[str]] = {}
    for op in sorted(inside.ops, key=lambda op: (op.area[0], op.area[1])):
        found.setdefault(op.area[0], []).append(", ".join(op.texts))
    return list(found.values())


def signs(inside: Inside) -> list[Op]:
    """The circles of sums and products, from top to bottom."""
    return sorted((op for op in inside.ops if op.is_sign), key=lambda op: op.area[1])


def arrows_to(inside: Inside, op: Op) -> list[tuple[float, float]]:
    """Where the lines end that point at a part, a few pixels from its border."""
    left, top, right, bottom = op.area
    ends = [line[-1] for line in inside.lines]
    return sorted((x, y) for x, y in ends if left - 6 <= x <= right + 6 and top - 6 <= y <= bottom)


def read(*nodes: dict[str, Any]) -> Network:
    ends = [{"name": "pool", "global_pool": {}}, {"name": "classifier", "classifier": {}}]
    stem = {"name": "stem", "conv": {"channels": 8}}
    document = {"name": "read", "input": "3x16x16", "classes": 3, "nodes": [stem, *nodes, *ends]}
    return read_network(document)


def test_simple_blocks_have_no_inside() -> None:
    assert panel("vgg-19-bn") == {}
    assert list(panel("squeezenet")) == ["Fire", "ConvClassifier"]


def test_inception_has_four_branches_side_by_side() -> None:
    inside = panel("googlenet")["Inception"]
    [concat] = [op for op in inside.ops if op.texts == ["concat"]]
    first, *others = columns(inside)
    assert first == ["1x1 conv, ReLU", "concat"]
    assert others == [
        ["1x1 conv, ReLU", "3x3 conv, ReLU"],
        ["1x1 conv, ReLU", "5x5 conv, ReLU"],
        ["3x3 max pool", "1x1 conv, ReLU"],
    ]
    assert len(arrows_to(inside, concat)) == 4
    assert inside.times == 9


@pytest.mark.parametrize(
    ("preset", "title"),
    [
        ("resnet-101", "Bottleneck"),
        ("mobilenet-v2", "InvertedResidual"),
        ("shufflenet-v1", "ShuffleUnit"),
        ("resnet-18", "Residual"),
    ],
)
def test_a_shortcut_goes_round_to_the_sum(preset: str, title: str) -> None:
    inside = panel(preset)[title]
    [plus] = signs(inside)
    aside, straight = arrows_to(inside, plus)
    assert straight[1] < plus.area[1]
    assert plus.area[1] < aside[1] < plus.area[3]
    boxes = [op for op in inside.ops if not op.is_sign]
    [shortcut] = [line for line in inside.lines if line[-1] == aside]
    assert min(x for x, _ in shortcut) < min(op.area[0] for op in boxes)
    assert shortcut[0][1] < min(op.area[1] for op in boxes)


def test_a_projected_shortcut_is_a_branch() -> None:
    inside = panel("resnet-152")["BottleneckDown"]
    shortcut, trunk, _ = columns(inside)
    assert shortcut == ["1x1 conv, s1/s2 → out, BN"]
    assert trunk == [
        "1x1 conv → out/4, BN, ReLU",
        "3x3 conv, s1/s2 → out/4, BN, ReLU",
        "1x1 conv → out, BN",
        "ReLU",
    ]


def test_a_dense_layer_normalises_first_and_keeps_its_input() -> None:
    inside = panel("densenet-201")["DenseLayer"]
    assert written(inside) == ["BN, ReLU, 1x1 conv → 128", "BN, ReLU, 3x3 conv → 32", "concat"]
    concat = inside.ops[-1]
    first, last = arrows_to(inside, concat)
    assert first[0] < inside.ops[0].area[0] < last[0]
    assert inside.times == 98


def test_squeeze_excite_stands_beside_the_map_that_it_weights() -> None:
    inside = panel("efficientnet-b0")["InvertedResidual + SqueezeExcite"]
    times, plus = signs(inside)
    trunk, side = columns(inside)[0], columns(inside)[-1]
    assert trunk == [
        "1x1 conv → 6·in, BN, SiLU",
        "3x3/5x5 depthwise, BN, SiLU",
        "1x1 conv → in, BN",
    ]
    assert side == ["global avg pool", "1x1 conv → in/4, SiLU", "1x1 conv → 6·in, sigmoid"]
    straight, weights = arrows_to(inside, times)
    assert straight[1] < times.area[1] < weights[1]
    assert times.area[2] < weights[0]
    assert times.area[0] == plus.area[0]


def test_a_shuffle_unit_shows_groups_shuffle_and_pool() -> None:
    inside = panel("shufflenet-v1")["ShuffleDown"]
    trunk, side = columns(inside)
    assert trunk == [
        "1x1 conv, g=3 → in/2, BN, ReLU",
        "channel shuffle",
        "3x3 depthwise, s2, BN",
        "1x1 conv, g=3 → in, BN",
        "concat",
        "ReLU",
    ]
    assert side == ["3x3 avg pool, s2"]


def test_a_pyramid_flattens_each_grid() -> None:
    assert columns(panel("spp-covid-net")["SpatialPyramid"]) == [
        ["7x7 max pool, flatten", "concat"],
        ["6x6 max pool, flatten"],
        ["4x4 max pool, flatten"],
    ]


def test_a_fusion_weights_each_of_its_inputs() -> None:
    drawn = Drawing(load_preset("hl-cnn"))
    [fusion] = [inside for inside in drawn.insides if inside.title == "LearnableFusion"]
    assert written(fusion) == ["alpha", "beta"]
    assert [len(arrows_to(fusion, sign)) for sign in signs(fusion)] == [2, 2, 2]
    assert drawn.text.count(">in 1<") == drawn.text.count(">in 2<") == 1


def test_a_fusion_of_a_map_with_itself_is_drawn_clear() -> None:
    """Its lines cross: what cannot be taken apart stands in one column."""
    drawn = Drawing(read({"name": "join", "fusion": {}, "inputs": ["stem", "stem"]}))
    [fusion] = drawn.insides
    assert [len(arrows_to(fusion, sign)) for sign in signs(fusion)] == [2, 2, 2]
    drawn.check()


def test_numbers_do_not_make_a_structure_but_ops_do() -> None:
    sizes: list[dict[str, Any]] = [
        {"channels": 8},
        {"channels": 24, "kernel": 5, "delta": 2},
        {"channels": 16, "stride": 2, "activation": "silu"},
        {"channels": 16, "kernel": 7, "activation": "none"},
    ]
    drawn = Drawing(read(*({"name": f"n{i}", "depthwise": s} for i, s in enumerate(sizes))))
    assert [(inside.badge, inside.times) for inside in drawn.insides] == [("A", 3), ("B", 1)]
    assert written(drawn.insides[0]) == [
        "3x3/5x5 depthwise, s1/s2, BN, ReLU/SiLU",
        "1x1 conv → out, BN, ReLU/SiLU",
    ]


def test_a_depthwise_convolution_of_one_channel_is_a_plain_one() -> None:
    blocks = [{"depthwise": {"channels": channels}} for channels in (8, 1, 8)]
    drawn = Drawing(read(*({"name": f"n{i}", **block} for i, block in enumerate(blocks))))
    assert [written(inside)[0] for inside in drawn.insides] == [
        "3x3 depthwise, BN, ReLU",
        "3x3 conv → 1, BN, ReLU",
    ]


def test_what_is_read_twice_carries_no_activation() -> None:
    tape = Tape("test", 2, Shape((4, 8, 8)))
    y = tape.conv("conv", tape.root.inputs[0], 4)
    tape.root.output = tape.relu(tape.add(tape.relu(y), y))
    parts = dissect(tape.root).parts
    assert [[words(step.op) for step in part.steps] for part in parts] == [
        [],
        ["conv"],
        ["act"],
        ["add"],
        ["act"],
    ]


def test_every_structure_has_its_letters_however_many() -> None:
    attentions: list[Any] = [
        None,
        {"eca": {}},
        {"squeeze_excite": {}},
        {"squeeze_excite": {"activation": "none"}},
    ]
    nodes, channels = [], 8
    settings = product(attentions, ("relu", "none"), (1, 6), (True, False))
    for number, (attention, activation, expansion, keeps) in enumerate(settings):
        channels = channels if keeps else 24 - channels
        fields = {"channels": channels, "activation": activation, "expansion": expansion}
        block = {**fields, **({"attention": attention} if attention else {})}
        nodes.append({"name": f"n{number}", "inverted": block})
    drawn = Drawing(read(*nodes))
    assert [i.badge for i in drawn.insides][24:28] == ["Y", "Z", "AA", "AB"]
    assert len(drawn.insides) == 32
    drawn.check()


def test_ops_without_a_text_of_their_own_have_their_words() -> None:
    assert words(LocalResponseNorm()) == "local response norm"
    assert words(ChannelShuffle(2)) == "channel shuffle"
