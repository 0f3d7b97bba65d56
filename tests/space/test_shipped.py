"""What holds for every shipped space, by its mere existence."""

from __future__ import annotations

import itertools
import json
import pickle
import random

import pytest

from dse.cost import cost
from dse.errors import UnknownName
from dse.ir import Shape
from dse.network import Network, read_network
from dse.presets import load_preset
from dse.space import Space, load_space, space_names

INPUTS = [Shape((3, 64, 64)), Shape((3, 32, 32)), Shape((3, 224, 224)), Shape((1, 8, 8))]

HYBRIDS = [
    {"alpha": alpha, "delta": delta, "downsample": downsample}
    for alpha, delta, downsample in itertools.product(
        (1.0, 0.5, 0.25), (1, 2, 4), ("stride", "maxpool3", "fractional")
    )
]
PRESETS: list[tuple[str, dict[str, object]]] = [
    ("darkcovidnet", {}),
    ("hl-cnn", {}),
    ("mobilenet-v1", {}),
    ("mobilenet-v1", {"alpha": 0.5}),
    ("mobilenet-v2", {}),
    ("mobilenet-v3-large", {}),
    ("mobilenet-v3-small", {}),
    ("mobilenet-v3-small", {"last_attention": True}),
    ("res-squeezenet", {}),
    *(("shufflenet-v1", {"groups": groups}) for groups in (1, 2, 3, 4, 8)),
    ("shufflenet-v1", {"groups": 3, "alpha": 0.5}),
    ("spp-covid-net", {}),
    ("spp-covid-net", {"pools": 4}),
    ("squeezenet", {}),
    ("squeezenet-1.1", {}),
    *(("hybrid-mobilenet", arguments) for arguments in HYBRIDS),
]


@pytest.fixture(scope="module", params=space_names())
def space(request: pytest.FixtureRequest) -> Space:
    return load_space(request.param)


@pytest.fixture(scope="module")
def lightweight() -> Space:
    return load_space("lightweight")


def drawn(space: Space, count: int, seed: int) -> list[dict[str, object]]:
    rng = random.Random(seed)
    return [dict(space.sample(rng)) for _ in range(count)]


def test_the_shipped_spaces() -> None:
    assert set(space_names()) >= {"lightweight", "fire", "hl-cnn", "hybrid-mobilenet", "spp-covid"}


def test_an_unknown_space_is_named_with_its_neighbour() -> None:
    with pytest.raises(UnknownName, match=r"no space is called 'lightwait'.*'lightweight'"):
        load_space("lightwait")


def test_check_finds_no_problem(space: Space) -> None:
    assert space.about
    assert space.contains
    assert space.check() == []


def test_locate_inverts_bind(space: Space) -> None:
    for decisions in drawn(space, 25, seed=1):
        network = space.bind(decisions)
        found = space.locate(network)
        assert found is not None
        assert space.bind(found) == network


def test_bound_networks_stand_on_their_own(space: Space) -> None:
    """What the fast path builds passes the full validation, and costs what `dse.cost` says."""
    for decisions in drawn(space, 15, seed=2):
        network, spent = space.evaluate(decisions)
        read = read_network(json.loads(network.to_json()))
        assert read == network
        assert read.to_json() == network.to_json()
        assert spent == cost(network) == space.cost(decisions)


def test_choices_cover_what_walks_ask(space: Space) -> None:
    choices = space.choices()
    for decisions in drawn(space, 50, seed=3):
        for name, value in decisions.items():
            assert choices[name].accept(value) == value


def test_decisions_survive_json(space: Space) -> None:
    [decisions] = drawn(space, 1, seed=4)
    again = json.loads(json.dumps(decisions))
    assert again == decisions
    assert space.bind(again).to_json() == space.bind(decisions).to_json()


def test_binding_is_deterministic_across_loads(space: Space) -> None:
    [decisions] = drawn(space, 1, seed=5)
    assert load_space(space.name).bind(decisions).to_json() == space.bind(decisions).to_json()


def test_spaces_can_be_sent_to_other_processes(space: Space) -> None:
    [decisions] = drawn(space, 1, seed=7)
    space.bind(decisions)
    sent = pickle.loads(pickle.dumps(space))
    assert sent.choices() == space.choices()
    assert sent.bind(decisions).to_json() == space.bind(decisions).to_json()
    assert sent.locate(space.bind(decisions)) is not None


def test_smallest_is_below_every_sample(space: Space) -> None:
    least, decisions = space.smallest("params")
    assert space.cost(decisions).params == least
    assert least <= min(space.cost(d).params for d in drawn(space, 100, seed=6))


@pytest.mark.parametrize("input", INPUTS, ids=str)
def test_every_random_design_is_valid(space: Space, input: Shape) -> None:
    found = space.with_io(input).stats(samples=500)
    assert found.problems == {}
    assert found.valid == 1


@pytest.mark.slow
@pytest.mark.parametrize("input", INPUTS, ids=str)
def test_every_random_design_of_the_default_is_valid(lightweight: Space, input: Shape) -> None:
    assert lightweight.with_io(input).stats(samples=10_000, seed=1).problems == {}


@pytest.mark.parametrize(
    ("name", "arguments"), PRESETS, ids=lambda value: str(value) if isinstance(value, str) else None
)
@pytest.mark.parametrize("small", [False, True], ids=["own", "3x64x64"])
def test_presets_are_points_of_the_default(
    lightweight: Space, name: str, arguments: dict[str, object], small: bool
) -> None:
    size = {"input": "3x64x64", "classes": 3} if small else {}
    network = load_preset(name, **size, **arguments)
    decisions = lightweight.locate(network)
    assert decisions is not None
    bound: Network = lightweight.with_io(network.input, network.classes).bind(decisions)
    assert bound == network
    assert [node.block for node in bound.nodes] == [node.block for node in network.nodes]


@pytest.mark.parametrize("arguments", HYBRIDS, ids=str)
def test_all_hybrids_are_points_of_their_space(arguments: dict[str, object]) -> None:
    network = load_preset("hybrid-mobilenet", **arguments)
    assert network in load_space("hybrid-mobilenet")


def test_other_networks_are_not_points() -> None:
    assert load_space("fire").locate(load_preset("hl-cnn")) is None
    assert load_space("lightweight").locate(load_preset("mobilenet-v1", alpha=0.3)) is None
