"""Several runs together: what is one experiment, what is comparable, who beats whom."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.errors import InvalidValue
from dse.report import comparison_document, write_markdown, write_report
from dse.report.comparison import Comparison, read_comparison
from dse.report.progress import elapsed
from dse.report.wording import NONE
from dse.runs import Run, Trial, front

from .conftest import SETTINGS, write_run
from .test_page import Page, words

Make = Callable[..., Run]


@pytest.fixture
def make(tmp_path: Path, trials: list[Trial]) -> Make:
    """Runs that differ in their settings, and by how much their designs are better."""

    def make(name: str, better: float = 0.0, **settings: Any) -> Run:
        rows = [
            replace(
                trial,
                values={**trial.values, "accuracy": trial.values["accuracy"] + better},
            )
            if trial.values and not trial.baseline
            else trial
            for trial in trials
        ]
        return write_run(tmp_path / "runs" / name, rows, {**SETTINGS, **settings})

    return make


def read(*runs: Run) -> Comparison:
    return read_comparison(runs)


def test_runs_with_and_without_rungs_are_not_one_search(make: Make) -> None:
    found = read(make("a-0", rungs=[4]), make("a-1", seed=1, rungs=[]))
    assert [len(group.runs) for group in found.groups] == [1, 1]
    assert found.differences == [("rungs (epochs)", ["4", NONE])]


def test_runs_that_differ_only_in_the_seed_are_one(make: Make) -> None:
    runs = [make(f"a-{seed}", 0.01 * seed, seed=seed) for seed in range(3)]
    found = read(*runs, make("b", sampler="random"))
    assert [group.title for group in found.groups] == ["a (3 seeds)", "b"]
    assert found.groups[0].seeds == "seeds 0, 1, 2"
    assert [name for name, _ in found.differences] == ["sampler"]
    curve, alone = found.curves["trials"]
    assert (curve.seeds, len(curve.band), alone.band) == (3, len(curve.x), ())
    assert all(
        low <= mean <= high for mean, (low, high) in zip(curve.mean, curve.band, strict=True)
    )


def test_two_runs_of_one_seed_are_no_repetition(make: Make) -> None:
    assert len(read(make("a-0"), make("a-1")).groups) == 2


def test_a_run_cannot_be_compared_with_itself(make: Make) -> None:
    run = make("a")
    with pytest.raises(InvalidValue, match="once, got a twice"):
        read(run, run)


def test_scores_on_different_data_are_not_compared(make: Make, tmp_path: Path) -> None:
    other = {**SETTINGS["data"], "name": "digits", "digest": "ffff0000aaaa1111"}
    runs = [make("a"), make("b", data=other)]
    found = read(*runs)
    assert "digits ffff0000 in b" in found.cost_only
    assert (found.curves, found.coverage, found.beaten, found.y_axes) == ({}, [], {}, ())
    page = Page(write_report(runs, tmp_path / "page.html").read_text())
    text = words(page)
    assert "Compared by cost only." in text
    assert "There is no common front" in text
    assert not {"accuracy", "loss"} & set(page.data["pareto-data"]["y"])
    assert "compared" not in page.ids
    document = comparison_document(runs, tmp_path / "page.html")
    assert document["compared"] == "cost"
    assert document["advice"] == []


def test_other_epochs_are_told_as_a_reason_for_other_scores(make: Make) -> None:
    found = read(make("a"), make("b", epochs=2))
    assert found.cost_only == ""
    assert found.cautions == [
        "The runs differ in epochs (10 in a; 2 in b), which changes scores by itself."
    ]


def test_a_run_that_is_better_in_everything_covers_the_other(make: Make) -> None:
    found = read(make("good", 0.05, sampler="tpe"), make("poor", -0.05, sampler="random"))
    assert found.coverage == [[None, 1.0], [0.0, None]]
    good, poor = found.curves["trials"]
    assert good.mean[-1] > poor.mean[-1]


def test_who_beats_the_papers_networks(make: Make) -> None:
    found = read(make("good", 0.3), make("poor", -0.5, sampler="random"))
    assert list(found.beaten) == [
        "spp-covid-net",
        "squeezenet-1.1",
        "darkcovidnet",
        "mobilenet-v1",
    ]
    for good, poor in found.beaten.values():
        assert (good.tried, good.runs, poor.tried, poor.runs) == (1, 1, 1, 0)
        assert good.example is not None
        assert good.preset is not None
        assert not good.example.baseline
        assert good.example.cost["params"] <= good.preset.cost["params"]
        assert good.example.values["accuracy"] >= good.preset.values["accuracy"]


def test_hypervolume_is_that_of_the_front_and_never_falls(make: Make) -> None:
    found = read(make("a"))
    (curve,) = found.curves["trials"]
    assert curve.x[0] == 0
    assert curve.x[-1] == len(found.first.trials)
    assert list(curve.mean) == sorted(curve.mean)
    assert 0 < curve.mean[-1] < 1
    # With the front alone nothing is lost.
    best = {trial.trial for trial in found.first.front()}
    worst = [t for t in found.first.finished if t.values["accuracy"] == 0.7]
    assert worst  # the box stays the same, or the shares would not compare
    kept = replace(
        found.first,
        trials=tuple(
            t
            for t in found.first.trials
            if t.trial in best or t in worst or t.cost["params"] == max_params(found)
        ),
    )
    (again,) = Comparison((kept,)).curves["trials"]
    assert again.mean[-1] == pytest.approx(curve.mean[-1])


def max_params(found: Comparison) -> int:
    return max(trial.cost["params"] for trial in found.first.finished)


def test_wall_time_leaves_out_what_passed_between_two_sessions(make: Make) -> None:
    run = make("a")
    began = datetime.fromisoformat("2026-03-01T10:00:00+00:00")
    ends = [began + timedelta(seconds=70 * (n + 1), days=int(n >= 5)) for n in range(8)]
    rows = [
        replace(trial, ended=end.isoformat(), seconds=60.0)
        for trial, end in zip(run.trials, ends, strict=False)
    ]
    (run.folder / "trials.jsonl").write_text("".join(json.dumps(vars(row)) + "\n" for row in rows))
    found = read(run)
    assert found.timed
    assert elapsed(found.first) == [70, 140, 210, 280, 350, 410, 480, 550]


def test_rows_without_a_time_count_what_their_trials_took(make: Make) -> None:
    found = read(make("a"))
    assert not found.timed
    assert elapsed(found.first)[:2] == [61.5, 123.0]


def test_the_page_of_several_runs(make: Make, tmp_path: Path) -> None:
    runs = [make(f"a-{seed}", 0.01 * seed, seed=seed) for seed in range(2)]
    runs.append(make("b", 0.02, sampler="random"))
    path = write_report(runs, tmp_path / "page.html")
    assert path.stat().st_size < 6_000_000
    page = Page(path.read_text())
    assert len(set(page.ids)) == len(page.ids)
    text = words(page)
    assert "a stands for 2 runs that differ in nothing but the seed (seeds 0, 1)" in text
    assert "the range of both for two" in text
    assert "hv" in page.data["by-trials-data"]["traces"][-1]["line"]["shape"]
    assert "95% bands of its distribution" in text  # b is random
    assert [run["name"] for run in page.data["pareto-data"]["runs"]] == ["a-0", "a-1", "b"]


def test_runs_without_finished_trials_beside_one_with_them(make: Make, tmp_path: Path) -> None:
    empty = write_run(tmp_path / "runs" / "empty", [], {**SETTINGS, "seed": 9})
    text = words(Page(write_report([make("a"), empty], tmp_path / "page.html").read_text()))
    assert "no trial has finished" in text
    text = words(Page(write_report([empty], tmp_path / "page.html").read_text()))
    assert "No trial has finished." in text


def test_markdown_has_its_pictures_beside_it(make: Make, tmp_path: Path) -> None:
    runs = [make("a"), make("b", 0.02, sampler="random")]
    text, *pictures = write_markdown(runs, tmp_path / "out" / "R.md")
    told = text.read_text()
    assert {f"![{name}" for name in ("validation accuracy", "hypervolume")} <= {
        line[: line.index(" against")] for line in told.splitlines() if " against" in line
    }
    for picture in pictures:
        assert f"({picture.name})" in told
        svg = picture.read_text()
        assert svg.startswith('<svg xmlns="http://www.w3.org/2000/svg"')
        assert "prefers-color-scheme: dark" in svg
        assert "nan" not in svg.lower()


def test_hostile_names_stay_text_in_markdown(tmp_path: Path, trials: list[Trial]) -> None:
    name = "<script>|[x](javascript:1)\n# `y`"
    rows = [replace(trial, name=name, reason=name) for trial in trials]
    settings = {**SETTINGS, "space": name, "sampler": name, "winner": 16}
    files = write_markdown(write_run(tmp_path / "r", rows, settings), tmp_path / "R.md")
    told = files[0].read_text()
    assert "<script>" not in told
    assert "\n# `" not in told
    assert "](javascript" not in told.replace("\\]", "")
    for picture in files[1:]:
        assert "<script>" not in picture.read_text()


def test_the_document_of_several_is_json(make: Make, tmp_path: Path) -> None:
    runs = [make("a"), make("b", 0.05, sampler="random")]
    found = comparison_document(runs, tmp_path / "page.html")
    json.dumps(found, allow_nan=False)
    assert [run["run"] for run in found["runs"]] == ["a", "b"]
    assert found["differences"] == {"sampler": {"a": "tpe", "b": "random"}}
    assert {row["front"] for row in found["coverage"]} == {"a", "b"}
    assert found["advice"][0]["budget"] == {"params": 4e6}


@given(
    st.lists(
        st.tuples(st.integers(1, 9), st.integers(0, 9).map(lambda n: n / 10)),
        min_size=1,
        max_size=30,
    )
)
def test_a_front_is_what_no_other_beats(points: list[tuple[int, float]]) -> None:
    rows = [
        Trial(n, "x", "finished", False, {}, {}, "", {"params": size}, values={"accuracy": score})
        for n, (size, score) in enumerate(points)
    ]
    kept = {trial.trial for trial in front(rows, ("accuracy", "params"))}
    for n, (size, score) in enumerate(points):
        beaten = any(
            s <= size and q >= score and ((s, q) != (size, score) or m < n)
            for m, (s, q) in enumerate(points)
        )
        assert (n in kept) != beaten
