"""What holds for the drawing of any network."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.draw import IMAGE, graph, svg
from dse.ir import Scope
from dse.network import Network
from dse.presets import load_preset, preset_names
from tests.strategies import KINDS, minimal_networks, networks

from .reading import Drawing

every_preset = pytest.mark.parametrize("name", preset_names())


def check_contents(network: Network, drawn: Drawing) -> None:
    """Every block is drawn or counted, and every op of what has an inside."""
    g = graph(network)
    names = [IMAGE, *(node.name for node in network.nodes)]
    seen: list[str] = []
    for name in drawn.nodes | drawn.folds:
        first, _, last = name.partition(" to ")
        block = names[names.index(first) : names.index(last or first) + 1]
        seen += block
        texts = drawn.folds[name] if last else drawn.nodes[name]
        assert g.nodes[block[-1]]["output"] in texts
        if last:
            assert f"… {len(block)} more" in texts
            assert f"{sum(g.nodes[n]['params'] for n in block):,} params" in texts
    assert sorted(seen) == sorted(names)
    marked = Counter[str]()
    for scope in network.lower().body:
        assert isinstance(scope, Scope)
        badge = badge_of(scope.label, drawn, names)
        marked[badge] += 1
        inside = next((i for i in drawn.insides if i.badge == badge), None)
        steps = list(scope.steps())
        if inside is None:
            assert len([s for s in steps if s.op.heavy or len(s.inputs) > 1]) <= 1
        else:
            assert inside.title.startswith(scope.title)
            assert sum(len(op.names) for op in inside.ops) == len(steps)
    assert {i.badge: i.times for i in drawn.insides} == {b: n for b, n in marked.items() if b}


def badge_of(block: str, drawn: Drawing, names: list[str]) -> str:
    """The letters on the box of a block, or of the fold that holds it."""
    for name, texts in (drawn.nodes | drawn.folds).items():
        first, _, last = name.partition(" to ")
        if names.index(first) <= names.index(block) <= names.index(last or first):
            return next((text for text in texts if text.isupper() and text.isalpha()), "")
    raise AssertionError(f"{block} is not drawn")


@every_preset
def test_presets_are_drawn_whole_and_clear(name: str) -> None:
    network = load_preset(name)
    drawn = Drawing(network)
    check_contents(network, drawn)
    drawn.check()
    g = graph(network)
    for node, texts in drawn.nodes.items():
        label = " ".join(texts)
        assert node[:17] in label
        assert g.nodes[node]["kind"] in label
    assert drawn.text == svg(load_preset(name))


@given(network=networks(most=10))
def test_random_networks_are_drawn_whole_and_clear(network: Network) -> None:
    drawn = Drawing(network)
    check_contents(network, drawn)
    drawn.check()


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=10)
@given(data=st.data())
def test_every_block_is_drawn_whole_and_clear(kind: str, data: st.DataObject) -> None:
    network = data.draw(minimal_networks(kind))
    drawn = Drawing(network)
    check_contents(network, drawn)
    drawn.check()


def test_forks_and_skips_are_drawn_clear(branches: Network) -> None:
    drawn = Drawing(branches)
    check_contents(branches, drawn)
    drawn.check()


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
    drawn = Drawing(branches)
    assert "<b>" not in drawn.text
    assert "&lt;b&gt;" in drawn.text
