"""Searches with plain functions as evaluators."""

from __future__ import annotations

import json
import math
import time
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import dse
from dse.cost import Budget, Cost, cost
from dse.errors import DivergedTraining, InvalidValue, OverBudget, UnknownName
from dse.ir import Shape
from dse.presets import load_preset
from dse.runs import Run, direction, open_run
from dse.search import Candidate, Listener, Report, Search, sampler_names, search
from dse.search.baselines import baselines
from dse.search.verified import too_slow, verdict
from dse.space import Space, load_space
from dse.space.choices import Categorical
from tests.timers import Blocked, ByParams, Constant

# -- budgets ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "budget",
    [
        Budget(params=2_000),
        Budget(macs=150_000),
        Budget(params=3_000, macs=400_000),
        Budget(peak_activation_bytes=9_000),
        Budget(size_bytes=4_000),
    ],
    ids=str,
)
def test_no_design_over_budget_is_evaluated(many: Space, recorder: Any, budget: Budget) -> None:
    run = search(many, recorder, budget=budget, trials=12, run="r")
    assert len(recorder.seen) == 12
    for candidate in recorder.seen:
        assert dse.cost(candidate.network) == candidate.cost
        assert budget.admits(candidate.cost), candidate.cost
    # The row says of the design what the cost says of its document.
    for row in run.trials:
        assert budget.admits(dse.cost(row.network))
        assert row.cost["macs"] == dse.cost(row.network).macs


def test_no_proposal_is_over_budget(many: Space, recorder: Any) -> None:
    budget = Budget(params=700)
    run = search(many, recorder, budget=budget, trials=10, run="r", sampler="random")
    assert len(run.trials) == 10
    assert "over_budget" not in run.settings["counts"]


def test_a_budget_that_nothing_meets_is_refused_before_any_evaluation(
    few: Space, recorder: Any
) -> None:
    smallest = min(few.cost(d).params for d in _all(few))
    with pytest.raises(OverBudget) as caught:
        search(few, recorder, budget=Budget(params=smallest - 1), run="r")
    assert str(caught.value) == (
        "no design of the space few for 3x16x16 images and 3 classes has params <= "
        f"{smallest - 1}; the smallest has {smallest} (1 over), of which 20 are in 'stem', "
        "where the decision stem.channels is at its cheapest, 4"
    )
    assert recorder.seen == []
    assert not Path("runs/r").exists()  # nothing is left of a run that never began
    run = search(few, recorder, budget=Budget(params=smallest), trials=3, run="r")
    assert [row.cost["params"] for row in run.trials] == [smallest]


def test_limits_that_only_together_are_too_much_are_refused(few: Space, recorder: Any) -> None:
    costs = [few.cost(decisions) for decisions in _all(few)]
    params = min(c.params for c in costs)
    slow = few.timed_by(Constant(2.0))
    with pytest.raises(OverBudget, match="latency_ms <= 1; the smallest has 2 "):
        Search(slow, recorder, Budget(params=params, latency_ms=1.0)).run("r")
    # Only the largest is fast enough, and it has too many parameters.
    most = max(c.params for c in costs)
    timed = few.timed_by(ByParams(lambda params: 1 / (1 + params)))
    fastest, largest = timed.smallest("latency_ms")
    assert few.cost(largest).params == most
    with pytest.raises(OverBudget, match="together"):
        Search(timed, recorder, Budget(params=most - 1, latency_ms=fastest)).run("r")
    assert recorder.seen == []


def test_a_tight_budget_is_searched_where_random_designs_seldom_fit(recorder: Any) -> None:
    space = load_space("lightweight").with_io(input=Shape((3, 16, 16)), classes=3)
    budget = Budget(params=600, macs=4e6)
    search(space, recorder, budget=budget, trials=3, run="r", sampler="random")
    assert len({c.network.digest for c in recorder.seen}) == 3
    assert all(budget.admits(c.cost) for c in recorder.seen)


# -- latency ------------------------------------------------------------------------------------


def test_a_latency_budget_holds_and_is_recorded(many: Space, recorder: Any) -> None:
    timed = many.timed_by(ByParams(lambda params: 1e-3 * params))
    made = Search(timed, recorder, Budget(latency_ms=11.5), ("accuracy", "latency_ms"), 10)
    run = made.run("r")
    assert len(run.trials) == 10
    for row in run.trials:
        assert row.latency_ms == pytest.approx(10 + 1e-3 * dse.cost(row.network).params)
        assert row.latency_ms <= 11.5
    assert [candidate.latency_ms for candidate in recorder.seen] == [
        row.latency_ms for row in run.trials
    ]
    # Larger is more accurate and slower here, so that nothing is beaten.
    assert len(run.front()) == 10


