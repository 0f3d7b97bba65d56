"""The live view of a search: what it shows, and that it fits into any terminal."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from itertools import pairwise
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from dse.cli.live import View
from dse.cli.live_rows import time_text
from dse.cli.sparkline import BLOCKS, PLAIN, sparkline
from dse.cost import cost
from dse.presets import load_preset
from dse.runs import COST_KEYS, Trial
from dse.search import Candidate

NETWORK = load_preset("hybrid-mobilenet", alpha=0.25, delta=1)
COST = cost(NETWORK)


def candidate(trial: int, name: str = "") -> Candidate:
    return Candidate(trial, name or f"design-{trial}", NETWORK, {}, COST)


def row(trial: int, accuracy: float, *, params: int = 1000, name: str = "") -> Trial:
    return Trial(
        trial=trial,
        name=name or f"design-{trial}",
        state="finished",
        baseline=False,
        choices={},
        design={},
        digest=str(trial),
        cost={**{key: getattr(COST, key) for key in COST_KEYS}, "params": params},
        values={"accuracy": accuracy},
        history=[{"step": 1, "accuracy": accuracy / 2}, {"step": 2, "accuracy": accuracy}],
        epochs=2,
    )


class Clock:
    """Goes on when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def view(clock: Clock) -> View:
    made = View("covid-1", "accuracy", ("accuracy", "params"), epochs=10, clock=clock)
    made.began(0, 10)
    return made


def drawn(view: View, columns: int = 100, rows: int = 30, encoding: str = "utf-8") -> list[str]:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(file=file, width=columns, height=rows, force_terminal=True, no_color=True)
    console.print(view)
    file.seek(0)
    text = re.sub(r"\x1b\[[0-9;]*m", "", file.read())
    return [line.rstrip() for line in text.splitlines()]


def line_with(lines: list[str], text: str) -> str:
    found = [line for line in lines if text in line]
    assert len(found) == 1, lines
    return found[0]


def test_a_training_shows_its_curve_its_last_value_and_its_cost(view: View, clock: Clock) -> None:
    view.started(candidate(3))
    for step, value in enumerate((0.2, 0.4, 0.6), start=1):
        view.reported(candidate(3), step, {"accuracy": value, "loss": 1.0})
    clock.now += 75
    words = line_with(drawn(view), "design-3").split()
    assert words == ["3", "design-3", "▁▅█", "0.600", "3", f"{COST.params:,}", "1:15"]


def test_a_design_runs_until_it_pauses_or_ends(view: View) -> None:
    for trial in (1, 2):
        view.started(candidate(trial))
    assert "design-1" in " ".join(drawn(view))
    view.paused(candidate(1))
    lines = drawn(view)
    assert "design-1" not in " ".join(lines)
    assert lines[0].endswith("1 paused")
    view.started(candidate(1))
    assert "paused" not in drawn(view)[0]
    view.ended(row(2, 0.9), [])
    assert "design-2" not in " ".join(drawn(view))
    assert " 1/10 " in drawn(view)[0]


def test_a_curve_goes_on_where_it_paused(view: View) -> None:
    view.started(candidate(1))
    view.reported(candidate(1), 1, {"accuracy": 0.1})
    view.paused(candidate(1))
    view.started(candidate(1))
    view.reported(candidate(1), 2, {"accuracy": 0.2})
    assert "▁█" in line_with(drawn(view), "design-1")


def test_the_front_stands_below_best_first_and_says_how_much_is_left_out(view: View) -> None:
    front = [row(n, 0.9 - n / 100, params=5000 - n) for n in range(9)]
    view.ended(front[0], front)
    lines = drawn(view)
    title = next(
        i for i, line in enumerate(lines) if "front of accuracy and params (6 of 9)" in line
    )
    assert [line.split()[0] for line in lines[title + 1 :]] == list("012345")
    assert lines[title + 1].split() == ["0", "design-0", "▁█", "0.900", "2", "5,000", "0:00"]


def test_costs_other_than_parameters_where_those_are_aimed_at(clock: Clock) -> None:
    view = View("r", "accuracy", ("accuracy", "macs", "latency_ms"), clock=clock)
    view.began(0, 2)
    timed = replace(row(0, 0.5), latency_ms=1.234)
    view.ended(timed, [timed])
    lines = drawn(view)
    assert lines[1].split()[-4:] == ["step", "MACs", "ms", "time"]
    assert lines[2].split()[-4:] == ["2", f"{COST.macs:,}", "1.23", "0:00"]


