"""The sampler `auto`: what it proposes fits, hangs on the trials alone, and finds good points."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from statistics import mean
from typing import Any

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna._hypervolume import compute_hypervolume
from optuna.trial import TrialState

from dse.cost import Budget
from dse.search.auto import Auto
from dse.search.auto.beliefs import front_of
from dse.search.auto.encoding import Encoding, Floats
from dse.search.auto.gain import Gain
from dse.search.auto.points import Points
from dse.search.auto.reservoir import Reservoir
from dse.search.auto.settled import settled
from dse.search.auto.surrogate import Surrogate, squares
from dse.search.distributions import distribution_of
from dse.search.domain import Decisions, Exhausted
from dse.search.feasible import FeasibleSpace
from dse.space import Categorical, Choice, Integer, Real, Scalar, load_space

LIMIT = 60.0


def codes_of(encoding: Encoding, points: Sequence[Mapping[str, Any]]) -> Floats:
    return encoding.codes([encoding.levels(point) for point in points])


def key_of(decisions: Mapping[str, Any]) -> frozenset[tuple[str, Any]]:
    return frozenset(decisions.items())


class Stages:
    """A small domain: `groups` is decided only where `kind` is grouped, and size is limited."""

    def __init__(self, limit: float = LIMIT) -> None:
        self.limit = limit

    def choices(self) -> Mapping[str, Choice]:
        return {
            "width": Integer(1, 8),
            "depth": Integer(1, 4),
            "kernel": Categorical((3, 5, 7)),
            "kind": Categorical(("plain", "grouped")),
            "groups": Integer(1, 64, log=True),
            "alpha": Real(0.5, 1.0),
            "act": Categorical(("relu", "swish", "gelu")),
            "only": Integer(3, 3),
        }

    def random(self, rng: random.Random) -> Decisions:
        return self.repair({}, rng)

    def repair(self, wishes: Mapping[str, Scalar], rng: random.Random) -> Decisions:
        point: dict[str, Any] = {
            name: wishes[name] if name in wishes else choice.sample(rng)
            for name, choice in self.choices().items()
        }
        if point["kind"] == "plain":
            del point["groups"]
        while self.costs(point)["params"] > self.limit:
            name = rng.choice([name for name in ("width", "depth") if point[name] > 1])
            point[name] -= 1
        return point

    def costs(self, decisions: Mapping[str, Any]) -> Mapping[str, float]:
        params = decisions["width"] ** 2 * decisions["depth"] * decisions["alpha"]
        return {"params": params, "macs": params * decisions["kernel"]}

    def fits(self, point: Mapping[str, Any]) -> bool:
        named = set(self.choices()) - (set() if point["kind"] == "grouped" else {"groups"})
        return (
            set(point) == named
            and all(
                choice.accept(point[n]) is not None
                for n, choice in self.choices().items()
                if n in point
            )
            and self.costs(point)["params"] <= self.limit
        )


def accuracy(point: Mapping[str, Any]) -> float:
    """Larger is better, up to a point; one pair of decisions counts together."""
    together = 2.0 if (point["act"] == "swish") == (point["kernel"] == 5) else 0.0
    return float(
        together + np.log(point["width"] * point["depth"]) - 4 * (point["alpha"] - 0.8) ** 2
    )


AIMS: dict[tuple[str, ...], list[str]] = {
    ("accuracy",): ["maximize"],
    ("loss",): ["minimize"],
    ("params",): ["minimize"],
    ("accuracy", "macs"): ["maximize", "minimize"],
    ("macs", "params"): ["minimize", "minimize"],
    ("accuracy", "loss"): ["maximize", "minimize"],
    ("accuracy", "params", "macs"): ["maximize", "minimize", "minimize"],
}


def told(point: Mapping[str, Any], aims: Sequence[str]) -> list[float]:
    costs = Stages().costs(point)
    own = {"accuracy": accuracy(point), "loss": abs(accuracy(point) - 3) ** 0.5, **costs}
    return [own[aim] for aim in aims]


class Searcher:
    """Asks a study as a search does: decision after decision."""

    def __init__(
        self, aims: Sequence[str] = ("accuracy",), seed: int = 0, domain: Any = None
    ) -> None:
        self.aims, self.domain = tuple(aims), domain or Stages()
        self.sampler = Auto(self.domain, self.aims, seed)
        self.study = optuna.create_study(sampler=self.sampler, directions=AIMS[self.aims])

    def ask(self) -> tuple[optuna.Trial, Decisions]:
        trial = self.study.ask()
        point: dict[str, Any] = {}
        for name, choice in self.domain.choices().items():
            if name == "groups" and point["kind"] == "plain":
                continue
            point[name] = trial._suggest(name, distribution_of(choice))
        return trial, point

    def run(
        self, trials: int, tell: Callable[[Decisions], list[float]] | None = None
    ) -> list[Decisions]:
        points = []
        for _ in range(trials):
            trial, point = self.ask()
            self.study.tell(trial, tell(point) if tell else told(point, self.aims))
            points.append(point)
        return points


@pytest.mark.parametrize("aims", AIMS, ids="-".join)
def test_what_it_proposes_fits_and_is_new(aims: tuple[str, ...]) -> None:
    searcher = Searcher(aims)
    points = searcher.run(14)
    assert [p for p in points if not searcher.domain.fits(p)] == []
    assert len({key_of(p) for p in points}) == len(points)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**31), limit=st.floats(1.0, 300.0), trials=st.integers(1, 9))
def test_it_fits_within_any_limit(seed: int, limit: float, trials: int) -> None:
    domain = Stages(limit)
    points = Searcher(("accuracy", "macs"), seed, domain).run(trials)
    assert [p for p in points if not domain.fits(p)] == []


@pytest.mark.parametrize("aims", [("accuracy",), ("accuracy", "macs")], ids="-".join)
def test_a_proposal_hangs_on_seed_and_trials_alone(aims: tuple[str, ...]) -> None:
    whole = Searcher(aims, seed=5).run(18)
    for cut in (3, 11):
        first = Searcher(aims, seed=5)
        first.run(cut)
        resumed = Searcher(aims, seed=5)
        resumed.study.add_trials(first.study.trials)
        assert resumed.run(18 - cut) == whole[cut:]
    assert Searcher(aims, seed=6).run(18) != whole


def test_trials_under_way_are_not_proposed_again() -> None:
    searcher = Searcher()
    searcher.run(8)
    points = [searcher.ask()[1] for _ in range(6)]
    assert len({key_of(p) for p in points}) == 6
    assert all(searcher.domain.fits(p) for p in points)


def test_trials_under_way_count_as_expected() -> None:
    """Without that, several workers would all propose what differs least from the best."""
    near, alone = [], []
    for seed in range(4):
        searcher = Searcher(seed=seed)
        searcher.run(12)
        encoding = Encoding(searcher.domain.choices())
        asked = codes_of(encoding, [searcher.ask()[1] for _ in range(4)])
        near.append(squares(asked, asked)[np.triu_indices(4, 1)].min())
        # The same with each one's number, but nothing under way.
        points = []
        for number in range(12, 16):
            other = Searcher(seed=seed)
            other.study.add_trials(searcher.study.trials[:12])
            other.study.add_trials(
                [optuna.trial.create_trial(state=TrialState.FAIL)] * (number - 12)
            )
            points.append(other.ask()[1])
        codes = codes_of(encoding, points)
        alone.append(squares(codes, codes)[np.triu_indices(4, 1)].min())
    assert mean(near) > mean(alone)


def test_somebody_else_in_the_midst_of_asking() -> None:
    searcher = Searcher()
    searcher.run(7)
    other = searcher.study.ask()
    other._suggest("width", distribution_of(searcher.domain.choices()["width"]))
    assert searcher.domain.fits(searcher.ask()[1])


def test_failed_trials_and_those_without_a_finite_value() -> None:
    searcher = Searcher()
    failed = []
    for number in range(24):
        trial, point = searcher.ask()
        assert searcher.domain.fits(point)
        if number % 3 == 0:
            searcher.study.tell(trial, state=TrialState.FAIL)
            failed.append(key_of(point))
        else:
            searcher.study.tell(trial, accuracy(point) if number % 5 else float("-inf"))
            failed += [] if number % 5 else [key_of(point)]
    assert len(set(failed)) == len(failed)
    assert key_of(searcher.ask()[1]) not in failed


class Stubborn(Stages):
    """Cannot follow every wish."""

    def repair(self, wishes: Mapping[str, Scalar], rng: random.Random) -> Decisions:
        if wishes and rng.random() < 0.7:
            raise Exhausted
        return super().repair(wishes, rng)


def test_wishes_that_cannot_be_followed_are_given_up() -> None:
    domain = Stubborn()
    points = Searcher(("accuracy", "macs"), domain=domain).run(16)
    assert all(domain.fits(p) for p in points)


@pytest.mark.parametrize("aims", AIMS, ids="-".join)
def test_values_that_are_all_the_same(aims: tuple[str, ...]) -> None:
    points = Searcher(aims).run(10, lambda point: [1.0] * len(aims))
    assert len({key_of(p) for p in points}) == 10


def test_enqueued_decisions_are_proposed_as_they_are_and_learned_from() -> None:
    searcher = Searcher()
    wishes = searcher.domain.random(random.Random(3))
    searcher.study.enqueue_trial(wishes)
    searcher.study.enqueue_trial({"width": 2, "act": "gelu"})
    (whole, partial) = searcher.run(2)
    assert whole == wishes
    assert (partial["width"], partial["act"]) == (2, "gelu")
    assert searcher.domain.fits(partial)
    assert not {key_of(wishes)} & {key_of(p) for p in searcher.run(20)}


class Rows:
    """A table."""

    def __init__(self, rows: Sequence[Decisions]) -> None:
        self.rows = list(rows)

    def choices(self) -> Mapping[str, Choice]:
        return {"a": Integer(0, 8), "b": Integer(0, 8), "c": Categorical(("x", "y", "z"))}

    def random(self, rng: random.Random) -> Decisions:
        if not self.rows:
            raise Exhausted
        return dict(rng.choice(self.rows))

    def repair(self, wishes: Mapping[str, Any], rng: random.Random) -> Decisions:
        def apart(row: Mapping[str, Any]) -> float:
            return sum(wishes.get(n, row[n]) != row[n] for n in row) + rng.random() / 10

        return dict(min(self.rows, key=apart))

    def costs(self, decisions: Mapping[str, Any]) -> Mapping[str, float]:
        return {"params": float(10 + decisions["a"] * decisions["b"])}


GRID: list[Decisions] = [{"a": a, "b": b, "c": c} for a, b, c in product(range(9), range(9), "xyz")]


def test_a_domain_of_few_points_may_repeat_itself_but_goes_on() -> None:
    points = Searcher(domain=Rows(GRID[:4])).run(9, lambda point: [float(str(point["a"]))])
    assert {key_of(p) for p in points} == {key_of(row) for row in GRID[:4]}


def test_nothing_fits() -> None:
    with pytest.raises(Exhausted):
        Searcher(domain=Rows([])).ask()


def test_where_size_costs_nothing_some_of_what_is_looked_at_is_large() -> None:
    domain = FeasibleSpace(load_space("fire"), Budget(params=1e5))

    def params(*objectives: str) -> list[float]:
        points = [Reservoir(domain, Points(domain), objectives, seed).at(0) for seed in range(3)]
        return [domain.costs(p.decisions)["params"] for drawn in points for p in drawn[5::6]]

    assert mean(params("accuracy")) > 1.2 * mean(params("accuracy", "params"))
    assert max(params("accuracy")) <= 1e5


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_it_finds_the_best_of_a_table_sooner_than_random(noise: float) -> None:
    """The best of 243 points, a peak amid the levels for one label of three."""

    def value(point: Mapping[str, Any]) -> float:
        off = (point["a"] - 6) ** 2 + (point["b"] - 3) ** 2 + 0.5 * point["a"] * (point["c"] != "y")
        return float(-off)

    best = max(GRID, key=value)
    needed = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        points = Searcher(seed=seed, domain=Rows(GRID)).run(
            35, lambda point, rng=rng: [value(point) + noise * rng.normal()]
        )
        needed.append(points.index(best) if best in points else 35)
    # Drawn without repetition, the best one comes up after 121 trials on average.
    assert mean(needed) < 25


def test_a_front_of_a_table_is_found_sooner_than_by_chance() -> None:
    def value(point: Mapping[str, Any]) -> list[float]:
        off = abs(point["a"] - point["b"]) + (point["c"] != "y")
        return [point["a"] + point["b"] - off, 10.0 + point["a"] * point["b"]]

    worst = np.array([0.0, 80.0])

    def volume(points: Sequence[Mapping[str, Any]]) -> float:
        losses = np.array([(-v, c) for v, c in map(value, points)])
        return float(compute_hypervolume(losses[(losses < worst).all(1)], worst))

    whole = volume(GRID)
    own, chance = [], []
    for seed in range(4):
        searcher = Searcher(("accuracy", "macs"), seed, Rows(GRID))
        # As in a search over `params`, whose cost the domain knows.
        searcher.sampler._objectives = ("accuracy", "params")
        own.append(volume(searcher.run(25, value)) / whole)
        chance.append(volume(random.Random(seed).sample(GRID, 25)) / whole)
    assert 1 - mean(own) < 0.6 * (1 - mean(chance))


# -- its parts


@given(st.data())
def test_codes_are_as_far_apart_as_values(data: st.DataObject) -> None:
    choices = Stages().choices()
    encoding = Encoding(choices)
    for name, choice in choices.items():
        if name == "alpha":
            continue  # real: told apart in levels
        values = list(choice.values())
        a, b, c = (data.draw(st.sampled_from(values)) for _ in range(3))
        codes = codes_of(encoding, [{name: a}, {name: b}, {name: c}, {}])
        apart = squares(codes, codes)
        assert apart[0, 1] <= 1 + 1e-9
        assert name == "groups" or (apart[0, 1] > 1e-9) == (a != b)
        assert 0 < apart[0, 3] <= 0.5 + 1e-9  # one that is not there is between all
        if not isinstance(a, str):
            low, middle, high = (codes[i] for _, i in sorted(zip((a, b, c), range(3), strict=True)))
            legs = squares(low[None], middle[None]) + squares(middle[None], high[None])
            assert np.allclose(legs, squares(low[None], high[None]))


def test_the_surrogate_learns_a_function_and_knows_where_it_does_not() -> None:
    rng = np.random.default_rng(0)
    features = rng.choice([-0.5, 0.5], size=(120, 12))
    owner = np.arange(12)

    def value(x: np.ndarray) -> np.ndarray:
        return np.asarray(x[:, 0] * 2 + x[:, 1] * x[:, 2] * 4 + x[:, 11])

    values = value(features)
    values = (values - values.mean()) / values.std()
    surrogate = Surrogate(owner, costs=1)
    weights = surrogate.fit(features[:80], values[:80])
    model = surrogate.given(features[:80], values[:80], weights)
    guess, deviation = model.at(features[80:])
    assert np.corrcoef(guess, values[80:])[0, 1] > 0.95
    assert np.allclose(guess, model.mean(features[80:]))
    assert model.at(features[:80])[1].mean() < 0.7 * deviation.mean()
    # What plays a part counts more than what plays none.
    assert min(weights[[0, 1, 2]]) > max(weights[3:11])


@pytest.mark.parametrize("objectives", [1, 2, 3])
def test_a_gain_that_is_certain_is_what_the_hypervolume_gains(objectives: int) -> None:
    rng = np.random.default_rng(objectives)
    found, candidates = rng.random((6, objectives)), rng.random((40, objectives))
    gains = np.mean(
        [Gain(found, rng).of(candidates, np.zeros_like(candidates)) for _ in range(20)],
        axis=0,
    )
    corner = np.zeros(objectives)
    before = compute_hypervolume(-found, corner)
    exact = np.array(
        [compute_hypervolume(-np.vstack([found, c]), corner) - before for c in candidates]
    )
    assert np.corrcoef(gains, exact)[0, 1] > 0.98
    assert gains[exact < 1e-12].max(initial=0.0) < 1e-8


def test_what_is_less_certain_may_gain_more() -> None:
    found, expected = np.array([[0.5, 0.5]]), np.array([[0.4, 0.4]] * 3)
    deviation = np.array([[0.0, 0.0], [0.3, 0.0], [0.3, 0.3]])
    certain, half, unsure = Gain(found, np.random.default_rng(0)).of(expected, deviation)
    assert certain == 0 < half < unsure


@given(st.integers(1, 5_000))
def test_what_takes_long_is_learned_anew_with_an_eighth_more(count: int) -> None:
    known = settled(count)
    assert known <= count < known + max(1, known // 8)
    assert settled(known) == known


@given(st.lists(st.tuples(*[st.integers(0, 5)] * 2), min_size=1, max_size=30))
def test_the_front_is_what_nothing_beats(rows: list[tuple[int, int]]) -> None:
    merits = np.array(rows, dtype=float)
    front = {tuple(merits[i]) for i in front_of(merits)}
    better = lambda a, b: all(x >= y for x, y in zip(a, b, strict=True)) and a != b  # noqa: E731
    assert front == {
        r for r in map(tuple, merits) if not any(better(o, r) for o in map(tuple, merits))
    }
    assert len(front_of(merits)) == len(front)
