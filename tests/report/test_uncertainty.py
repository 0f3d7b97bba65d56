"""Intervals by hand and by an independent implementation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dse.report.uncertainty import student, wilson


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_scipys(seen: tuple[int, int]) -> None:
    hits, count = seen
    found = wilson(hits / count, count)
    wanted = stats.binomtest(hits, count).proportion_ci(method="wilson")
    assert found == pytest.approx((wanted.low, wanted.high), abs=1e-6)
    assert 0 <= found[0] <= hits / count <= found[1] <= 1


@given(st.lists(st.floats(0, 1), min_size=2, max_size=40))
def test_student_is_scipys(values: list[float]) -> None:
    low, high = student(values)
    mean = sum(values) / len(values)
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    assert (low + high) / 2 == pytest.approx(mean)
    assert (high - low) / 2 == pytest.approx(half, abs=1e-12)
