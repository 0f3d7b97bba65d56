"""`dse diff` as a user meets it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dse.cost import cost
from dse.diff import diff, nearest_preset
from dse.network import Network
from dse.presets import load_preset
from dse.runs import COST_KEYS, Run, Trial

OLD, NEW = load_preset("squeezenet"), load_preset("squeezenet-1.1")


def table(out: str) -> list[list[str]]:
    """The rows of the table, cut where two spaces or more stand."""
    lines = out.splitlines()[4 : out.splitlines().index("", 3)]
    return [[line[0], *(cell.strip() for cell in line[1:].split("  ") if cell)] for line in lines]


def write(network: Network, name: str = "mine.json") -> str:
    Path(name).write_text(network.to_json())
    return name


def test_the_table_says_what_each_difference_costs(dse: Any) -> None:
    said = dse("diff", "squeezenet", "squeezenet-1.1")
    assert said.code == 0
    assert said.err == ""
    lines = said.out.splitlines()
    assert lines[:3] == [
        "- squeezenet: 3x224x224, 1000 classes; 1,248,424 params, 818,924,576 MACs",
        "+ squeezenet-1.1: 3x224x224, 1000 classes; 1,235,496 params, 349,151,936 MACs",
        "",
    ]
    assert lines[3].split() == ["block", "what", "params", "MACs"]
    rows = table(said.out)
    change = "conv: channels 96 -> 64, kernel 7 -> 3"
    assert rows[0] == ["~", "conv1", change, "-12,416", "-146,373,984"]
    assert rows[1] == [" ", "pool1", "the same"]
    assert rows[4] == ["+", "pool3", "pool kernel=3 ceil_mode=true", "0", "0"]
    assert rows[-1] == [" ", "fire9 ... conv10", "2 blocks the same"]
    peak = diff(OLD, NEW).peak_activation_bytes
    assert lines[-1] == (
        "total: -12,928 params (-1.0 %), -469,772,640 MACs (-57.4 %), "
        f"{peak:,} bytes of peak activations (-34.2 %)"
    )
    numbers = [[int(cell.replace(",", "")) for cell in row[-2:]] for row in rows if row[0] != " "]
    assert [sum(column) for column in zip(*numbers, strict=True)] == [-12_928, -469_772_640]


def test_blocks_added_again_are_short(dse: Any) -> None:
    rows = table(dse("diff", "resnet-101", "resnet-152", "--image-size", 32).out)
    added = [row for row in rows if row[0] == "+"]
    assert [row[1:3] for row in added[:3]] == [
        ["layer2.4", "bottleneck channels=512"],
        ["layer2.5", "as above"],
        ["layer2.6", "as above"],
    ]
    assert {len(row) for row in added} == {5}  # each with its numbers
    assert [row[0] for row in rows] == [" ", *"+" * 4, " ", *"+" * 13, " "]


def test_nested_fields_kinds_and_wiring(dse: Any) -> None:
    def written(name: str, attention: str, down: str, order: str) -> None:
        stem = '{"name": "stem", "conv": {"channels": 8}}'
        body = f'{{"name": "body", "inverted": {{"channels": 8, "attention": {attention}}}}}'
        side = '{"name": "side", "conv": {"channels": 8, "kernel": 1}, "inputs": ["stem"]}'
        fused = f'{{"name": "fused", "fusion": {{}}, "inputs": [{order}]}}'
        ending = '{"name": "pool", "global_pool": {}}, {"name": "scores", "classifier": {}}'
        head = '"name": "made", "input": "3x16x16", "classes": 3'
        nodes = f'{stem}, {body}, {side}, {fused}, {{"name": "down", {down}}}, {ending}'
        Path(name).write_text(f'{{{head}, "nodes": [{nodes}]}}')

    excite = '{"squeeze_excite": {"reduction": 2}}'
    written("one.json", "null", '"pool": {"kernel": 3, "padding": 1}', '"body", "side"')
    written("two.json", excite, '"strided_conv": {}', '"side", "body"')
    rows = table(dse("diff", "one.json", "two.json").out)
    assert [row[:3] for row in rows if row[0] == "~"] == [
        ["~", "body", "inverted: attention none -> squeeze_excite(reduction=2)"],
        ["~", "fused", "fusion: reads body and side -> side and body"],
        ["~", "down", "pool kernel=3 padding=1 -> strided_conv"],
    ]


def test_no_difference_is_said(dse: Any) -> None:
    said = dse("diff", write(OLD.replaced(name="mine")), "squeezenet")
    lines = said.out.splitlines()
    assert lines[3] == "no difference: the two compute the same"
    assert lines[-1] == "total: 0 params, 0 MACs, 0 bytes of peak activations"
    assert dse("diff", "mine.json", "squeezenet", "--json").json["differences"] == []


def test_json_is_the_comparison(dse: Any) -> None:
    found = diff(OLD, NEW)
    document = dse("diff", "squeezenet", "squeezenet-1.1", "--json").json
    assert document == {**found.document(), "nearest": False}
    assert document["delta"] == {
        "params": found.params,
        "macs": found.macs,
        "peak_activation_bytes": found.peak_activation_bytes,
    }
    rows = document["differences"]
    for metric in ("params", "macs"):
        assert sum(row["delta"][metric] for row in rows) == document["delta"][metric]
    assert rows[0] == {
        "status": "changed",
        "a": {
            "name": "conv1",
            "kind": "conv",
            "block": OLD.nodes[0].block.document(),
        },
        "b": {
            "name": "conv1",
            "kind": "conv",
            "block": NEW.nodes[0].block.document(),
        },
        "changes": [
            {"field": "channels", "old": 96, "new": 64},
            {"field": "kernel", "old": 7, "new": 3},
        ],
        "delta": {"params": -12_416, "macs": -146_373_984},
    }
    added = next(row for row in rows if row["status"] == "added")
    assert (added["a"], added["b"]["name"]) == (None, "pool3")
    assert document["same"] + len(rows) == len(found.rows)


# -- the nearest preset -------------------------------------------------------------------------


def test_alone_a_design_is_compared_with_the_nearest_preset(dse: Any) -> None:
    mine = load_preset("hybrid-mobilenet", alpha=0.45, classes=3, input="3x48x48")
    said = dse("diff", write(mine))
    nearest = nearest_preset(mine)
    assert nearest.label == "hybrid-mobilenet (alpha=0.5)"
    line = said.out.splitlines()[1]
    assert line.startswith("+ hybrid-mobilenet (alpha=0.5): 3x48x48, 3 classes; ")
    assert line.endswith(f"; found as the nearest of {nearest.compared} presets and variants")
    document = dse("diff", "mine.json", "--json").json
    assert (document["a"], document["b"]) == ("mine.json", nearest.label)
    assert document["nearest"] is True
    assert document["delta"]["params"] == cost(nearest.network).params - cost(mine).params
    assert document["changes"] == []


def test_alone_a_preset_is_compared_with_another(dse: Any) -> None:
    document = dse("diff", "hybrid-mobilenet", "--set", "alpha=0.5", "--json").json
    assert document["a"] == "hybrid-mobilenet (alpha=0.5)"
    assert not document["b"].startswith("hybrid-mobilenet")
    small = dse("diff", "squeezenet", "--image-size", 64, "--classes", 3).out.splitlines()
    assert small[0].startswith("- squeezenet: 3x64x64, 3 classes; ")
    assert small[1].startswith("+ squeezenet-1.1: 3x64x64, 3 classes; ")


def test_trials_of_runs(dse: Any) -> None:
    network = load_preset("squeezenet", classes=3, input="3x64x64").scaled(0.5)
    run = Run(Path("runs/my"))
    run.save_settings({"winner": 3})
    spent = cost(network)
    run.append(
        Trial(
            trial=3,
            name="lightweight-1",
            state="finished",
            baseline=False,
            choices={},
            design=network.model_dump(mode="json", exclude_defaults=True),
            digest=network.digest,
            cost={key: getattr(spent, key) for key in COST_KEYS},
        )
    )
    said = dse("diff", "my#winner").out
    assert said.startswith("- my#winner: 3x64x64, 3 classes; ")
    assert "\n+ squeezenet: 3x64x64, 3 classes; " in said
    beside = dse("diff", "my#3", "squeezenet", "--json").json
    assert beside["changes"] == []
    assert dse("diff", "my#winner", "--json").json["differences"] == beside["differences"]


# -- which images and classes -------------------------------------------------------------------


def test_two_presets_have_their_own_images_and_classes(dse: Any) -> None:
    document = dse("diff", "squeezenet", "hybrid-mobilenet", "--json").json
    assert document["changes"] == [
        {"field": "input", "old": "3x224x224", "new": "3x32x32"},
        {"field": "classes", "old": 1000, "new": 10},
    ]
    row = table(dse("diff", "squeezenet", "hybrid-mobilenet").out)[0]
    assert row == ["~", "the network", "input 3x224x224 -> 3x32x32, classes 1000 -> 10"]


def test_images_and_classes_that_are_given_hold_for_both(dse: Any) -> None:
    out = dse("diff", "squeezenet", "hybrid-mobilenet", "--classes", 7, "--input", "1x96x80").out
    assert [line.split(";")[0] for line in out.splitlines()[:2]] == [
        "- squeezenet: 1x96x80, 7 classes",
        "+ hybrid-mobilenet: 1x96x80, 7 classes",
    ]


@pytest.mark.parametrize(
    ("arguments", "sizes"),
    [
        (["mine.json", "hl-cnn"], ["1x64x48, 5 classes"] * 2),
        (["hl-cnn", "mine.json"], ["1x64x48, 5 classes"] * 2),
        (["hl-cnn", "mine.json", "--classes", "9"], ["1x64x48, 9 classes"] * 2),
        (["mine.json", "hl-cnn", "--input", "3x80x80"], ["3x80x80, 5 classes"] * 2),
        (
            ["hl-cnn", "mine.json", "--image-size", "96"],
            ["3x96x96, 5 classes", "1x96x96, 5 classes"],
        ),
        (
            ["hl-cnn", "mine.json", "--set", "classes=8", "--set", "input=3x40x40"],
            ["3x40x40, 8 classes", "1x64x48, 5 classes"],
        ),
    ],
)
def test_a_preset_follows_the_design_beside_it(
    dse: Any, arguments: list[str], sizes: list[str]
) -> None:
    write(load_preset("spp-covid-net", classes=5, input="1x64x48"))
    lines = dse("diff", *arguments).out.splitlines()[:2]
    assert [line.split(": ")[1].split(";")[0] for line in lines] == sizes


# -- mistakes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("diff", ["missing argument 'a'"]),
        ("diff squezenet", ["did you mean 'squeezenet'?"]),
        ("diff squeezenet squeezenet-1.2", ["did you mean 'squeezenet-1.1'?"]),
        ("diff squeezenet hl-cnn --set alpha=1", ["no argument of squeezenet", "'alpha'"]),
        ("diff mine.json --set alpha=1", ["only a preset takes settings", "mine.json"]),
        ("diff mine.json hl-cnn --set alpha=1", ["only a preset takes settings"]),
        ("diff squeezenet hl-cnn --image-size 4", ["conv1", "kernel 7", "3x4x4"]),
        ("diff squeezenet --input 3x32x32 --image-size 32", ["not both"]),
        ("diff squeezenet mine.json --set classes=5 --classes 6", ["set twice"]),
        ("diff squeezenet no#1", ["no run is called 'no'"]),
    ],
)
def test_a_mistake_is_one_sentence(refused: Any, line: str, words: list[str]) -> None:
    write(OLD)
    sentence = refused(*line.split())
    for word in words:
        assert word in sentence


def test_comparing_imports_nothing_heavy(tmp_path: Path) -> None:
    heavy = ("torch", "optuna", "onnx", "onnxruntime", "sklearn", "plotly", "numpy")
    code = (
        "import sys; from dse.cli import main; sys.argv = ['dse', 'diff', 'hl-cnn']\n"
        "try: main()\nexcept SystemExit as end: print('ended', end.code)\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-2:] == ["ended 0", "[]"]
