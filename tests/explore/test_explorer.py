"""The answer to a move, and what it is made of."""

from __future__ import annotations

import json
import random

import pytest
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from dse.cost import Budget, cost
from dse.draw import svg
from dse.emit import emit
from dse.errors import InvalidDesign
from dse.explore.explorer import Explorer
from dse.explore.source import highlighted
from dse.network import parse_network
from dse.presets import load_preset, preset_names
from dse.space import load_space
from tests.explore.test_options import SPACES


def test_an_update_says_all_of_the_design() -> None:
    space = load_space("lightweight")
    explorer = Explorer(space, Budget(params=50_000))
    decisions = space.sample(random.Random(5))
    answer = json.loads(json.dumps(explorer.update(decisions, explorer.budget)))
    network, spent = space.evaluate(decisions)
    design = answer["design"]
    assert answer["decisions"] == decisions
    assert [hole["name"] for hole in answer["holes"]] == list(decisions)
    assert (design["params"], design["macs"]) == (spent.params, spent.macs)
    assert design["svg"] == svg(network)
    assert ("params" in design["over"]) == (spent.params > 50_000)
    assert sum(stage["params"] for stage in design["stages"]) == spent.params
    assert sum(stage["macs"] for stage in design["stages"]) == spent.macs
    assert sum(stage["blocks"] for stage in design["stages"]) == len(network.nodes)
    peaks = [stage["peak_activation_bytes"] for stage in design["stages"]]
    assert max(peaks) == spent.peak_activation_bytes


def test_an_impossible_design_keeps_its_decisions_and_says_why() -> None:
    explorer = Explorer(SPACES["narrow"])
    wanted = {"a.kernel": 5, "b.kernel": 3}
    answer = explorer.update(wanted, Budget())
    assert answer["design"] is None
    assert answer["problem"].startswith("b ")
    assert wanted.items() <= answer["decisions"].items()
    with pytest.raises(InvalidDesign, match="b "):
        explorer.source(wanted)


def test_the_source_is_the_emitted_one() -> None:
    space = load_space("fire")
    decisions = space.sample(random.Random(2))
    source = Explorer(space).source(decisions)
    network = space.bind(decisions)
    assert source["python"] == emit(network)
    assert parse_network(source["json"], "design") == network
    assert cost(parse_network(source["json"], "design")) == space.cost(decisions)


@pytest.mark.parametrize("name", preset_names())
def test_lines_are_highlighted_as_the_whole(name: str) -> None:
    source = emit(load_preset(name))
    whole = highlight(source, PythonLexer(), HtmlFormatter(nowrap=True))
    assert highlighted(source) == whole