def test_time_left_counts_what_is_half_done(view: View, clock: Clock) -> None:
    assert view.left is None
    view.started(candidate(0))
    for step in range(1, 6):
        view.reported(candidate(0), step, {"accuracy": 0.5})
    clock.now += 30  # half of the first of ten
    assert view.left == (pytest.approx(570.0), False)
    view.ended(row(0, 0.5), [])
    assert view.left == (pytest.approx(270.0), False)


def test_of_two_ends_the_nearer_one_is_told(clock: Clock) -> None:
    view = View("r", "accuracy", ("accuracy",), time_limit=100, clock=clock)
    view.began(0, 10)
    assert view.left == (100.0, True)
    clock.now += 60
    view.ended(row(0, 0.5), [])
    assert view.left == (40.0, True)
    assert "at most 0:40 left" in drawn(view)[0]
    for trial in range(1, 9):
        view.ended(row(trial, 0.5), [])
    assert view.left == (pytest.approx(60 / 9), False)
    assert "about 0:06 left" in drawn(view)[0]


def test_what_was_done_before_does_not_make_a_resumed_search_look_fast(
    view: View, clock: Clock
) -> None:
    view.began(8, 10)
    clock.now += 50
    view.ended(row(8, 0.5), [])
    assert view.left == (pytest.approx(50.0), False)


def test_an_evaluator_that_never_reports_is_shown_without_a_curve(clock: Clock) -> None:
    view = View("r", "zico", ("zico", "params"), clock=clock)
    view.began(0, 2)
    view.started(candidate(0))
    assert line_with(drawn(view), "design-0").split() == [
        "0",
        "design-0",
        f"{COST.params:,}",
        "0:00",
    ]


def test_a_terminal_without_blocks_gets_plain_marks(view: View) -> None:
    view.started(candidate(3))
    for step, value in enumerate((0.2, 0.4, 0.6), start=1):
        view.reported(candidate(3), step, {"accuracy": value})
    assert ".+@" in line_with(drawn(view, encoding="ascii"), "design-3")


@given(
    columns=st.integers(20, 200),
    rows=st.integers(1, 60),
    running=st.integers(0, 12),
    front=st.integers(0, 12),
    # Names of runs and networks are on one line.
    name=st.text(
        st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=60
    ),
)
def test_it_fits_into_any_terminal(
    columns: int, rows: int, running: int, front: int, name: str
) -> None:
    view = View(name, "balanced_accuracy", ("balanced_accuracy", "params", "macs"), epochs=9)
    view.began(0, 100)
    for trial in range(running):
        view.started(candidate(trial, name))
        view.reported(candidate(trial, name), 1, {"balanced_accuracy": nan})
    rows_ = [row(n, 0.5, name=name) for n in range(front)]
    if front:
        view.ended(rows_[0], rows_)
    console = Console(file=io.StringIO(), width=columns, height=rows, force_terminal=True)
    lines = console.render_lines(view)
    assert len(lines) <= max(1, rows - 3)
    assert all(sum(segment.cell_length for segment in line) <= columns for line in lines)


@given(
    values=st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=200),
    width=st.integers(1, 40),
)
def test_a_sparkline_is_as_long_as_its_values_and_no_wider_than_asked(
    values: list[float], width: int
) -> None:
    line = sparkline(values, 0.0, 1.0, width=width)
    assert len(line) == min(width, len(values))
    assert set(line) <= {*BLOCKS, " "}


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_a_sparkline_rises_where_its_values_do(values: list[float]) -> None:
    line = sparkline(values, 0.0, 1.0, width=12)
    heights = [BLOCKS.index(mark) for mark in line]
    for (a, b), (x, y) in zip(pairwise(values), pairwise(heights), strict=True):
        assert (x <= y) if a <= b else (x >= y)


def test_a_sparkline_spans_its_bounds_and_leaves_gaps() -> None:
    assert sparkline([0.0, 0.5, 1.0], 0.0, 1.0, width=8) == "▁▅█"
    assert sparkline([0.0, nan, inf, 1.0], 0.0, 1.0, width=8) == "▁  █"
    assert sparkline([0.0] * 4 + [1.0] * 4, 0.0, 1.0, width=2) == "▁█"
    assert sparkline([0.0, 1.0], 0.0, 1.0, width=8, marks=PLAIN) == ".@"
    assert sparkline([0.3], 0.3, 0.3, width=8) == "▅"


def test_times_read_as_on_a_clock() -> None:
    assert [time_text(s) for s in (0, 42.9, 725, 3725)] == ["0:00", "0:42", "12:05", "1:02:05"]
