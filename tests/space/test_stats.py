"""Statistics of a space: intervals and histograms by hand, samples against the whole."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from dse.cost import Budget
from dse.space import load_space, parse_space
from dse.space.stats import METRICS, QUANTILES, histogram, interval
from tests.space.small import SHUFFLED, TINY
from tests.timers import Blocked


@given(st.integers(1, 500), st.floats(0, 1))
def test_intervals_are_wilsons(draws: int, share: float) -> None:
    hits = round(share * draws)
    expected = binomtest(hits, draws).proportion_ci(method="wilson")
    assert interval(hits, draws) == pytest.approx((expected.low, expected.high), abs=1e-6)


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=50))
def test_a_histogram_holds_every_value_once(values: list[int]) -> None:
    bars = histogram(values)
    assert sum(bar.designs for bar in bars) == len(values)
    assert (bars[0].low, bars[-1].high) == (min(values), max(values))
    for bar, after in pairwise(bars):
        assert bar.high == after.low
        assert bar.designs == sum(bar.low <= value < bar.high for value in values)


def test_stats_of_a_sample() -> None:
    space = load_space("hl-cnn")
    budget = Budget(params=3e5)
    found = space.stats(samples=400, seed=3, budget=budget)
    assert (found.samples, found.valid, found.problems) == (400, 1, {})
    low, high = found.feasible_interval
    assert 0 < low < found.feasible < high < 1
    assert set(found.quantiles) == set(found.histograms) == set(METRICS)
    for values in found.quantiles.values():
        assert tuple(values) == QUANTILES
        assert list(values.values()) == sorted(values.values())
    assert found.count is not None
    assert found.as_document()["count"]["designs"]["value"] == found.count.designs.value
    assert space.stats(samples=400, seed=3).count is None


def test_latency_is_a_metric_where_it_is_known() -> None:
    space = load_space("hl-cnn").timed_by(Blocked())
    free = space.stats(samples=150)
    assert set(free.quantiles) == {*METRICS, "latency_ms"}
    middle = free.quantiles["latency_ms"][0.5]
    found = space.stats(samples=150, budget=Budget(latency_ms=middle))
    assert 0.4 < found.feasible < 0.6
    assert found.count is None


def test_a_rare_share_is_found_by_other_means_than_the_sample() -> None:
    space = load_space("hl-cnn")
    rare = space.stats(samples=300, budget=Budget(params=3e4, macs=1e6))
    assert rare.feasible < 0.02
    assert rare.count is not None
    assert rare.count.share is not None
    assert 0 < rare.count.share.value < rare.feasible_interval[1]


def test_a_space_in_which_much_cannot_be_built() -> None:
    found = parse_space(SHUFFLED).stats(samples=500)
    assert 0 < found.valid < 1
    assert round(found.valid * 500) + sum(found.problems.values()) == 500
    assert found.feasible == found.valid


def test_a_continuous_range_is_sampled_and_not_counted() -> None:
    text = TINY.replace("scale: {choose: [0.5, 1.0]}", "scale: {between: [0.5, 1.0]}")
    found = parse_space(text).stats(samples=50, budget=Budget(params=2_000))
    assert found.count is None
    assert found.valid == 1
    assert 0 < found.feasible < 1
