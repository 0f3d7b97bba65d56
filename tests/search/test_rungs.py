"""Successive halving: who goes on, what is trained, and what is known of those that stop."""

from __future__ import annotations

import itertools
import math
import random
from pathlib import Path
from typing import Any, ClassVar

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.errors import InvalidValue
from dse.fronts import hypervolume
from dse.ir import Shape
from dse.recipes import recipe
from dse.runs import Trial
from dse.runtime.evaluate import Train
from dse.search import Candidate, Report, Search, search
from dse.search.foresight import PAUSED, RUNGS, STOPPED_AT, Course, Foresight
from dse.search.rungs import (
    ETA,
    contributions,
    ladder,
    next_rung,
    promoted,
    ranked,
)
from dse.space import Space, load_space
from tests.search.pausing import Pausing

Losses = dict[int, tuple[float, ...]]


def populations(objectives: int) -> st.SearchStrategy[Losses]:
    # Few different values, so that ties and equal points come up.
    point = st.tuples(*[st.integers(0, 6).map(float)] * objectives)
    return st.lists(point, min_size=1, max_size=14).map(lambda points: dict(enumerate(points)))


any_population = st.integers(1, 3).flatmap(populations)


# -- where the rungs are --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("total", "trials", "least", "rungs"),
    [
        (10, 16, 2, (4,)),
        (30, 16, 2, (10,)),
        (30, 36, 2, (4, 10)),
        (100, 200, 2, (4, 12, 34)),
        (30, 36, 5, (10,)),  # the lower one lies in the warm-up
        (5, 100, 2, ()),
        (100, 11, 2, ()),
    ],
)
def test_rungs_are_thirds_as_far_as_epochs_and_designs_suffice(
    total: int, trials: int, least: int, rungs: tuple[int, ...]
) -> None:
    assert ladder(total, trials, least) == rungs


def test_after_the_last_rung_comes_the_end() -> None:
    assert [next_rung((4, 12), epochs) for epochs in (0, 3, 4, 11, 12, 30)] == [
        4,
        4,
        12,
        12,
        None,
        None,
    ]


# -- hypervolume ----------------------------------------------------------------------------------


@given(st.integers(1, 3).flatmap(populations))
def test_the_hypervolume_is_that_of_the_union_of_boxes(points: Losses) -> None:
    corner = (7.0,) * len(points[0])
    # Points are whole numbers: count the unit cells that some box covers.
    cells = itertools.product(range(7), repeat=len(corner))
    covered = sum(
        any(all(x <= c for x, c in zip(point, cell, strict=True)) for point in points.values())
        for cell in cells
    )
    assert hypervolume(list(points.values()), corner) == covered


@given(st.integers(2, 3).flatmap(populations))
def test_a_contribution_is_what_would_be_lost(points: Losses) -> None:
    front = [
        tuple(x / 6 for x in point)
        for point in points.values()
        if not any(_beats(other, point) for other in points.values())
    ]
    corner = (1.1,) * len(front[0])
    whole = hypervolume(front, corner)
    for number, lost in enumerate(contributions(front)):
        rest = hypervolume(front[:number] + front[number + 1 :], corner)
        assert math.isclose(lost, whole - rest, abs_tol=1e-9)


# -- who goes on ----------------------------------------------------------------------------------


