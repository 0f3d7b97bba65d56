"""The main column: lanes, stages, repetitions, folds."""

from __future__ import annotations

from typing import Any

import pytest

from dse.cost import cost_by_block
from dse.draw import graph
from dse.draw.column import LONGEST
from dse.network import Network, read_network
from dse.presets import load_preset

from .reading import SVG, Drawing


def captions(drawn: Drawing) -> list[str | None]:
    return [text.text for text in drawn.root.findall(f"{SVG}text")]


def tall(drawn: Drawing, name: str) -> float:
    _, top, _, bottom = drawn.area(name)
    return bottom - top


def chain(*stage: dict[str, Any], **changes: Any) -> Network:
    """A stem of 8 channels, a stage, and a head."""
    return read_network(
        {
            "name": "chain",
            "input": "3x16x16",
            "classes": 3,
            "nodes": [
                {"name": "stem", "conv": {"channels": 8}},
                *({"name": f"stage.{i}", **block} for i, block in enumerate(stage)),
                *changes.get("after", []),
                {"name": "pool", "global_pool": {}},
                {"name": "classifier", "classifier": {}},
            ],
        }
    )


RESIDUAL: dict[str, Any] = {"residual": {"channels": 8}}


def test_branches_stand_beside_the_longest_path(branches: Network) -> None:
    drawn = Drawing(branches)
    left = {name: drawn.area(name)[0] for name in drawn.nodes}
    assert left["right"] != left["left"]
    assert {x for name, x in left.items() if name != "right"} == {left["left"]}
    inner = sum(len(inside.lines) for inside in drawn.insides)
    assert len(drawn.lines) - inner == graph(branches).number_of_edges()


def test_stages_are_framed_and_repetitions_small(branches: Network) -> None:
    drawn = Drawing(branches)
    assert len(drawn.frames) == 1
    assert "stage × 2" in captions(drawn)
    assert tall(drawn, "stage.1") < tall(drawn, "stage.0") == tall(drawn, "stem")


def test_a_long_run_is_its_first_a_count_and_its_last() -> None:
    network = load_preset("resnet-152")
    drawn = Drawing(network)
    stage = [name for name in drawn.nodes | drawn.folds if name.startswith("layer3.")]
    assert sorted(stage) == ["layer3.0", "layer3.1", "layer3.2 to layer3.34", "layer3.35"]
    texts = drawn.folds["layer3.2 to layer3.34"]
    hidden = [row for row in cost_by_block(network) if row.name.startswith("layer3.")][2:-1]
    assert "… 33 more" in texts
    assert f"{sum(row.cost.params for row in hidden):,} params" in texts
    assert "layer3 × 36" in captions(drawn)
    assert [t for t in drawn.tooltips if "33 × bottleneck (Bottleneck), 1024x14x14" in t]


def test_growing_channels_fold_and_show_where_they_end() -> None:
    drawn = Drawing(load_preset("densenet-201"))
    assert "1760x14x14" in drawn.folds["block3.1 to block3.46"]
    assert "1792x14x14" in drawn.nodes["block3.47"]
    assert drawn.height < 1500


@pytest.mark.parametrize(("blocks", "drawn_alone"), [(LONGEST, LONGEST), (LONGEST + 1, 2)])
def test_only_long_runs_fold(blocks: int, drawn_alone: int) -> None:
    drawn = Drawing(chain(*[RESIDUAL] * blocks))
    assert len([name for name in drawn.nodes if name.startswith("stage.")]) == drawn_alone
    assert len(drawn.folds) == (drawn_alone < blocks)


def test_a_block_that_differs_ends_a_run() -> None:
    other = {"residual": {"channels": 8, "activation": "relu6"}}
    drawn = Drawing(chain(*[RESIDUAL] * 3, other, *[RESIDUAL] * 3))
    assert drawn.folds == {}
    assert tall(drawn, "stage.3") == tall(drawn, "stage.4") == tall(drawn, "stem")
    assert tall(drawn, "stage.5") < tall(drawn, "stem")


def test_a_block_of_another_structure_ends_a_run_of_equal_fields() -> None:
    """The first of these widens the map and has a projected shortcut."""
    wide = {"residual": {"channels": 16}}
    drawn = Drawing(chain(*[wide] * 6))
    assert list(drawn.folds) == ["stage.2 to stage.4"]
    assert "A" in drawn.nodes["stage.0"]
    assert "B" in drawn.nodes["stage.1"]


def test_what_another_node_reads_is_not_folded() -> None:
    join: dict[str, Any] = {"name": "join", "fusion": {}, "inputs": ["stage.9", "stage.4"]}
    drawn = Drawing(chain(*[RESIDUAL] * 10, after=[join]))
    assert "stage.4" in drawn.nodes
    assert list(drawn.folds) == ["stage.1 to stage.3", "stage.6 to stage.8"]
    drawn.check()
