"""What a run's trials say about its decisions."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from dse.runs import Trial
from dse.search.insight import LEAST_TRIALS, insight
from dse.space import Categorical, Choice, Integer
from tests.search.trials import trial

CHOICES: dict[str, Choice] = {
    "block": Categorical(("good", "fair", "bad")),
    "depth": Integer(1, 20),
    "colour": Categorical(("red", "green")),
    "inner": Categorical((True, False)),
}
WORTH = {"good": 0.2, "fair": 0.1, "bad": 0.0}


def run(count: int, metric: str = "accuracy", sign: float = 1.0) -> list[Trial]:
    """Trials whose metric depends on the block, and on the inner decision of good ones."""
    rng = random.Random(5)
    rows = []
    for number in range(count):
        block, depth = rng.choice(list(WORTH)), rng.randint(1, 20)
        choices = {"block": block, "depth": depth, "colour": rng.choice(("red", "green"))}
        value = 0.5 + WORTH[block] + rng.gauss(0, 0.01)
        if block == "good":
            choices["inner"] = rng.random() < 0.5
        rows.append(
            trial(number, {metric: sign * value}, params=rng.randint(1000, 9000), choices=choices)
        )
    return rows


def test_the_decision_that_matters_is_named() -> None:
    found = insight(run(90), CHOICES, "accuracy", None)
    assert found.trials == 90
    assert next(iter(found.importance)) == "block"
    assert sum(found.importance.values()) == pytest.approx(1)
    effects = {effect.option: effect for effect in found.effects if effect.decision == "block"}
    assert effects["good"].effect > effects["fair"].effect > effects["bad"].effect
    assert effects["good"].effect - effects["bad"].effect == pytest.approx(0.2, abs=0.02)
    low, high = effects["good"].interval or (0, 0)
    assert low < effects["good"].effect < high
    assert low > 0


def test_a_change_is_proposed_where_the_best_design_has_the_worse_option() -> None:
    rows = run(90)
    best = next(row for row in rows if row.choices["block"] == "fair")
    found = insight(rows, CHOICES, "accuracy", best)
    first = found.changes[0]
    assert (first.decision, first.present, first.better) == ("block", "fair", "good")
    assert first.interval[0] < first.gain < first.interval[1]
    assert first.gain == pytest.approx(0.1, abs=0.02)


def test_less_is_better_where_the_metric_says_so() -> None:
    rows = run(90, "loss", -1.0)
    best = next(row for row in rows if row.choices["block"] == "fair")
    found = insight(rows, CHOICES, "loss", best)
    assert next(iter(found.importance)) == "block"
    assert found.changes[0].better == "good"
    assert found.changes[0].gain < 0


def test_an_effect_is_one_at_equal_cost() -> None:
    rng = random.Random(1)
    rows = []
    for number in range(60):
        wide = rng.random() < 0.5
        params = rng.randint(8000, 9000) if wide else rng.randint(1000, 2000)
        accuracy = 0.3 + params / 20_000
        choices = {"colour": "red" if wide else "green"}
        rows.append(trial(number, {"accuracy": accuracy}, params=params, choices=choices))
    red = next(e for e in insight(rows, CHOICES, "accuracy", None).effects if e.option == "red")
    assert red.mean > 0.65
    assert abs(red.effect) < 0.02


def test_long_ranges_are_split_in_two() -> None:
    found = insight(run(60), CHOICES, "accuracy", None)
    options = [effect.option for effect in found.effects if effect.decision == "depth"]
    assert len(options) == 2
    assert {option[0] for option in options} == {"<", ">"}


def test_of_a_short_run_nothing_is_said() -> None:
    rows = run(LEAST_TRIALS - 1)
    found = insight([*rows, replace(rows[0], state="failed")], CHOICES, "accuracy", rows[0])
    assert (found.trials, found.epochs, found.importance, found.effects, found.changes) == (
        LEAST_TRIALS - 1,
        None,
        {},
        (),
        (),
    )


def test_equal_values_say_nothing() -> None:
    rows = [replace(row, values={"accuracy": 0.5}) for row in run(30)]
    found = insight(rows, CHOICES, "accuracy", rows[0])
    assert found.changes == ()
    assert all(abs(effect.effect) < 1e-9 for effect in found.effects)


def test_where_few_finished_trials_are_compared_after_as_many_epochs() -> None:
    rows = [
        replace(
            row,
            state="finished" if number < 4 else "stopped",
            history=[
                {"step": epoch, "accuracy": row.values["accuracy"] - 0.3 / epoch}
                for epoch in range(1, 11 if number < 4 else 7 if number < 30 else 4)
            ],
        )
        for number, row in enumerate(run(90))
    ]
    found = insight(rows, CHOICES, "accuracy", rows[0])
    assert (found.trials, found.epochs) == (30, 6)
    assert next(iter(found.importance)) == "block"
    assert found.effects[0].mean < 0.7
