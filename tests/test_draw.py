"""The network as a graph and as a drawing."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from dse.cost import cost
from dse.draw import IMAGE, graph, graph_of_ops, svg
from dse.network import Network, read_network
from dse.presets import load_preset, preset_names

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def branches() -> Network:
    """Two branches and a skip, so that lines pass beside boxes."""
    return read_network(
        {
            "name": "branches",
            "input": "3x32x32",
            "classes": 3,
            "nodes": [
                {"name": "stem", "conv": {"channels": 16}},
                {"name": "left", "conv": {"channels": 16}, "inputs": ["stem"]},
                {"name": "left_more", "conv": {"channels": 16}},
                {"name": "right", "conv": {"channels": 16}, "inputs": ["stem"]},
                {"name": "join", "fusion": {}, "inputs": ["left_more", "right"]},
                {"name": "again", "fusion": {}, "inputs": ["join", "stem"]},
                {"name": "stage.0", "conv": {"channels": 16}},
                {"name": "stage.1", "conv": {"channels": 16}},
                {"name": "pool", "global_pool": {}},
                {"name": "classifier", "classifier": {}},
            ],
        }
    )


def boxes(text: str) -> dict[str, list[str]]:
    """Each box's texts by its node's name, which begins its tooltip."""
    root = ElementTree.fromstring(text)
    groups = root.findall(f"{SVG}g[@class='node']")
    return {
        (g.findtext(f"{SVG}title") or "").partition(":")[0]: [
            "".join(t.itertext()) for t in g.findall(f"{SVG}text")
        ]
        for g in groups
    }


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


@pytest.mark.parametrize("name", preset_names())
def test_drawings_have_one_labelled_box_per_node(name: str) -> None:
    network = load_preset(name)
    drawn = boxes(svg(network))
    g = graph(network)
    assert list(drawn) == list(g)
    for node, texts in drawn.items():
        label = " ".join(texts)
        assert node[:17] in label
        assert g.nodes[node]["output"] in label
        assert g.nodes[node]["kind"] in label


def test_boxes_do_not_overlap_and_lie_inside(branches: Network) -> None:
    for network in (branches, load_preset("hl-cnn")):
        root = ElementTree.fromstring(svg(network))
        width, height = float(root.attrib["width"]), float(root.attrib["height"])
        rects = [
            tuple(float(r.attrib[k]) for k in ("x", "y", "width", "height"))
            for r in root.iter(f"{SVG}rect")
            if r.attrib.get("class") == "box"
        ]
        for i, (x, y, w, h) in enumerate(rects):
            assert x >= 0
            assert y >= 0
            assert x + w <= width
            assert y + h <= height
            for a, b, c, d in rects[i + 1 :]:
                assert x + w <= a or a + c <= x or y + h <= b or b + d <= y


def test_branches_stand_beside_the_longest_path(branches: Network) -> None:
    root = ElementTree.fromstring(svg(branches))
    names = list(graph(branches))
    lefts = [r.attrib["x"] for r in root.iter(f"{SVG}rect") if r.attrib.get("class") == "box"]
    at = dict(zip(names, lefts, strict=True))
    assert at["right"] != at["left"]
    assert {at[n] for n in names if n != "right"} == {at["left"]}
    edges = [p for p in root.iter(f"{SVG}path") if p.attrib["class"] == "edge"]
    assert len(edges) == graph(branches).number_of_edges()


def test_stages_are_framed_and_repetitions_small(branches: Network) -> None:
    root = ElementTree.fromstring(svg(branches))
    frames = [r for r in root.iter(f"{SVG}rect") if r.attrib.get("class") == "frame"]
    assert len(frames) == 1
    assert "stage × 2" in [t.text for t in root.findall(f"{SVG}text")]
    drawn = boxes(svg(branches))
    assert len(drawn["stage.1"]) < len(drawn["stem"])


def test_drawings_stand_alone_and_follow_the_scheme() -> None:
    text = svg(load_preset("squeezenet"))
    assert "prefers-color-scheme: dark" in text
    assert "href" not in text
    assert text.count("http") == 1  # the namespace
    assert "<script" not in text


def test_text_is_escaped(branches: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    # A network cannot hold such names today; the drawing does not rely on it.
    kind = type(branches.nodes[0].block)
    monkeypatch.setattr(kind, "kind", '<b>"&')
    text = svg(branches)
    ElementTree.fromstring(text)
    assert "<b>" not in text
    assert "&lt;b&gt;" in text
