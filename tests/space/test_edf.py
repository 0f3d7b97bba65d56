"""Comparing spaces: distributions by hand, and what chance makes of equal ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.errors import InvalidValue
from dse.space.edf import compare

VALUES = st.lists(st.integers(0, 8).map(float), min_size=2, max_size=15)


def test_by_hand() -> None:
    found = compare([1.0, 2.0, 2.0, 4.0], [3.0, 4.0])
    assert found.a.steps == [(1.0, 0.25), (2.0, 0.75), (4.0, 1.0)]
    assert [found.a.share(x) for x in (0.9, 1.0, 1.5, 2.0, 4.0, 9.0)] == [0, 0.25, 0.25, 0.75, 1, 1]
    assert (found.a.least, found.a.median, found.a.most, found.a.mean) == (1, 2, 4, 2.25)
    assert found.distance == 0.75  # at 2: three of four, none of two
    assert found.difference == 3.5 - 2.25
    assert found.ranges is None


@given(VALUES, VALUES)
@settings(max_examples=40)
def test_what_holds_for_any_two_samples(a: list[float], b: list[float]) -> None:
    found = compare(a, b)
    shares = [abs(found.a.share(x) - found.b.share(x)) for x in (*a, *b)]
    assert found.distance == pytest.approx(max(shares))
    assert found.a.designs == len(a)
    assert found.a.steps[-1] == (max(a), pytest.approx(1))
    assert found.a.least <= found.a.median <= found.a.most
    low, high = found.a.mean_interval
    assert min(a) - 1e-9 <= low <= high <= max(a) + 1e-9
    back = compare(b, a)
    assert back.distance == pytest.approx(found.distance)
    assert back.difference == pytest.approx(-found.difference)


def test_equal_costs_make_the_weights_even() -> None:
    """Where both cost the same everywhere, costs change nothing."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, 100), rng.normal(0.5, 1, 100)
    costs = np.arange(100.0)
    plain, even = compare(a.tolist(), b.tolist()), compare(a.tolist(), b.tolist(), (costs, costs))
    assert even.a.mean == pytest.approx(plain.a.mean)
    assert even.distance == pytest.approx(plain.distance)
    assert even.ranges == 10


def test_what_larger_designs_achieve_is_not_their_spaces_doing() -> None:
    """Accuracy that hangs on cost alone: one space is merely larger."""
    rng = np.random.default_rng(1)
    small, large = rng.uniform(1, 10, 150), rng.uniform(4, 16, 150)

    def accuracy(costs: np.ndarray) -> list[float]:
        found: list[float] = (0.05 * costs + rng.normal(0, 0.05, len(costs))).tolist()
        return found

    a, b = accuracy(small), accuracy(large)
    assert compare(a, b).p_value < 1e-6
    fair = compare(a, b, (small.tolist(), large.tolist()))
    assert fair.p_value > 0.01
    assert abs(fair.difference) < 0.25 * compare(a, b).difference
    assert fair.a.designs < 150
    better = compare(a, [x + 0.1 for x in b], (small.tolist(), large.tolist()))
    assert better.p_value < 0.01
    assert better.difference_interval[0] > 0


@pytest.mark.parametrize("costs", [False, True])
def test_of_equal_spaces_few_come_out_apart(costs: bool) -> None:
    rng = np.random.default_rng(2)
    found = []
    for _ in range(20):
        a, b = rng.normal(size=30).tolist(), rng.normal(size=40).tolist()
        spent = (rng.uniform(1, 2, 30).tolist(), rng.uniform(1, 2, 40).tolist())
        found.append(compare(a, b, spent if costs else None).p_value)
    assert sum(p < 0.05 for p in found) <= 4
    assert np.mean(found) > 0.3


@pytest.mark.parametrize(
    ("a", "b", "costs", "words"),
    [
        ([1.0], [1.0, 2.0], None, "at least 2 designs, got 1"),
        ([1.0, float("nan")], [1.0, 2.0], None, "finite"),
        ([1.0, 2.0], [1.0, 2.0], ([1.0], [1.0, 2.0]), "got 1 for 2 designs"),
        ([1.0, 2.0], [1.0, 2.0], ([1.0, 1.0], [9.0, 9.0]), "one costs 1 to 1, the other 9 to 9"),
    ],
)
def test_what_cannot_be_compared(
    a: list[float],
    b: list[float],
    costs: tuple[list[float], list[float]] | None,
    words: str,
) -> None:
    with pytest.raises(InvalidValue, match=words):
        compare(a, b, costs)
