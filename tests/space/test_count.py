"""Counting designs: against a list of all of them, and where there is no such list."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.cost import Budget, Cost
from dse.errors import InvalidDesign
from dse.space import Space, load_space, parse_space
from dse.space import count as counting
from dse.space.choices import Choice, Scalar
from dse.space.count import Estimate, count
from dse.space.many.chances import chances
from tests.space.small import SHUFFLED, TINY


def every_design(space: Space) -> list[tuple[float, Cost | None]]:
    """All decision vectors: the chance of a random walk to take each, and its cost if any."""
    found = []
    pending: list[list[int]] = [[]]
    while pending:
        path = pending.pop()
        met: list[tuple[int, float]] = []

        def decide(_: str, choice: Choice, path: list[int] = path, met: Any = met) -> Scalar:
            options = tuple(choice.values())
            at = path[len(met)] if len(met) < len(path) else 0
            met.append((len(options), chances(choice, len(options))[at]))
            return options[at]

        decisions = space.walk(decide)
        for step in range(len(path), len(met)):
            before = [*path, *[0] * (step - len(path))]
            pending += [[*before, other] for other in range(1, met[step][0])]
        try:
            cost = space.cost(decisions)
        except InvalidDesign:
            cost = None
        found.append((float(np.prod([chance for _, chance in met])), cost))
    return found


@pytest.fixture(scope="module", params=["tiny", "shuffled", "hybrid-mobilenet"])
def small(request: pytest.FixtureRequest) -> tuple[Space, list[tuple[float, Cost | None]]]:
    texts = {"tiny": TINY, "shuffled": SHUFFLED}
    known = request.param in texts
    space = parse_space(texts[request.param]) if known else load_space(request.param)
    return space, every_design(space)


@pytest.mark.parametrize("metric", ["params", "macs", "peak_activation_bytes", "size_bytes", None])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_exact_counts_are_those_of_listing_every_design(
    small: tuple[Space, list[tuple[float, Cost | None]]], metric: str | None, share: float
) -> None:
    space, designs = small
    built = [cost for _, cost in designs if cost is not None]
    limits = {}
    if metric is not None:
        limits = {metric: float(np.quantile([getattr(c, metric) for c in built], share))}
    budget = Budget(**limits)
    fitting = [chance for chance, cost in designs if cost is not None and budget.admits(cost)]
    found = count(space, budget)
    assert found.method == "exact"
    assert found.designs == Estimate(len(fitting))
    assert found.share is not None
    assert found.share.value == pytest.approx(sum(fitting))


def test_two_limits_hold_together(small: tuple[Space, list[tuple[float, Cost | None]]]) -> None:
    space, designs = small
    built = [cost for _, cost in designs if cost is not None]
    budget = Budget(
        params=float(np.median([c.params for c in built])),
        macs=float(np.median([c.macs for c in built])),
    )
    fitting = sum(cost is not None and budget.admits(cost) for _, cost in designs)
    assert count(space, budget).designs.value == fitting


@pytest.mark.parametrize("name", ["hybrid-mobilenet", "hl-cnn", "spp-covid", "fire"])
def test_without_a_budget_every_vector_of_a_sound_space_counts(name: str) -> None:
    space = load_space(name)
    found = count(space)
    assert found.designs.value == space.size().count
    assert found.share is not None
    assert found.share.value == pytest.approx(1)


def test_a_budget_that_nothing_fits_leaves_none() -> None:
    found = count(load_space("fire"), Budget(params=100))
    assert (found.designs, found.share) == (Estimate(0.0), Estimate(0.0))


@pytest.mark.parametrize("limits", [{"params": 5e5}, {"params": 4e4, "macs": 1e7}], ids=str)
@pytest.mark.parametrize("aim", ["weight", "chance"])
def test_estimates_scatter_around_the_exact_count(limits: dict[str, float], aim: str) -> None:
    """Thinned to a fraction of its rows, a census is right on average, and within its error."""
    census = counting._Census(load_space("spp-covid"), Budget(**limits))
    exact = getattr(census.run(counting._EXACT), aim)
    thinning = counting._Thinning(np.random.default_rng(1), aim)
    found = np.array([getattr(census.run((100, 5_000), thinning), aim) for _ in range(12)])
    error = found.std(ddof=1) / np.sqrt(len(found))
    assert 0 < error < 0.2 * exact
    assert abs(found.mean() - exact) < 4 * error


@pytest.mark.slow
def test_a_space_too_large_to_count_is_estimated_with_its_error() -> None:
    space = load_space("fire")
    budget = Budget(params=3e5)
    found = count(space, budget, share=True)
    assert found.method == "importance sampling"
    assert 0 < found.designs.error < 0.2 * found.designs.value
    assert found.designs.value < float(space.size().count)
    assert found.share is not None
    drawn = space.stats(samples=4_000, seed=1)
    fitting = space.stats(samples=4_000, seed=1, budget=budget)
    assert drawn.feasible == 1
    low, high = fitting.feasible_interval
    slack = 4 * found.share.error
    assert low - slack <= found.share.value <= high + slack


def test_estimates_repeat_by_seed() -> None:
    census = counting._Census(load_space("hl-cnn"), Budget(params=1e5))

    def run(seed: int) -> object:
        return census.run((50, 1_000), counting._Thinning(np.random.default_rng(seed), "weight"))

    assert run(3) == run(3)
    assert run(3) != run(4)


@settings(max_examples=50)
@given(
    weights=st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=60),
    most=st.integers(1, 59),
)
def test_chances_to_stay_are_proportional_or_certain(weights: list[float], most: int) -> None:
    wanted = np.array(weights)
    stay = counting._stay(wanted, most)
    assert (stay > 0).all()
    assert (stay <= 1).all()
    assert stay.sum() == pytest.approx(min(most, len(weights)))
    below = stay < 1 - 1e-9
    if below.any():
        ratios = stay[below] / wanted[below]
        assert ratios == pytest.approx(ratios[0])
        assert stay[~below] == pytest.approx(1)
        assert wanted[~below].min(initial=np.inf) >= wanted[below].max() * (1 - 1e-9)