@pytest.mark.parametrize("sampler", sampler_names())
def test_no_sampler_proposes_what_is_too_slow(sampler: str, recorder: Any) -> None:
    space = load_space("fire").with_io(input=Shape((3, 32, 32)), classes=3).timed_by(Blocked())
    budget = Budget(latency_ms=1.3 * space.smallest("latency_ms")[0])
    search(space, recorder, budget=budget, trials=5, run="r", sampler=sampler)
    assert len({c.network.digest for c in recorder.seen}) == 5
    assert all(budget.admits(c.cost) for c in recorder.seen)


def test_the_same_seed_proposes_the_same_under_a_latency_budget(many: Space, recorder: Any) -> None:
    budget = Budget(latency_ms=0.03)
    for name in ("one", "other"):
        search(many.timed_by(Blocked()), recorder, budget=budget, trials=6, run=name)
    assert recorder.choices[:6] == recorder.choices[6:]


def test_presets_that_are_too_slow_are_no_baselines() -> None:
    space = load_space("fire").with_io(input=Shape((3, 64, 64)), classes=3).timed_by(Blocked())
    every = list(baselines(space, Budget()))
    times = {each.name: space.cost(each.choices).latency_ms for each in every}
    limit = sorted(times.values())[0]
    kept = list(baselines(space, Budget(latency_ms=limit)))
    assert 0 < len(kept) < len(every)
    assert all(space.cost(each.choices).latency_ms <= limit for each in kept)


@pytest.mark.parametrize(
    ("median", "interval", "words"),
    [
        (4.9, [4.0, 6.0], ""),
        (5.1, [4.8, 5.3], "perhaps over"),
        (5.4, [5.2, 5.6], "over"),
    ],
)
def test_what_was_measured_is_held_against_the_budget(
    few: Space, recorder: Any, median: float, interval: list[float], words: str
) -> None:
    [row] = search(few, recorder, trials=1, run="r").trials
    found = replace(row, latency_ms=4.5, measured_ms=median, measured_interval=interval)
    assert verdict(found, 5.0) == words
    assert verdict(found, None) == verdict(row, 5.0) == ""
    sentences = too_slow([row, found], 5.0)
    assert [f": {words} the budget of 5 ms" in sentence for sentence in sentences] == (
        [True] if words else []
    )


def test_latency_needs_a_device(few: Space, recorder: Any) -> None:
    with pytest.raises(InvalidValue, match="needs a device"):
        search(few, recorder, budget=Budget(latency_ms=3))
    with pytest.raises(InvalidValue, match="needs a device"):
        search(few, recorder, objectives=("accuracy", "latency_ms"))


# -- baselines ----------------------------------------------------------------------------------


def test_presets_that_fit_come_first_under_their_names(recorder: Any) -> None:
    space = load_space("spp-covid").with_io(input=Shape((3, 128, 128)), classes=3)
    budget = Budget(params=1e6)
    run = search(space, recorder, budget=budget, trials=3, run="r")
    # DarkCovidNet is in the space too, and over this budget.
    assert [row.baseline for row in run.trials] == [True, False, False]
    row = run.trials[0]
    assert row.name == "spp-covid-net"
    assert row.network == load_preset("spp-covid-net", input="3x128x128")
    assert space.bind(row.choices) == row.network
    assert row.design["title"] == "SPP-COVID-Net"


def test_the_largest_form_of_a_preset_that_fits_stands_for_it() -> None:
    space = load_space("hybrid-mobilenet").with_io(classes=10)
    listed = [e.arguments for e in space.contains if e.preset == "hybrid-mobilenet"]
    [found] = baselines(space, Budget(params=1e6))
    sizes = {cost(load_preset("hybrid-mobilenet", **arguments)).params for arguments in listed}
    assert cost(found.network).params == max(size for size in sizes if size <= 1e6)


def test_a_larger_budget_admits_more_presets(recorder: Any) -> None:
    space = load_space("spp-covid").with_io(input=Shape((3, 128, 128)), classes=3)
    run = search(space, recorder, trials=2, run="r")
    assert [row.name for row in run.trials] == ["spp-covid-net", "darkcovidnet"]


def test_without_comparison_there_are_no_presets(recorder: Any) -> None:
    space = load_space("spp-covid")
    run = Search(space, recorder, trials=2, compare=False).run("r")
    assert not any(row.baseline for row in run.trials)


