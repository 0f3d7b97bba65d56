"""The cheapest ways on from anywhere, against all designs of small spaces."""

from __future__ import annotations

import pickle
import random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dse.cost import Budget, count_block
from dse.errors import InvalidDesign, InvalidValue
from dse.ir import Shape
from dse.space import Decisions, Space, load_space, parse_space, space_names
from dse.space.bottleneck import find_bottleneck
from dse.space.least import PEAK, Least, metrics_of
from dse.space.steps import NOTHING
from tests.spaces import every, timed_or_not
from tests.timers import Blocked


def summed(space: Space) -> list[str]:
    return [metric for metric in metrics_of(space) if metric != PEAK]


def value(space: Space, decisions: Decisions, metric: str) -> float:
    return float(getattr(space.cost(decisions), metric))


@settings(deadline=None, max_examples=25)
@given(space=timed_or_not())
def test_the_smallest_is_the_smallest_of_all(space: Space) -> None:
    designs = list(every(space))
    assume(designs)
    for metric in metrics_of(space):
        least, decisions = space.smallest(metric)
        assert value(space, decisions, metric) == least
        assert least == min(value(space, design, metric) for design in designs)


@settings(deadline=None, max_examples=25)
@given(space=timed_or_not(), data=st.data())
def test_ways_on_from_decisions_are_the_cheapest_designs_with_them(
    space: Space, data: st.DataObject
) -> None:
    designs = list(every(space))
    assume(designs)
    one = data.draw(st.sampled_from(designs))
    known = dict(list(one.items())[: data.draw(st.integers(0, len(one)))])
    alike = [d for d in designs if known.items() <= d.items()]
    for metric in summed(space):
        least = Least(space, (metric,))
        [way] = least.ways(least.steps.start, known)
        assert way.spent == (min(value(space, d, metric) for d in alike),)
        assert value(space, {**known, **way.decisions()}, metric) == way.spent[0]


@settings(deadline=None, max_examples=25)
@given(space=timed_or_not(), data=st.data())
def test_limits_that_hold_together_are_told_from_those_that_do_not(
    space: Space, data: st.DataObject
) -> None:
    designs = list(every(space))
    assume(designs)
    one, other = (data.draw(st.sampled_from(designs)) for _ in range(2))
    limits = {
        metric: value(space, other if metric in ("macs", "latency_ms") else one, metric)
        for metric in summed(space)
    }
    least = Least(space, tuple(limits), limits)
    ways = least.ways(least.steps.start, {})
    fitting = [d for d in designs if Budget(**limits).admits(space.cost(d))]
    assert bool(ways) == bool(fitting)
    for way in ways:
        assert Budget(**limits).admits(space.cost(way.decisions()))


@pytest.mark.parametrize("name", space_names())
def test_steps_add_up_to_the_whole(name: str) -> None:
    space = load_space(name).timed_by(Blocked())
    rng = random.Random(3)
    for _ in range(20):
        decisions = space.sample(rng)
        at, known, parts = space.steps.start, Decisions(), [NOTHING]
        while at.alpha is None or at.agenda is not None:
            asked = space.steps.open(at, known)
            if asked is None:
                at, cost = space.steps.advance(at, known)
                parts.append(cost)
            else:
                known[asked[0]] = decisions[asked[0]]
        assert list(known.items()) == list(decisions.items())
        whole = space.cost(decisions)
        for metric in summed(space):
            assert sum(getattr(part, metric) or 0 for part in parts) == getattr(whole, metric)
        assert max(part.peak_activation_bytes for part in parts) == whole.peak_activation_bytes


@pytest.mark.parametrize("name", space_names())
def test_no_random_design_and_no_neighbour_is_smaller_than_the_smallest(name: str) -> None:
    space = load_space(name)
    rng = random.Random(4)
    for metric in ("params", "macs"):
        least, decisions = space.smallest(metric)
        assert value(space, decisions, metric) == least
        for asked, choice in space.choices().items():
            if asked in decisions:
                for option in choice.values():
                    changed = space.complete({**decisions, asked: option}, rng)
                    assert value(space, changed, metric) >= least, (asked, option)


