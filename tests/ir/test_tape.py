"""The tape: scopes, paths, and the place in errors."""

from __future__ import annotations

import pytest

from dse.blocks import Conv, InvertedResidual, Residual, SqueezeExcite
from dse.errors import InvalidDesign
from dse.ir import Shape, Tape


def test_paths_are_labels_joined_by_dots() -> None:
    tape = Tape("t", 2, Shape((4, 8, 8)))
    block = InvertedResidual(channels=4, attention=SqueezeExcite())
    tape.call("stage1.0", block, tape.root.inputs[0])
    labelled = [path for path, step in tape.root.walk() if step.label]
    assert labelled == [
        "stage1.0.expand",
        "stage1.0.expand_bn",
        "stage1.0.depthwise",
        "stage1.0.depthwise_bn",
        "stage1.0.attention.reduce",
        "stage1.0.attention.expand",
        "stage1.0.project",
        "stage1.0.project_bn",
    ]


def test_an_error_begins_with_node_block_and_layer() -> None:
    tape = Tape("t", 2, Shape((4, 8, 8)))
    with pytest.raises(InvalidDesign, match=r"^stage2\.1 Conv conv: groups must divide"):
        tape.call("stage2.1", Conv(channels=8, groups=3), tape.root.inputs[0])


def test_an_error_in_a_nested_block_names_both() -> None:
    tape = Tape("t", 2, Shape((4, 8, 8)))
    block = InvertedResidual(channels=4, kernel=2)
    with pytest.raises(InvalidDesign, match=r"^a InvertedResidual: add needs .*4x8x8 and 4x9x9$"):
        tape.call("a", block, tape.root.inputs[0])


def test_own_label_is_empty_only_where_a_block_stands_alone() -> None:
    paths = {}
    for label in ("stem", "stage1.0"):
        tape = Tape("t", 2, Shape((4, 8, 8)))
        tape.call(label, Conv(channels=8, norm=False), tape.root.inputs[0])
        paths[label] = [path for path, step in tape.root.walk() if step.op.module]
    assert paths == {"stem": ["stem"], "stage1.0": ["stage1.0.conv"]}


def test_no_activation_and_no_dropout_record_nothing() -> None:
    tape = Tape("t", 2, Shape((4, 8, 8)))
    x = tape.root.inputs[0]
    assert tape.act("none", x) is x
    assert tape.dropout("dropout", x, 0.0) is x
    assert list(tape.root.steps()) == []


def test_a_structural_variant_has_a_title_of_its_own() -> None:
    titles = []
    for channels in (4, 8):
        tape = Tape("t", 2, Shape((4, 8, 8)))
        tape.call("a", Residual(channels=channels), tape.root.inputs[0])
        titles.append(tape.root.body[0].title)  # type: ignore[union-attr]
    assert titles == ["Residual", "ResidualDown"]