# -- duplicates and exhaustion ------------------------------------------------------------------


def _all(space: Space) -> list[dict[str, Any]]:
    """Every decision vector of a space without conditions."""
    vectors: list[dict[str, Any]] = [{}]
    for name, choice in space.choices().items():
        assert isinstance(choice, Categorical)
        vectors = [{**vector, name: option} for vector in vectors for option in choice.options]
    return vectors


@pytest.mark.parametrize("sampler", ["auto", "nsga2", "random"])
def test_a_small_space_is_searched_through_and_ends_with_a_note(
    few: Space, recorder: Any, notes: Any, sampler: str
) -> None:
    run = search(few, recorder, trials=50, run="r", sampler=sampler, listener=notes)
    assert sorted(c.network.digest for c in recorder.seen) == sorted(
        few.bind(decisions).digest for decisions in _all(few)
    )
    assert len(run.trials) == 6
    assert notes.notes == [
        "no further new design that fits the budget was found: ending after 6 trials"
    ]


def test_the_same_network_is_not_evaluated_twice(twice: Space, recorder: Any) -> None:
    run = search(twice, recorder, trials=9, run="r", sampler="random", seed=3)
    assert sorted(c.network.nodes[0].block.channels for c in recorder.seen) == [4, 8]
    assert run.settings["counts"]["duplicates"] > 0


# -- failures -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (RuntimeError("no memory\nsecond line"), "RuntimeError: no memory"),
        (KeyError("weights"), "KeyError: 'weights'"),
        (TypeError("unsupported"), "TypeError: unsupported"),
        (AssertionError(), "AssertionError"),
        (OSError(28, "No space left"), "OSError: [Errno 28] No space left"),
        (DivergedTraining("the loss is nan"), "the loss is nan"),
        (math.nan, "the evaluator returned accuracy = nan"),
        (-math.inf, "the evaluator returned accuracy = -inf"),
        ("text", "ValueError: could not convert string to float: 'text'"),
        (None, "TypeError: float() argument must be a string or a real number, not 'NoneType'"),
    ],
    ids=repr,
)
def test_what_goes_wrong_with_one_design_is_its_own_failure(
    few: Space, failure: Any, reason: str
) -> None:
    calls = []

    def evaluate(candidate: Candidate, report: Report) -> dict[str, float]:
        calls.append(candidate.trial)
        if len(calls) != 2:
            return {"accuracy": 0.5}
        report(1, {"accuracy": 0.25})
        if isinstance(failure, Exception):
            raise failure
        return {"accuracy": failure}

    run = search(few, evaluate, trials=4, run="r")
    assert [row.state for row in run.trials] == ["finished", "failed", "finished", "finished"]
    failed = run.trials[1]
    assert failed.reason == reason
    assert failed.values == {}
    assert failed.history == [{"step": 1, "accuracy": 0.25}]
    assert failed not in run.front()
    assert run.settings["counts"]["failed"] == 1


def test_a_report_that_raises_stops_that_design_only(few: Space) -> None:
    class Listening(Listener):
        def reported(self, candidate: Candidate, step: int, metrics: Any) -> None:
            if step == 2:
                raise RuntimeError("stopped early")

    def evaluate(candidate: Candidate, report: Report) -> dict[str, float]:
        for step in (1, 2, 3):
            report(step, {"accuracy": step / 10})
        raise AssertionError("unreachable")

    run = search(few, evaluate, trials=2, run="r", listener=Listening())
    assert [row.reason for row in run.trials] == ["RuntimeError: stopped early"] * 2
    assert [len(row.history) for row in run.trials] == [2, 2]


@pytest.mark.parametrize("result", [None, 0.5, [("accuracy", 0.5)]], ids=repr)
def test_an_evaluator_that_returns_no_mapping_ends_the_search(few: Space, result: Any) -> None:
    with pytest.raises(InvalidValue, match="must return a mapping of metrics to numbers, got"):
        search(few, lambda candidate, report: result, run="r")
    assert not Path("runs/r").exists()


def test_a_missing_objective_is_said_in_one_sentence(few: Space, recorder: Any) -> None:
    with pytest.raises(InvalidValue) as caught:
        search(few, recorder, objectives=("accuracy", "banana"), run="r")
    assert str(caught.value) == (
        "the evaluator must return every objective, got accuracy, odd and no banana"
    )
    assert len(recorder.seen) == 1
    # Nothing was learned: the same name may be used for the search as it was meant.
    run = search(few, recorder, objectives=("accuracy", "odd"), run="r", trials=2)
    assert len(run.trials) == 2


