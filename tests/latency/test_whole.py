"""What whole networks say of kernels: sums of unknowns, and corrections that follow from them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.latency.predict import Predictor
from dse.latency.sums import Sums
from tests.latency.profiles import made_up, specimens, true_ms


def sums(count: int, noise: float, seed: int = 0) -> tuple[Sums, np.ndarray, np.ndarray]:
    """Observed sums of 30 unknowns of variance 1; the shares in each; the unknowns."""
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.ones(30), count)
    unknown = rng.normal(size=30)
    observed = shares @ unknown + noise * rng.normal(size=count)
    return Sums(observed, shares @ shares.T, np.full(count, noise**2)), shares, unknown


def test_unknowns_are_found_from_many_sums() -> None:
    found, shares, unknown = sums(300, 0.001)
    assert shares.T @ found.weights == pytest.approx(unknown, abs=0.05)


def test_where_nothing_was_observed_nothing_is_said() -> None:
    found, shares, _ = sums(10, 1e6)
    assert shares.T @ found.weights == pytest.approx(np.zeros(30), abs=1e-3)


@given(st.integers(0, 1000))
def test_left_out_is_what_a_fit_to_the_others_says(seed: int) -> None:
    found, shares, _ = sums(12, 0.1, seed)
    others = slice(1, None)
    rest = Sums(found.observed[others], found.covariance[others, others], found.noise[others])
    expected = shares[0] @ (shares[others].T @ rest.weights)
    assert found.left_out[0] == pytest.approx(expected, abs=1e-6)


def test_the_true_noise_is_the_likeliest() -> None:
    found, _, _ = sums(300, 0.1)
    likelihoods = {
        noise: replace(found, noise=np.full(300, noise**2)).likelihood
        for noise in (0.01, 0.03, 0.1, 0.3, 1.0)
    }
    assert max(likelihoods, key=likelihoods.__getitem__) == 0.1


def test_a_stray_counts_less() -> None:
    found, shares, unknown = sums(100, 0.01)
    strayed = found.observed.copy()
    strayed[7] += 5
    disturbed = replace(found, observed=strayed)

    def error(one: Sums) -> float:
        return float(np.abs(shares.T @ one.weights - unknown).mean())

    assert error(disturbed.without_strays()) < 0.5 * error(disturbed)


@pytest.mark.parametrize("kind", ["conv", "depthwise"])
def test_networks_tell_which_kernels_the_profiler_shows_wrong(kind: str) -> None:
    """Half as long again as it shows them; the others as it shows them."""
    kernels = tuple(
        replace(time, us=time.us / 1.5) if time.kernel.kind == kind else time
        for time in made_up().kernels
    )
    wrong = Predictor(replace(made_up(), kernels=kernels))
    alone = Predictor(replace(made_up(), kernels=kernels, networks=made_up().networks[:1]))

    def errors(predictor: Predictor) -> np.ndarray:
        return np.array([abs(predictor.network(n).ms / true_ms(n) - 1) for n in specimens(9, 20)])

    assert np.median(errors(wrong)) < 0.05
    assert errors(wrong).mean() < 0.6 * errors(alone).mean()
