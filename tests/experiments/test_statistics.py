"""Intervals and paired tests, against values worked out by hand and against their definitions."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.errors import InvalidValue
from dse.experiments.statistics import (
    corrected_t_test,
    estimate,
    holm,
    smallest_p,
    wilcoxon_test,
)

scores = st.lists(st.floats(-1, 1).map(lambda x: round(x, 3)), min_size=2, max_size=8)
shares = st.floats(0, 1)
p_values = st.lists(st.floats(0, 1), max_size=8)


def test_the_corrected_t_test_by_hand() -> None:
    """Mean 0.04, S² = 0.0004, (1/3 + 1/2) S² = 1/3000: t = 0.04 / sqrt(1/3000) = 2.1909 with 2
    degrees of freedom, for which p = 1 - t / sqrt(2 + t²).
    """
    t = 0.04 * math.sqrt(3000)
    assert corrected_t_test([0.02, 0.04, 0.06], 0.5) == pytest.approx(1 - t / math.sqrt(2 + t * t))


def test_two_units_by_hand() -> None:
    """One degree of freedom is Cauchy's distribution: p = 1 - 2/pi arctan t."""
    t = 0.03 / math.sqrt((1 / 2 + 0.25) * 0.0002)
    assert corrected_t_test([0.02, 0.04], 0.25) == pytest.approx(1 - 2 / math.pi * math.atan(t))


def test_without_shared_images_it_is_the_common_paired_t_test() -> None:
    from scipy import stats

    differences = [0.01, 0.05, -0.02, 0.03, 0.04]
    common = stats.ttest_1samp(differences, 0).pvalue
    assert corrected_t_test(differences, 0) == pytest.approx(common)
    assert corrected_t_test(differences, 0.25) > common


@pytest.mark.parametrize(
    ("accuracies", "mean", "variance", "deviation"),
    [
        ([0.912, 0.869, 0.916, 0.931, 0.885], "0.903", 0.000626, 0.0250),
        ([0.888, 0.909, 0.836, 0.914, 0.881], "0.886", 0.000944, 0.0307),
        ([0.897, 0.912, 0.735, 0.919, 0.899], "0.872", 0.00598, 0.0774),
        ([0.895, 0.911, 0.892, 0.935, 0.490], "0.825", 0.0353, 0.188),
        ([0.474, 0.926, 0.845, 0.904, 0.851], "0.800", 0.0343, 0.185),
        ([0.952, 0.948, 0.957, 0.959, 0.497], "0.863", 0.0419, 0.205),
        ([0.957, 0.940, 0.947, 0.947, 0.909], "0.940", 0.000335, 0.0183),
        ([0.957, 0.943, 0.943, 0.950, 0.938], "0.946", 0.0000531, 0.00729),
    ],
)
def test_variance_and_deviation_are_those_of_spp_covid_nets_table(
    accuracies: list[float], mean: str, variance: float, deviation: float
) -> None:
    """The paper prints the folds rounded to three digits; its variances have the divisor n - 1."""
    found = estimate(accuracies, 0.25)
    assert f"{found.mean:.3f}" == mean
    assert found.variance == pytest.approx(variance, rel=0.035)
    assert found.deviation == pytest.approx(deviation, rel=0.02)


def test_an_interval_by_hand() -> None:
    """Values 1, 2, 3: S² = 1, half width t(0.975, 2) sqrt(1/3 + 1/4), t = 4.302653."""
    found = estimate([1, 2, 3], 0.25)
    half = 4.302653 * math.sqrt(1 / 3 + 1 / 4)
    assert found.interval == pytest.approx((2 - half, 2 + half), rel=1e-6)


def test_one_value_has_no_spread_and_equal_ones_no_interval() -> None:
    assert estimate([0.9], 0.25).variance is None
    assert estimate([0.9], 0.25).interval is None
    equal = estimate([0.1 + 0.2, 0.3, 0.3], 0.25)
    assert (equal.variance, equal.interval) == (0.0, None)
    with pytest.raises(InvalidValue, match="at least one value"):
        estimate([], 0.25)


@pytest.mark.parametrize("differences", [[0.1, 0.1, 0.1], [0.0, 0.0], [0.3], []])
def test_what_does_not_scatter_is_no_evidence(differences: list[float]) -> None:
    assert corrected_t_test(differences, 0.25) == 1.0


@given(scores, shares)
def test_the_interval_and_the_t_test_agree(differences: list[float], share: float) -> None:
    """Zero lies outside the 95 % interval just where p is below 0.05."""
    interval = estimate(differences, share).interval
    p = corrected_t_test(differences, share)
    assert 0 <= p <= 1
    if interval is not None and abs(p - 0.05) > 1e-9:
        assert (interval[0] > 0 or interval[1] < 0) == (p < 0.05)


@given(scores, shares)
def test_the_sign_of_differences_does_not_matter(differences: list[float], share: float) -> None:
    turned = [-difference for difference in differences]
    assert corrected_t_test(turned, share) == pytest.approx(corrected_t_test(differences, share))
    assert wilcoxon_test(turned) == pytest.approx(wilcoxon_test(differences))


def test_wilcoxon_by_hand() -> None:
    """All of five differences have one sign: 2 of 32 ways are as extreme."""
    assert wilcoxon_test([0.01, 0.02, 0.03, 0.04, 0.05]) == pytest.approx(2 / 32)
    assert wilcoxon_test([0.0, 0.0]) == 1.0


def test_what_wilcoxon_can_reach() -> None:
    assert smallest_p("wilcoxon", 5, 1) == pytest.approx(0.0625)
    assert smallest_p("wilcoxon", 6, 1) == pytest.approx(0.03125)
    assert smallest_p("wilcoxon", 6, 3) == pytest.approx(0.09375)
    assert smallest_p("t", 2, 3) == 0.0
    assert smallest_p("t", 1, 3) == 1.0


def test_holm_by_hand() -> None:
    """0.01 x 4; then 0.02 x 3, below that 0.03 x 2 = 0.06 stays 0.06; last 0.5."""
    assert holm([0.5, 0.01, 0.03, 0.02]) == pytest.approx([0.5, 0.04, 0.06, 0.06])
    assert holm([]) == []


@given(p_values)
def test_holm_lies_between_none_and_bonferroni(values: list[float]) -> None:
    for corrected, value in zip(holm(values), values, strict=True):
        assert value <= corrected <= min(1.0, len(values) * value) + 1e-12


@given(p_values, st.randoms(use_true_random=False))
def test_holm_does_not_depend_on_the_order(values: list[float], random: object) -> None:
    order = list(range(len(values)))
    random.shuffle(order)  # type: ignore[attr-defined]
    corrected = holm(values)
    assert holm([values[i] for i in order]) == [corrected[i] for i in order]