# -- objectives ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "objectives",
    [
        ("accuracy",),
        ("params",),
        ("params", "accuracy"),
        ("macs", "peak_activation_bytes", "accuracy"),
        ("size_bytes", "odd"),
        ("params_with_buffers",),
    ],
    ids=" ".join,
)
def test_objectives_in_any_number_order_and_direction(
    many: Space, recorder: Any, objectives: tuple[str, ...]
) -> None:
    run = search(many, recorder, objectives=objectives, trials=16, run="r")
    rows = run.trials
    assert len(rows) == 16
    values = [row.objective(objectives[0]) for row in rows]
    better = max if direction(objectives[0]) == "maximize" else min
    assert run.best is not None
    assert run.best.objective(objectives[0]) == better(v for v in values if v is not None)
    assert run.objectives == objectives


@pytest.mark.parametrize("objectives", [(), ("accuracy", "accuracy")])
def test_objectives_are_different_names(few: Space, objectives: tuple[str, ...]) -> None:
    with pytest.raises(InvalidValue, match="objectives are one or more different names"):
        search(few, lambda c, r: {}, objectives=objectives)


# -- samplers, seeds, storages ------------------------------------------------------------------


@pytest.mark.parametrize(
    "sampler",
    [pytest.param(n, marks=pytest.mark.slow if n == "gp" else ()) for n in sampler_names()],
)
def test_every_sampler_proposes_the_same_for_the_same_seed(
    many: Space, sampler: str, recorder: Any
) -> None:
    def proposals(name: str, seed: int) -> list[dict[str, Any]]:
        recorder.seen.clear()
        # The samplers' models begin after 10 or 12 random trials.
        trials = 12 if sampler == "gp" else 16
        search(many, recorder, trials=trials, seed=seed, sampler=sampler, run=name)
        return recorder.choices

    first = proposals("a", 1)
    assert proposals("b", 1) == first
    if sampler != "gp":  # seconds a run
        assert proposals("c", 2) != first


def test_a_guided_search_finds_better_than_a_random_one(many: Space, recorder: Any) -> None:
    # Largest network wanted: TPE should drift there, so that "auto" is not random by mistake.
    best = {}
    for sampler in ("auto", "random"):
        found = [
            search(many, recorder, objectives=("accuracy",), trials=30, seed=s, sampler=sampler)
            for s in range(2)
        ]
        best[sampler] = sum(r.best.values["accuracy"] for r in found if r.best)
    assert best["auto"] > best["random"]


def test_an_unknown_sampler_is_answered_with_the_known(few: Space, recorder: Any) -> None:
    with pytest.raises(UnknownName, match="did you mean 'nsga2'"):
        search(few, recorder, sampler="nsga", run="r")
    assert not Path("runs/r").exists()


def test_the_journal_is_the_default_and_a_url_takes_its_place(many: Space, recorder: Any) -> None:
    search(many, recorder, trials=2, run="journal")
    assert Path("runs/journal/study.log").stat().st_size > 0
    search(many, recorder, trials=2, run="database", storage="sqlite:///study.db")
    assert Path("study.db").stat().st_size > 0
    assert not Path("runs/database/study.log").exists()
    # Without being told again, it goes on where it was.
    run = search(many, recorder, trials=5, run="database", resume=True)
    assert len({row.trial for row in run.trials}) == 5
    assert not Path("runs/database/study.log").exists()


def test_a_storage_is_not_shared_by_runs_of_one_name(
    few: Space, recorder: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path}/study.db"
    search(few, recorder, trials=2, run="r", storage=url)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with pytest.raises(InvalidValue, match="has a study called r already"):
        search(few, recorder, trials=2, run="r", storage=url)


@pytest.mark.parametrize("storage", ["study.db", "foo://bar", "sqlite:////no/such/folder/study.db"])
def test_a_storage_that_cannot_be_opened_is_said_in_one_sentence(
    few: Space, recorder: Any, storage: str
) -> None:
    with pytest.raises(InvalidValue, match="storage") as caught:
        search(few, recorder, run="r", storage=storage)
    assert "\n" not in str(caught.value)
    assert not Path("runs/r").exists()


# -- arguments, rows, names ---------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [{"trials": 0}, {"workers": 0}])
def test_numbers_are_at_least_one(few: Space, arguments: dict[str, int]) -> None:
    with pytest.raises(InvalidValue, match="at least 1"):
        search(few, lambda c, r: {}, **arguments)


