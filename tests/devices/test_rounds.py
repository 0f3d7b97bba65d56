"""What is made of calls: warm-up, rounds, medians and their intervals."""

from __future__ import annotations

import random
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.devices.base import Taken
from dse.devices.rounds import latency_of, ratio_of, spread_of
from dse.devices.timing import repeat, timed_by_processor, warm_up

TIMES = st.floats(0.01, 1000)
ROUNDS = st.lists(st.lists(TIMES, min_size=1, max_size=5), min_size=1, max_size=60)


class Clock:
    """Calls that take what they are told to, the last of them for ever."""

    def __init__(self, *milliseconds: float, wait: float = 0.0) -> None:
        self.calls = 0
        self._milliseconds = milliseconds
        self._wait = wait

    def taken(self) -> Taken:
        now = self._milliseconds[min(self.calls, len(self._milliseconds) - 1)]
        self.calls += 1
        return Taken(now + self._wait, now)


def test_calls_are_timed_by_both_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    class Time:
        now = busy = 0.0

        def perf_counter(self) -> float:
            return self.now

        def process_time(self) -> float:
            return self.busy

    clock = Time()

    def call() -> None:
        clock.now += 0.005
        clock.busy += 0.002

    monkeypatch.setattr(import_module("dse.devices.timing"), "time", clock)
    assert timed_by_processor(call)() == pytest.approx(Taken(5.0, 2.0))


def test_the_warm_up_goes_on_until_the_median_has_settled() -> None:
    steady = Clock(900.0, 10.0)
    assert warm_up(steady.taken) == 1 + 5 + 5
    slowly = Clock(900.0, *np.linspace(30, 10, 40), 10.0)
    assert warm_up(slowly.taken) > 40
    fast = Clock(0.1)
    assert warm_up(fast.taken) >= 2 * 200  # windows last 20 ms


def test_the_warm_up_ends_where_nothing_settles() -> None:
    rng = random.Random(0)
    restless = Clock(*[10.0 * rng.choice([1, 1, 3]) ** (i // 5 % 2) for i in range(10_000)])
    assert warm_up(restless.taken) < 1_000
    assert warm_up(Clock(1_500.0).taken) == 3  # two seconds are over with the second that counts


def test_a_round_lasts_as_long_as_asked_and_is_never_empty() -> None:
    clock = Clock(90.0, 2.0, wait=0.5)
    assert repeat(clock.taken, 10.0) == [Taken(2.5, 2.0)] * 4  # the first call does not count
    assert len(repeat(Clock(5_000.0).taken, 10.0)) == 1


@given(ROUNDS)
def test_a_spread_is_in_order_and_within_what_was_seen(rounds: list[list[float]]) -> None:
    spread = spread_of(rounds)
    every = [call for calls in rounds for call in calls]
    assert min(every) <= spread.low_ms <= spread.median_ms <= spread.high_ms <= max(every)
    assert spread.median_ms <= spread.p95_ms <= max(every)


@given(ROUNDS, st.randoms(use_true_random=False))
def test_the_order_of_rounds_is_no_matter(rounds: list[list[float]], rng: random.Random) -> None:
    turned = [rng.sample(calls, len(calls)) for calls in rng.sample(rounds, len(rounds))]
    assert spread_of(turned) == pytest.approx(spread_of(rounds))


def test_a_round_of_many_calls_weighs_as_much_as_one_of_few() -> None:
    """A fast moment holds many calls in its time, and is not more of the time for that."""
    spread = spread_of([[1.0] * 100, [2.0, 2.0], [3.0]])
    assert spread.median_ms == 2.0
    assert spread.p95_ms == 3.0


def test_the_interval_leaves_out_one_round_in_twenty() -> None:
    rounds = [[float(value)] for value in range(200)]
    spread = spread_of(rounds)
    assert (spread.low_ms, spread.high_ms) == (4.0, 195.0)
    assert spread.median_ms == pytest.approx(99.5)


def moody(rng: np.random.Generator, rounds: int, level: float) -> tuple[list[list[float]], float]:
    """Rounds on a busy machine, which drifts between moods for as long as many rounds take."""
    found = []
    for _ in range(rounds):
        level = 0.9 * level + rng.normal(0, 0.4)
        mood = 1.0 + 0.5 / (1 + np.exp(-2 * level))
        found.append([float(mood * (1 + 0.03 * rng.random()))])
    return found, level


def test_a_second_run_on_a_busy_machine_is_within_the_interval_of_the_first() -> None:
    """And the interval of independent rounds would hold far fewer."""
    rng = np.random.default_rng(0)
    held = naive = 0
    level = 0.0
    for _ in range(100):
        first, level = moody(rng, 60, level)
        _, level = moody(rng, 30, level)
        second, level = moody(rng, 60, level)
        spread, again = spread_of(first), spread_of(second).median_ms
        held += spread.low_ms <= again <= spread.high_ms
        medians = [np.median(calls) for calls in first]
        half = 1.96 * 1.25 * np.std(medians) / np.sqrt(len(medians))
        naive += abs(again - spread.median_ms) <= half
    assert held >= 85
    assert naive < 65


def test_the_headline_is_the_clock_that_others_disturb_least() -> None:
    rounds = [[Taken(9.0, 2.0), Taken(5.0, 2.0)], [Taken(7.0, 3.0)]]
    alone = latency_of(rounds, "x")
    assert (alone.clock, alone.median_ms, alone.wall.median_ms) == ("cpu", 2.5, 7.0)
    assert alone.runs == 3
    several = latency_of(rounds, "x", batch=14, threads=2)
    assert (several.clock, several.median_ms, several.processor.median_ms) == ("wall", 7.0, 2.5)
    assert several.images_per_second == pytest.approx(2000)
    assert latency_of(rounds, "x", processor="cuda").clock == "gpu"


def test_a_ratio_is_taken_round_by_round() -> None:
    """What slows a round slows both."""
    slow = [[Taken(1.0, 2.0 * mood)] for mood in (1, 5, 3, 9)]
    fast = [[Taken(1.0, 1.0 * mood)] for mood in (1, 5, 3, 9)]
    ratio = ratio_of(slow, fast, "cpu")
    assert (ratio.low, ratio.median, ratio.high) == (2, 2, 2)
    assert ratio_of(slow, fast, "wall").median == 1