def _beats(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a != b and all(x <= y for x, y in zip(a, b, strict=True))


@given(any_population)
def test_nobody_is_ranked_before_one_that_beats_it(losses: Losses) -> None:
    order = ranked(losses)
    assert sorted(order) == sorted(losses)
    for better, worse in itertools.combinations(order, 2):
        assert not _beats(losses[worse], losses[better])


@given(any_population, st.randoms(use_true_random=False))
def test_no_more_than_a_third_go_on_and_the_best_first(
    losses: Losses, source: random.Random
) -> None:
    gone: set[int] = set()
    waiting = set(losses)
    while (number := promoted(losses, gone, waiting)) is not None:
        assert not any(_beats(losses[other], losses[number]) for other in waiting)
        gone.add(number)
        waiting.remove(number)
    assert len(gone) == len(losses) // ETA


def test_one_that_went_on_and_was_left_behind_keeps_no_place() -> None:
    losses = {number: (float(10 - number),) for number in range(6)}
    # The first three came first, and the best of them went on.
    assert promoted(losses, gone={2}, waiting={0, 1, 3, 4, 5}) == 5
    assert promoted(losses, gone={2, 5}, waiting={0, 1, 3, 4}) == 4
    assert promoted(losses, gone={2, 5, 4}, waiting={0, 1, 3}) is None


def test_of_a_front_those_go_on_that_cover_most() -> None:
    # Between its close neighbours, 2 covers next to nothing.
    losses = {0: (0.0, 1.0), 1: (0.49, 0.5), 2: (0.5, 0.49), 3: (1.0, 0.0), 4: (2, 2), 5: (3, 3)}
    assert ranked(losses)[3] == 2 or ranked(losses)[3] == 1
    assert ranked(losses)[4:] == [4, 5]


# -- searches -------------------------------------------------------------------------------------


def epochs_of(evaluate: Pausing) -> dict[str, list[int]]:
    trained: dict[str, list[int]] = {}
    for digest, epoch in evaluate.trained:
        trained.setdefault(digest, []).append(epoch)
    return trained


def test_a_third_goes_on_and_no_epoch_is_trained_twice(many: Space) -> None:
    evaluate = Pausing()
    run = search(many, evaluate, trials=24, run="r", objectives=("accuracy",), sampler="random")
    rows = {row.digest: row for row in run.trials}
    assert len(rows) == 24
    assert run.settings["rungs"] == [3]
    assert run.settings["counts"]["stopped"] == sum(r.state == "stopped" for r in rows.values())
    for digest, epochs in epochs_of(evaluate).items():
        row = rows[digest]
        assert epochs == list(range(1, row.epochs + 1))
        assert row.epochs == {"finished": 9, "stopped": 3}[row.state]
        assert [entry["step"] for entry in row.history] == epochs
        assert row.values["accuracy"] == row.history[-1]["accuracy"]
    finished = [row for row in rows.values() if row.state == "finished"]
    # A third, and the few that were best only until better ones came.
    assert 8 <= len(finished) <= 14
    best = sorted(rows.values(), key=lambda row: row.cost["params"])[-8:]
    assert all(row.state == "finished" for row in best)
    assert run.best in finished
    assert not list(run.folder.glob("checkpoints"))


def test_two_rungs_for_many_trials(many: Space) -> None:
    evaluate = Pausing(epochs=18)
    run = search(many, evaluate, trials=40, run="r", sampler="random")
    assert run.settings["rungs"] == [2, 6]
    counts = {epochs: sum(row.epochs == epochs for row in run.trials) for epochs in (2, 6, 18)}
    assert sum(counts.values()) == 40
    assert counts[2] > counts[6] > 0
    assert counts[18] >= 4


def test_without_rungs_everything_is_trained_to_the_end(many: Space) -> None:
    run = Search(many, Pausing(), trials=16, rungs=False).run("r")
    assert {(row.state, row.epochs) for row in run.trials} == {("finished", 9)}


def test_rungs_may_be_named(many: Space) -> None:
    run = Search(many, Pausing(), trials=9, rungs=(1, 4), sampler="random").run("r")
    assert {row.epochs for row in run.trials} <= {1, 4, 9}
    assert run.settings["rungs"] == [1, 4]


@pytest.mark.parametrize("rungs", [(0, 3), (3, 3), (4, 2)])
def test_rungs_rise(many: Space, rungs: tuple[int, ...]) -> None:
    with pytest.raises(InvalidValue, match="rungs are rising numbers of epochs, got "):
        Search(many, Pausing(), rungs=rungs)


def test_the_front_is_of_designs_trained_to_the_end(many: Space) -> None:
    run = search(many, Pausing(), trials=16, run="r", sampler="random")
    assert {row.state for row in run.front()} == {"finished"}


def test_baselines_are_trained_to_the_end() -> None:
    space = load_space("spp-covid").with_io(input=Shape((3, 128, 128)), classes=3)
    # As if larger networks learned less: the papers' are the last that would go on.
    evaluate = Pausing()
    run = search(space, evaluate, trials=12, run="r", sampler="random", objectives=("params",))
    papers = [row for row in run.trials if row.baseline]
    assert len(papers) == 2
    assert {row.state for row in papers} == {"finished"}


def test_designs_that_cannot_be_judged_at_a_rung_go_on(many: Space) -> None:
    """An objective that is known only at the end."""

    class Late(Pausing):
        def advance(self, *arguments: Any) -> Any:
            reached = super().advance(*arguments)
            reached.metrics["late"] = 1.0
            return reached

    evaluate = Late()
    run = search(many, evaluate, trials=12, run="r", objectives=("late", "params"))
    assert {(row.state, row.epochs) for row in run.trials} == {("finished", 9)}
    assert len(set(evaluate.trained)) == len(evaluate.trained)


# -- evaluators that report but cannot pause ------------------------------------------------------


class Reporting:
    """A plain function that reports; a user's own catch-all does not keep it from ending."""

    def __init__(self, reports: int = 9) -> None:
        self.reports = reports
        self.calls: list[int] = []

    def __call__(self, candidate: Candidate, report: Report) -> dict[str, float]:
        self.calls.append(candidate.trial)
        accuracy = candidate.cost.params / 1e5
        for step in range(self.reports):
            try:
                report(step, {"accuracy": accuracy * (step + 1)})
            except Exception:
                raise AssertionError("a stop is no error") from None
        return {"accuracy": accuracy * self.reports}


def test_a_plain_function_is_stopped_at_a_rung_and_never_restarted(many: Space) -> None:
    evaluate = Reporting()
    run = search(many, evaluate, trials=24, run="r", objectives=("accuracy",), sampler="random")
    assert len(evaluate.calls) == len(set(evaluate.calls)) == 24
    assert run.settings["rungs"] == [3]
    by_epochs = {row.epochs: row.state for row in run.trials}
    assert by_epochs == {9: "finished", 3: "stopped"}
    best_so_far = 0
    for row in run.trials:  # in order of their beginning
        if row.cost["params"] > best_so_far:
            assert row.state == "finished"
            best_so_far = row.cost["params"]
    assert run.trials[0].state == "finished"


def test_a_function_that_never_reports_has_no_rungs(many: Space, recorder: Any) -> None:
    run = search(many, recorder, trials=14, run="r")
    assert run.settings["rungs"] == []
    assert {(row.state, row.epochs) for row in run.trials} == {("finished", 0)}


def test_few_reports_have_no_rungs(many: Space) -> None:
    run = search(many, Reporting(5), trials=14, run="r")
    assert {row.state for row in run.trials} == {"finished"}


# -- what the sampler learns ----------------------------------------------------------------------


def trial(state: str, number: int, **attributes: Any) -> optuna.trial.FrozenTrial:
    values = attributes.pop("values", None)
    made = optuna.trial.create_trial(
        state=optuna.trial.TrialState[state],
        values=values,
        params={"x": 0.5},
        distributions={"x": optuna.distributions.FloatDistribution(0, 1)},
        user_attrs=attributes,
    )
    made.number = number
    return made


WAYS = [optuna.study.StudyDirection.MAXIMIZE, optuna.study.StudyDirection.MINIMIZE]


def test_the_end_is_foreseen_by_the_median_gain_and_costs_stay() -> None:
    ended = [
        trial("COMPLETE", n, values=[0.5 + gain, 100.0], **{RUNGS: {"3": [0.5, 100.0]}})
        for n, gain in enumerate([0.1, 0.2, 0.4])
    ]
    course = Course(ended, WAYS)
    waits = trial("RUNNING", 3, **{RUNGS: {"3": [0.3, 50.0]}})
    assert course.foreseen(waits, 3) == pytest.approx([0.5, 50.0])
    # Never better than what was measured.
    good = trial("RUNNING", 4, **{RUNGS: {"3": [0.8, 50.0]}})
    assert course.foreseen(good, 3) == pytest.approx([0.9, 50.0])
    assert course.foreseen(good, 9) is None
    # What was itself foreseen says nothing of gains.
    stopped = [trial("COMPLETE", 9, values=[9, 9], **{RUNGS: {"3": [0.1, 1.0]}, STOPPED_AT: 3})]
    assert Course(ended + stopped, WAYS).foreseen(waits, 3) == pytest.approx([0.5, 50.0])


def test_to_a_sampler_paused_trials_look_finished_and_its_own_is_not_there() -> None:
    seen: list[list[tuple[int, str]]] = []

    class Looking(optuna.samplers.RandomSampler):
        def sample_independent(self, study: Any, *rest: Any) -> Any:
            seen.append([(t.number, t.state.name) for t in study.get_trials(deepcopy=False)])
            complete = study.get_trials(states=(optuna.trial.TrialState.COMPLETE,))
            assert all(len(t.values) == 2 for t in complete)
            return super().sample_independent(study, *rest)

    study = optuna.create_study(directions=WAYS, sampler=Foresight(Looking(seed=0)))
    study.add_trial(trial("COMPLETE", 0, values=[0.5, 1.0], **{RUNGS: {"3": [0.4, 1.0]}}))
    study.add_trial(trial("FAIL", 1))
    paused = study.ask()
    paused.set_user_attr(RUNGS, {"3": [0.3, 2.0]})
    paused.set_user_attr(PAUSED, {"epochs": 3})
    study.ask()
    study.ask().suggest_float("x", 0, 1)
    assert seen == [[(0, "COMPLETE"), (1, "FAIL"), (2, "COMPLETE"), (3, "RUNNING")]]
    # To everybody else it is as it was.
    assert study.trials[2].state.name == "RUNNING"


def test_stopped_trials_are_told_what_they_would_have_reached(many: Space) -> None:
    run = search(
        many,
        Pausing(),
        trials=16,
        run="r",
        objectives=("accuracy", "params"),
        sampler="random",
        storage="sqlite:///study.db",
    )
    study = optuna.load_study(study_name="r", storage="sqlite:///study.db")
    rows: dict[int, Trial] = {row.trial: row for row in run.trials}
    stopped = [t for t in study.trials if STOPPED_AT in t.user_attrs]
    assert {t.number for t in stopped} == {n for n, r in rows.items() if r.state == "stopped"}
    assert stopped
    for told in stopped:
        row = rows[told.number]
        assert told.state == optuna.trial.TrialState.COMPLETE
        assert told.values[1] == row.cost["params"]
        assert told.values[0] > row.values["accuracy"]


# -- trainings ------------------------------------------------------------------------------------


def test_a_training_that_paused_ends_with_the_same_weights_and_metrics(
    few: Space, tmp_path: Path
) -> None:
    import torch

    train = Train("digits", recipe("quick", epochs=4), image_size=8, device="cpu")
    _, split = train.data()
    some = split.train[:160]
    space = few.with_io(input=Shape((3, 8, 8)), classes=10)
    network = space.bind(space.sample(random.Random(0)))
    whole, model = train.train(network, some, split.val)
    reports: list[int] = []
    for until in (1, 3, 3, None):
        fitted, paused = train.train(
            network,
            some,
            split.val,
            lambda step, metrics: reports.append(step),
            tmp_path / "trial",
            until,
        )
        assert fitted.over == (until is None)
        assert len(fitted.history) == (until or 4)
    assert reports == [1, 2, 3, 4]
    assert fitted.metrics == whole.metrics
    assert fitted.history == whole.history
    for name, value in model.state_dict().items():
        assert torch.equal(value, paused.state_dict()[name]), name


@pytest.mark.slow
def test_trainings_in_a_search_go_on_from_their_rung(few: Space) -> None:
    class Counting(Train):
        """Counts the epochs that are trained, in whatever call."""

        epochs: ClassVar[list[tuple[int, int]]] = []

        def advance(self, candidate: Any, report: Any, *rest: Any) -> Any:
            def counted(step: int, metrics: Any) -> None:
                self.epochs.append((candidate.trial, step))
                report(step, metrics)

            return super().advance(candidate, counted, *rest)

    space = few.with_io(input=Shape((3, 8, 8)), classes=10)
    train = Counting("digits", recipe("quick", epochs=6), image_size=8, device="cpu")
    run = Search(space, train, trials=6, rungs=(2,), sampler="random").run("r")
    assert len(run.trials) == 6
    states = {row.trial: (row.state, row.epochs) for row in run.trials}
    assert sorted(states.values()).count(("finished", 6)) >= 2
    assert set(states.values()) == {("finished", 6), ("stopped", 2)}
    assert len(set(train.epochs)) == len(train.epochs) == sum(e for _, e in states.values())
    # The result is that of a training on its own.
    row = next(row for row in run.trials if row.state == "finished")
    alone = Train("digits", recipe("quick", epochs=6), image_size=8, device="cpu")
    assert alone(row, lambda step, metrics: None) == row.values