@pytest.mark.parametrize("name", [".", "..", "../x", "a/b", "-x", "x" * 81, "a b", "a\n"])
def test_a_run_name_is_a_folder_name(few: Space, recorder: Any, name: str) -> None:
    with pytest.raises(InvalidValue, match="a run's name is"):
        search(few, recorder, run=name)
    assert not Path("runs").exists()


def test_runs_are_numbered(few: Space, recorder: Any) -> None:
    names = [search(few, recorder, trials=1).name for _ in range(3)]
    assert names == ["search-1", "search-2", "search-3"]


def test_a_run_that_exists_is_not_overwritten(few: Space, recorder: Any) -> None:
    search(few, recorder, trials=1, run="r")
    before = Path("runs/r/trials.jsonl").read_bytes()
    with pytest.raises(InvalidValue, match="give --resume"):
        search(few, recorder, trials=2, run="r")
    assert Path("runs/r/trials.jsonl").read_bytes() == before


def test_rows_and_settings_say_how_they_came_about(few: Space) -> None:
    class Documented:
        def __call__(self, candidate: Candidate, report: Report) -> dict[str, float]:
            return {"accuracy": 0.5, "loss": 1}

        def provenance(self) -> dict[str, Any]:
            return {"device": "cpu", "seed": 7, "dataset": "none"}

    run = search(few, Documented(), budget=Budget(params=1e5), trials=2, seed=4, run="r")
    for row in run.trials:
        assert row.provenance["device"] == "cpu"
        assert row.provenance["dataset"] == "none"
        assert row.provenance["search_seed"] == 4
        assert row.provenance["dse"] == run.settings["dse"] != ""
        assert row.digest == row.network.digest
        assert row.values == {"accuracy": 0.5, "loss": 1.0}
    settings = json.loads(Path("runs/r/run.json").read_text())
    assert settings["space"] == "few"
    assert settings["budget"] == {"params": 1e5}
    assert settings["objectives"] == ["accuracy", "params"]
    assert (settings["trials"], settings["seed"], settings["sampler"]) == (2, 4, "auto")


def test_the_time_limit_begins_no_further_design(
    many: Space, notes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(10_000))

    def evaluate(candidate: Candidate, report: Report) -> dict[str, float]:
        return {"accuracy": 0.1}

    class Clock:
        """Each look at it is a second later."""

        localtime, strftime = time.localtime, time.strftime

        @staticmethod
        def time() -> float:
            return float(next(clock))

    for module in ("dse.search.engine", "dse.search.crew"):
        monkeypatch.setattr(import_module(module), "time", Clock)
    run = Search(many, evaluate, trials=500, time_limit=20, listener=notes).run("r")
    assert 1 <= len(run.trials) <= 20
    assert notes.notes == [f"the time limit is reached after {len(run.trials)} trials"]


# -- several workers ----------------------------------------------------------------------------


def evaluate_at_top(candidate: Candidate, report: Report) -> dict[str, float]:
    if candidate.cost.params % 2:
        raise RuntimeError("odd")
    return {"accuracy": 0.5}


def test_a_function_that_other_processes_cannot_import_is_refused(few: Space) -> None:
    with pytest.raises(InvalidValue, match="function at the top of a module"):
        search(few, lambda candidate, report: {}, workers=2, run="r")
    assert not Path("runs/r").exists()


def test_a_second_search_in_the_same_run_is_refused(few: Space, recorder: Any) -> None:
    from filelock import FileLock

    search(few, recorder, trials=1, run="r")
    with FileLock("runs/r/.lock"), pytest.raises(InvalidValue, match="by another process"):
        search(few, recorder, trials=2, run="r", resume=True)
    assert len(open_run("r").trials) == 1


def test_the_front_is_of_the_runs_rows(many: Space, recorder: Any) -> None:
    run = search(many, recorder, trials=10, objectives=("accuracy", "params"), run="r")
    assert isinstance(run, Run)
    # Larger is more accurate: each design is on the front, the most accurate first.
    assert [row.cost["params"] for row in run.front()] == sorted(
        {row.cost["params"] for row in run.trials}, reverse=True
    )
    assert len(run.front("params")) == 1


def test_candidates_say_what_they_cost(few: Space, recorder: Any) -> None:
    search(few, recorder, trials=1)
    (candidate,) = recorder.seen
    assert isinstance(candidate.cost, Cost)
    assert few.bind(candidate.choices) == candidate.network