@pytest.mark.parametrize("name", ["fire", "hl-cnn", "spp-covid"])
def test_no_neighbour_is_faster_than_the_fastest(name: str) -> None:
    """On a device where fewer channels may take longer."""
    space = load_space(name).timed_by(Blocked())
    rng = random.Random(5)
    least, decisions = space.smallest("latency_ms")
    assert value(space, decisions, "latency_ms") == least
    for asked, choice in space.choices().items():
        if asked in decisions:
            for option in choice.values():
                changed = space.complete({**decisions, asked: option}, rng)
                assert value(space, changed, "latency_ms") >= least, (asked, option)
    assert least <= min(value(space, space.sample(rng), "latency_ms") for _ in range(100))


def test_a_timer_tells_what_a_network_takes() -> None:
    space, timer = load_space("hl-cnn"), Blocked()
    rng = random.Random(6)
    for _ in range(10):
        decisions = space.sample(rng)
        network, cost = space.timed_by(timer).evaluate(decisions)
        shapes, spent = [network.input], timer.base_ms
        for node, sources in zip(network.nodes, network.sources(), strict=True):
            inputs = tuple(shapes[source + 1] for source in sources)
            spent += timer.block_ms(node.block, inputs, network.classes)
            dies = (True,) * len(inputs)
            shapes.append(count_block(node.name, node.block, inputs, dies, network.classes)[0])
        assert cost.latency_ms == pytest.approx(spent)
        assert space.cost(decisions).latency_ms is None


def test_a_space_that_was_sent_elsewhere_walks_alike() -> None:
    space = load_space("fire")
    least = space.smallest("params")
    sent = pickle.loads(pickle.dumps(space))
    assert sent.smallest("params") == least
    assert sent.evaluate(least[1])[1] == space.cost(least[1])


def test_an_unknown_metric_is_refused() -> None:
    with pytest.raises(InvalidValue, match="metric is one of params, macs"):
        load_space("fire").smallest("latency_ms")


def test_a_space_without_any_design_says_so() -> None:
    space = parse_space(
        """
        network:
          input: 3x4x4
          classes: 3
          nodes:
            - {name: wide, pool: {kernel: {choose: [2, 3]}, stride: 2}}
            - {name: wider, pyramid: {windows: [9]}}
            - {name: classifier, classifier: {}}
        """
    )
    with pytest.raises(InvalidDesign, match="no design for 3x4x4 and 3 classes can be built"):
        space.smallest("params")


def test_the_bottleneck_is_the_block_with_the_largest_share() -> None:
    space = load_space("lightweight").with_io(input=Shape((3, 32, 32)))
    _, decisions = space.smallest("params")
    decisions = space.walk(
        lambda name, choice: (
            {"head": "pool", "mix": "conv"}.get(name) or decisions.get(name, choice.values()[0])
        )
    )
    found = find_bottleneck(space, decisions, "params")
    assert found.block == "mix"
    assert found.decision == "mix"
    assert 0 < found.value <= space.cost(decisions).params
    assert "where the decision mix is at its cheapest, conv" in str(found)


def test_only_the_first_block_reads_the_image() -> None:
    """Cheaper without the stem, but then a second block reads the image, which is no network."""
    space = parse_space(
        """
        network:
          input: 3x8x8
          classes: 2
          nodes:
            - choose: {none: [], conv: {name: stem, conv: {channels: 16}}}
              name: stem
            - {name: split, identity: {}}
            - {name: left, conv: {channels: 4}}
            - {name: right, conv: {channels: 4}, inputs: split}
            - {name: sum, fusion: {}, inputs: [left, right]}
            - {name: pool, global_pool: {}}
            - {name: scores, classifier: {}}
        """,
        "split",
    )
    least, decisions = space.smallest("params")
    assert decisions == {"stem": "conv"}
    assert least == space.cost(decisions).params
