"""Every sampler, in Optuna's hands: nothing but what fits, and the same for the same trials."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

import optuna
import pytest

from dse.cost import Budget
from dse.errors import UnknownName
from dse.search.distributions import distribution_of
from dse.search.feasible import FeasibleSpace
from dse.search.samplers import make_sampler, sampler_names
from dse.space import Categorical, Choice, Decisions, Integer, Real, Space, load_space, space_names

BUDGETS = {
    "lightweight": Budget(params=2e4, macs=2e6),
    "hl-cnn": Budget(params=3e4),
    "hybrid-mobilenet": Budget(params=2e5),
    "fire": Budget(params=3e4),
    "spp-covid": Budget(params=3e4),
}
SAMPLERS = [pytest.param(n, marks=pytest.mark.slow if n == "gp" else ()) for n in sampler_names()]
OBJECTIVES = ("accuracy", "params")


@cache
def domain_of(name: str) -> FeasibleSpace:
    """What it proposes hangs on nothing that it was asked before, so one does for all tests."""
    return FeasibleSpace(load_space(name), BUDGETS[name])


@pytest.fixture(autouse=True)
def _quietly() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield


def suggest(trial: optuna.Trial, name: str, choice: Choice) -> Any:
    """As anybody would ask for a decision."""
    match choice:
        case Categorical():
            return trial.suggest_categorical(name, choice.options)
        case Integer():
            return trial.suggest_int(
                name, choice.low, choice.high, step=choice.step, log=choice.log
            )
        case Real():
            return trial.suggest_float(
                name, choice.low, choice.high, step=choice.step, log=choice.log
            )


def walk(study: optuna.Study, space: Space) -> tuple[optuna.Trial, Decisions]:
    trial = study.ask()
    return trial, space.walk(lambda name, choice: suggest(trial, name, choice))


def tell(study: optuna.Study, trial: optuna.Trial, space: Space, decisions: Decisions) -> None:
    cost = space.cost(decisions)
    study.tell(trial, [cost.macs / 1e6 - (cost.params / 1e4 - 1) ** 2, cost.params])


def make_study(sampler: str, domain: FeasibleSpace, seed: int, **where: Any) -> optuna.Study:
    return optuna.create_study(
        sampler=make_sampler(sampler, domain, OBJECTIVES, seed),
        directions=["maximize", "minimize"],
        **where,
    )


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("name", space_names())
def test_every_sampler_proposes_what_fits_in_every_space(name: str, sampler: str) -> None:
    domain = domain_of(name)
    space = domain.space
    study = make_study(sampler, domain, seed=0)
    # The samplers' models begin after 10 or 12 random trials.
    for _ in range(14):
        trial, decisions = walk(study, space)
        assert BUDGETS[name].admits(space.cost(decisions))
        assert trial.params == decisions
        tell(study, trial, space, decisions)


@pytest.mark.slow
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_sampler_made_anew_goes_on_as_if_it_had_not_been(sampler: str) -> None:
    domain = domain_of("spp-covid")
    study = make_study(sampler, domain, seed=3)
    proposed = []
    for _ in range(14):
        trial, decisions = walk(study, domain.space)
        tell(study, trial, domain.space, decisions)
        proposed.append(decisions)

    fresh = FeasibleSpace(load_space("spp-covid"), BUDGETS["spp-covid"])
    again = make_study(sampler, fresh, seed=3)
    for number, before in enumerate(proposed):
        again.sampler = make_sampler(sampler, fresh, OBJECTIVES, seed=3)
        trial, decisions = walk(again, fresh.space)
        assert decisions == before, number
        tell(again, trial, fresh.space, decisions)
    other = make_study(sampler, domain, seed=4)
    assert walk(other, domain.space)[1] != proposed[0]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_an_enqueued_design_is_asked_as_it_is(sampler: str) -> None:
    domain = domain_of("spp-covid")
    study = make_study(sampler, domain, seed=0)
    _, wanted = domain.space.smallest("params")
    study.enqueue_trial(wanted)
    assert walk(study, domain.space)[1] == wanted


def test_optimize_and_trials_in_parallel_take_it_too() -> None:
    domain = domain_of("spp-covid")
    space = domain.space

    def objective(trial: optuna.Trial) -> tuple[float, float]:
        cost = space.cost(space.walk(lambda name, choice: suggest(trial, name, choice)))
        assert domain.budget.admits(cost)
        return cost.macs, cost.params

    study = make_study("tpe", domain, seed=0)
    study.optimize(objective, n_trials=6, n_jobs=2)
    assert len(study.get_trials(states=[optuna.trial.TrialState.COMPLETE])) == 6


def test_a_sampler_is_more_than_random(many: Space) -> None:
    """Its wishes arrive: with 60 trials TPE comes closer to a width than chance does."""
    domain = FeasibleSpace(many, Budget(params=1e5))
    missed = {}
    for sampler in ("tpe", "random"):
        distances = []
        for seed in range(2):
            study = optuna.create_study(sampler=make_sampler(sampler, domain, ("miss",), seed))
            for _ in range(60):
                trial, decisions = walk(study, many)
                width, repeat = int(decisions["width"]), int(decisions["body.repeat"])
                study.tell(trial, abs(width - 40) + 5 * (repeat - 1))
            distances += [t.value or 0.0 for t in study.get_trials()[-30:]]
        missed[sampler] = sum(distances) / len(distances)
    assert missed["tpe"] < 0.7 * missed["random"]


@pytest.mark.parametrize(
    "choice",
    [
        Categorical((1, 2, 8)),
        Categorical((False, True)),
        Categorical(("none", "se")),
        Integer(4, 64, 4),
        Integer(1, 64, log=True),
        Real(0.25, 1.5, 0.25),
        Real(0.1, 1.0, log=True),
    ],
    ids=str,
)
def test_a_distribution_holds_every_value_of_its_choice(choice: Choice) -> None:
    distribution = distribution_of(choice)
    for value in choice.values():
        internal = distribution.to_internal_repr(value)
        assert distribution._contains(internal)
        assert choice.accept(distribution.to_external_repr(internal)) == value


def test_an_unknown_sampler_is_named_with_its_neighbour(many: Space) -> None:
    with pytest.raises(UnknownName, match="no sampler is called 'tpee'; did you mean 'tpe'"):
        make_sampler("tpee", FeasibleSpace(many, Budget()), OBJECTIVES, 0)
