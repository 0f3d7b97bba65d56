"""The network as a graph of blocks, and of ops."""

from __future__ import annotations

import pytest

from dse.cost import cost
from dse.draw import IMAGE, graph, graph_of_ops
from dse.network import Network
from dse.presets import load_preset, preset_names


def test_hl_cnn_has_its_two_branches() -> None:
    g = graph(load_preset("hl-cnn"))
    assert set(g.successors("stage2.3")) == {"local", "stage3.0"}
    assert set(g.predecessors("fusion")) == {"local", "stage3.1"}
    assert g.nodes["local"] == {
        "kind": "depthwise",
        "output": "256x7x7",
        "params": 34_688,
        "macs": g.nodes["local"]["macs"],
        "stage": "",
    }
    assert g.nodes["stage2.3"]["stage"] == "stage2"
    assert g.nodes[IMAGE]["output"] == "3x224x224"
    assert list(g.successors(IMAGE)) == ["stem"]


@pytest.mark.parametrize("name", preset_names())
def test_graphs_hold_all_nodes_and_costs(name: str) -> None:
    network = load_preset(name)
    total = cost(network)
    g = graph(network)
    assert [n for n in g if n != IMAGE] == [node.name for node in network.nodes]
    for whole in (g, graph_of_ops(network)):
        assert sum(data["params"] for _, data in whole.nodes(data=True)) == total.params
        assert sum(data["macs"] for _, data in whole.nodes(data=True)) == total.macs


def test_ops_follow_the_data(branches: Network) -> None:
    g = graph_of_ops(branches)
    assert len(g) == 1 + len(list(branches.lower().steps()))
    assert g.nodes["1 stem.conv"]["kind"] == "Conv"
    assert g.nodes["1 stem.conv"]["stage"] == "stem"
    assert list(g.predecessors("1 stem.conv")) == [IMAGE]
    ends = [n for n in g if g.out_degree(n) == 0]
    assert [g.nodes[n]["output"] for n in ends] == ["3"]
