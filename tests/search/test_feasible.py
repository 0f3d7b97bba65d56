"""Only what fits: random designs, wishes that give way, and what is said if nothing fits."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from functools import cache
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dse.cost import Budget
from dse.errors import OverBudget
from dse.search.bounded import Walker, preferred
from dse.search.domain import Decisions, Exhausted
from dse.search.feasible import FeasibleSpace
from dse.space import Categorical, Choice, Integer, Real, Space, load_space, parse_space
from dse.space.least import Least, metrics_of
from tests.spaces import every, timed_or_not
from tests.timers import Blocked

NARROW = {
    "lightweight": [
        Budget(params=300),
        Budget(params=1e4, macs=1e6),
        Budget(macs=1e5, peak_activation_bytes=60_000),
    ],
    "hl-cnn": [Budget(params=2e4), Budget(params=6e4, macs=1e6)],
    "hybrid-mobilenet": [Budget(params=1.5e5), Budget(size_bytes=6e5, macs=3e6)],
    "fire": [Budget(params=6e3), Budget(params=3e4, peak_activation_bytes=200_000)],
    "spp-covid": [Budget(params=2.3e4), Budget(params=1e5, macs=5e6)],
}
"""Budgets that hardly any random design fits."""
CASES = [
    pytest.param(name, budget, id=f"{name}: {budget}")
    for name, budgets in NARROW.items()
    for budget in budgets
]


shipped = cache(load_space)
"""A space remembers what its blocks cost."""


@st.composite
def budgets(draw: st.DrawFn, designs: list[Decisions], space: Space) -> Budget:
    """Limits that some of the designs hold, alone if not together."""
    limits = {}
    for metric in draw(st.lists(st.sampled_from(metrics_of(space)), min_size=1, unique=True)):
        design = draw(st.sampled_from(designs))
        limits[metric] = float(getattr(space.cost(design), metric))
    return Budget(**limits)


@settings(deadline=None, max_examples=30)
@given(space=timed_or_not(), data=st.data(), seed=st.integers(0, 9))
def test_what_is_proposed_fits_and_what_fits_stays(
    space: Space, data: st.DataObject, seed: int
) -> None:
    designs = list(every(space))
    assume(designs)
    budget = data.draw(budgets(designs, space))
    domain = FeasibleSpace(space, budget)
    fitting = [design for design in designs if budget.admits(space.cost(design))]
    wishes: dict[str, Any] = {
        name: data.draw(st.sampled_from(list(choice.values())))
        for name, choice in space.choices().items()
        if data.draw(st.booleans())
    }
    rng = random.Random(seed)
    if not fitting:
        for ask in (lambda: domain.random(rng), lambda: domain.repair(wishes, rng)):
            with pytest.raises(Exhausted):
                ask()
        with pytest.raises(OverBudget):
            domain.check_reachable()
        return
    domain.check_reachable()
    repaired = domain.repair(wishes, rng)
    for decisions in (domain.random(rng), repaired):
        assert decisions in fitting
        assert domain.repair(decisions, rng) == decisions


@settings(deadline=None, max_examples=25)
@given(space=timed_or_not(), data=st.data(), seed=st.integers(0, 9))
def test_a_walk_within_the_bounds_comes_to_every_design_that_fits(
    space: Space, data: st.DataObject, seed: int
) -> None:
    designs = list(every(space))
    assume(designs)
    limits = data.draw(budgets(designs, space)).limits()
    limits.pop("peak_activation_bytes", None)
    walker = Walker(Least(space, tuple(limits), limits))
    rng = random.Random(seed)
    for design in designs[:: max(1, len(designs) // 20)]:
        walked = walker.walk(design, 0, rng)
        if Budget(**limits).admits(space.cost(design)):
            assert walked == design
        elif walked is not None:
            assert Budget(**limits).admits(space.cost(walked))


@pytest.mark.parametrize(("name", "budget"), CASES)
def test_narrow_budgets_are_held(name: str, budget: Budget) -> None:
    space = shipped(name)
    domain = FeasibleSpace(space, budget)
    domain.check_reachable()
    rng = random.Random(0)
    plain = [space.sample(rng) for _ in range(25)]
    assert sum(domain.fitting(decisions) is not None for decisions in plain) <= 2
    found = [domain.random(rng) for _ in range(8)]
    found += [domain.repair(wishes, rng) for wishes in plain[:8]]
    for decisions in found:
        assert budget.admits(space.cost(decisions))
        assert domain.repair(decisions, rng) == decisions
        assert domain.costs(decisions)["macs"] == space.cost(decisions).macs
    assert len({str(decisions) for decisions in found}) >= 4


@pytest.mark.slow
def test_the_walk_admits_designs_found_without_it() -> None:
    """The bounds of a large space are found from likely options alone; they shut out little."""
    space = shipped("lightweight")
    for limits in ({"params": 3e5}, {"macs": 1e7}):
        walker = Walker(Least(space, tuple(limits), limits))
        rng = random.Random(1)
        found = []
        while len(found) < 12:
            decisions = space.sample(rng)
            if Budget(**limits).admits(space.cost(decisions)):
                found.append(decisions)
        assert sum(walker.walk(decisions, 0, rng) == decisions for decisions in found) == 12


def test_small_changes_of_a_design_that_fits_keep_most_of_it() -> None:
    space = shipped("lightweight")
    domain = FeasibleSpace(space, Budget(params=2e4))
    rng = random.Random(2)
    choices = space.choices()
    kept = []
    for _ in range(20):
        design = domain.random(rng)
        name = rng.choice(list(design))
        wishes = {**design, name: choices[name].sample(rng)}
        repaired = domain.repair(wishes, rng)
        kept.append(sum(repaired.get(n) == wish for n, wish in wishes.items()) / len(wishes))
    assert sum(kept) / len(kept) > 0.85


def test_no_part_of_a_network_always_gives_way() -> None:
    space = parse_space(
        """
        network:
          input: 3x8x8
          classes: 3
          nodes:
            - {name: a, conv: {channels: {choose: [4, 32]}}}
            - {name: b, conv: {channels: {choose: [4, 32]}}}
            - {name: c, conv: {channels: {choose: [4, 32]}}}
            - {name: pool, global_pool: {}}
            - {name: classifier, classifier: {}}
        """
    )
    wishes = {"a.channels": 32, "b.channels": 32, "c.channels": 32}
    one_wide = max(space.cost({**dict.fromkeys(wishes, 4), name: 32}).params for name in wishes)
    domain = FeasibleSpace(space, Budget(params=one_wide))
    rng = random.Random(0)
    wide = {
        name for _ in range(40) for name, width in domain.repair(wishes, rng).items() if width == 32
    }
    assert wide == set(wishes)


def test_a_number_gives_way_to_the_nearest_that_fits(many: Space) -> None:
    wishes = {
        "stem.channels": 4,
        "width": 64,
        "body.kernel": 3,
        "body.repeat": 3,
        "pool.mode": "max",
    }
    limit = many.cost({**wishes, "width": 30}).params
    for seed in range(10):
        found = FeasibleSpace(many, Budget(params=limit)).repair(wishes, random.Random(seed))
        assert many.cost(found).params <= limit
        if all(found[name] == wishes[name] for name in wishes if name != "width"):
            assert 8 < int(found["width"]) <= 30
            break
    else:
        pytest.fail("never gave the width way alone")


def test_what_is_proposed_hangs_on_the_arguments_alone() -> None:
    space, budget = load_space("fire"), Budget(params=2e4)
    used = FeasibleSpace(space, budget)
    rng = random.Random(5)
    for _ in range(10):
        used.random(rng)
    fresh = FeasibleSpace(load_space("fire"), budget)
    for seed in range(5):
        assert used.random(random.Random(seed)) == fresh.random(random.Random(seed))
    program = (
        "import random, dse; from dse.search.feasible import FeasibleSpace;"
        "domain = FeasibleSpace(dse.load_space('fire'), dse.Budget(params=2e4));"
        "print([domain.random(random.Random(seed)) for seed in range(5)])"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed.strip() == str([fresh.random(random.Random(seed)) for seed in range(5)])


# -- latency ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["fire", "hl-cnn", "spp-covid"])
def test_a_slow_design_is_never_proposed(name: str) -> None:
    space = shipped(name).timed_by(Blocked())
    fastest, _ = space.smallest("latency_ms")
    rng = random.Random(0)
    plain = [space.sample(rng) for _ in range(40)]
    median = sorted(float(space.cost(each).latency_ms or 0) for each in plain)[20]
    for budget in (
        Budget(latency_ms=fastest),
        Budget(latency_ms=1.2 * fastest),
        Budget(latency_ms=median, params=1e5),
    ):
        domain = FeasibleSpace(space, budget)
        domain.check_reachable()
        found = [domain.random(rng) for _ in range(5)]
        found += [domain.repair(wishes, rng) for wishes in plain[:5]]
        for decisions in found:
            assert budget.admits(space.cost(decisions))
            assert domain.costs(decisions)["latency_ms"] == space.cost(decisions).latency_ms


# -- nothing fits -------------------------------------------------------------------------------


def test_the_decision_in_the_way_is_named() -> None:
    space = load_space("hybrid-mobilenet")
    least, _ = space.smallest("params")
    with pytest.raises(OverBudget) as caught:
        FeasibleSpace(space, Budget(params=1e4)).check_reachable()
    text = str(caught.value)
    assert "no design of the space hybrid-mobilenet for 3x32x32 images and 10 classes has" in text
    assert f"params <= 10,000; the smallest has {least:,.0f} ({least - 1e4:,.0f} over)" in text
    assert "of which" in text
    assert "are in 'stage5', where the decision downsample is at its cheapest, stride" in text


def test_the_decision_that_takes_the_time_is_named() -> None:
    space = shipped("hybrid-mobilenet").timed_by(Blocked())
    least, _ = space.smallest("latency_ms")
    limit = 0.9 * least
    with pytest.raises(OverBudget) as caught:
        FeasibleSpace(space, Budget(latency_ms=limit)).check_reachable()
    text = str(caught.value)
    assert f"has latency_ms <= {limit:.4g}; the smallest has {least:.4g} " in text
    assert f"({least - limit:.4g} over), of which 0." in text
    assert "where the decision" in text


def test_limits_that_exclude_each_other_are_named_together() -> None:
    space = parse_space(
        """
        network:
          input: 3x16x16
          classes: 3
          nodes:
            - name: body
              choose:
                flat: [{name: flatten, flatten: {}}]   # many parameters, few MACs
                deep:                                   # the other way round
                  - {name: one, conv: {channels: 8}}
                  - {name: pool, global_pool: {}}
            - {name: classifier, classifier: {}}
        """,
        "either",
    )
    flat, deep = (space.cost({"body": body}) for body in ("flat", "deep"))
    assert flat.params > deep.params
    assert flat.macs < deep.macs
    with pytest.raises(OverBudget) as caught:
        FeasibleSpace(space, Budget(params=deep.params, macs=flat.macs)).check_reachable()
    assert (
        f"has params <= {deep.params} and macs <= {flat.macs:,} together, though each alone can "
        f"be met; the design nearest to that has params = {flat.params:,}"
    ) in str(caught.value)
    FeasibleSpace(space, Budget(params=deep.params, macs=deep.macs)).check_reachable()


# -- options ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choice", "wish", "first"),
    [
        (Categorical((8, 64, 16, 32)), 16, [16, 8, 32, 64]),
        (Integer(1, 5), 2, [2]),
        (Integer(0, 1000, 10), 500, [500, 450, 550]),
        (Real(0.0, 1.0), 0.5, [0.5, 0.45, 0.55]),
        (Categorical(("a", "b")), "b", ["b", "a"]),
    ],
)
def test_the_nearest_options_come_first(choice: Choice, wish: Any, first: list[Any]) -> None:
    options = list(preferred(choice, wish, random.Random(0)))
    assert options[: len(first)] == pytest.approx(first) if wish != "b" else options == first
    assert all(choice.accept(option) is not None for option in options)
