"""The page as readers meet it, in a real browser: plots drawn, points pressed, code copied."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dse.report import write_report
from dse.runs import Run, Trial
from tests.browser import DESKTOP, PHONE, opened

from .conftest import SETTINGS, ended_well, write_run
from .test_learned import learning_from

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow

_DRAWN = """() => [...document.querySelectorAll('.plot')].map(plot => [plot.id,
    plot.querySelectorAll('.trace, .point, path.js-line').length])"""
_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, trials: list[Trial]) -> str:
    """The page of a run with all that a run can have."""
    run = ended_well(tmp_path_factory.mktemp("page"), trials)
    learning_from(run)
    return write_report(run, run.folder / "report.html").as_uri()


def drawn(page: Page) -> dict[str, int]:
    page.wait_for_selector("#losses .main-svg")
    return dict(page.evaluate(_DRAWN))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_plot_is_drawn(browser: Browser, page: str, scheme: str) -> None:
    with opened(browser, page, color_scheme=scheme) as shown:
        plots = drawn(shown)
        assert plots.keys() >= {"pareto", "by-trials", "by-time", "edf", "importance", "effects"}
        assert all(plots.values()), plots
        assert shown.evaluate(_WIDE) == 0
        names = shown.locator("#pareto .annotation").all_text_contents()
        assert any("darkcovidnet" in name for name in names)


def test_axes_and_decisions_are_the_readers(browser: Browser, page: str) -> None:
    with opened(browser, page) as shown:
        drawn(shown)
        assert_apart([mark.bounding_box() for mark in shown.locator("#pareto .annotation").all()])

        def titled(axis: str, start: str) -> None:
            shown.wait_for_function(
                "([axis, start]) => document.querySelector(`#pareto .${axis}title`)"
                "?.textContent.startsWith(start)",
                arg=[axis, start],
            )

        titled("x", "parameters")
        shown.locator("#plot fieldset").get_by_text("MACs", exact=True).click()
        titled("x", "MACs for one image")
        up = shown.locator('select[data-axis="y"]')
        for option, title in (("loss", "validation loss"), ("latency_ms", "latency, ms")):
            up.select_option(option)
            titled("y", title)
        shown.locator('[data-shows="effects"]').select_option("1")
        shown.wait_for_function(
            "() => [...document.querySelectorAll('#effects .ytick')]"
            ".every(tick => tick.textContent.startsWith('attention = '))"
        )


def assert_apart(boxes: list[Any]) -> None:
    """That no two of at least four boxes overlap."""
    assert len(boxes) > 3
    for n, a in enumerate(boxes):
        for b in boxes[:n]:
            across = a["x"] < b["x"] + b["width"] and b["x"] < a["x"] + a["width"]
            along = a["y"] < b["y"] + b["height"] and b["y"] < a["y"] + a["height"]
            assert not (across and along)


def test_a_point_opens_its_card_and_the_code_is_copied(browser: Browser, page: str) -> None:
    with opened(browser, page, permissions=["clipboard-read", "clipboard-write"]) as shown:
        drawn(shown)
        star = shown.locator("#pareto .points path.point").last  # drawn last: the winner
        star.hover(force=True)
        shown.wait_for_selector(".hoverlayer .hovertext")
        box = star.bounding_box()
        assert box is not None
        shown.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        card = shown.locator("dialog[open]")
        card.wait_for()
        assert "covid-light-12" in card.locator("h2").inner_text()
        card.locator(".copy").click()
        card.get_by_text("Copied").wait_for()
        source = shown.evaluate("navigator.clipboard.readText()")
        assert "class CovidLight12(nn.Module):" in source
        compile(source, "copied", "exec")


def test_the_keyboard_is_enough(browser: Browser, page: str) -> None:
    with opened(browser, page) as shown:
        drawn(shown)
        opener = shown.locator("#front .open").nth(1)
        opener.focus()
        shown.keyboard.press("Enter")
        card = shown.locator("dialog[open]")
        card.wait_for()
        assert opener.inner_text() in card.locator("h2").inner_text()
        shown.keyboard.press("Escape")
        card.wait_for(state="hidden")
        assert shown.evaluate("document.activeElement.dataset.card") is not None
        option = shown.locator("[data-parallel] .option").first
        option.focus()
        shown.keyboard.press("Enter")
        assert option.get_attribute("aria-pressed") == "true"
        assert "designs have it" in shown.locator("[data-parallel-count]").inner_text()
        assert shown.locator("[data-parallel] polyline.dim").count() > 0


def test_a_phone_shows_it_without_sideways_scrolling(browser: Browser, page: str) -> None:
    with opened(browser, page, viewport=PHONE) as shown:
        drawn(shown)
        assert shown.evaluate(_WIDE) == 0
        shown.locator("#front .open").first.click()
        card = shown.locator("dialog[open]")
        card.wait_for()
        box = card.bounding_box()
        assert box is not None
        assert box["width"] <= PHONE["width"]


def test_without_scripts_the_result_is_still_read(browser: Browser, page: str) -> None:
    with opened(browser, page, java_script_enabled=False) as shown:
        assert "covid-light-12 (trial 16) won." in shown.locator("#result").inner_text()
        assert shown.locator("#winner svg").first.is_visible()


@pytest.fixture
def make(tmp_path: Path, trials: list[Trial]) -> Callable[..., Run]:
    def make(name: str, better: float = 0.0, **settings: Any) -> Run:
        rows = [
            replace(t, values={**t.values, "accuracy": t.values["accuracy"] + better})
            for t in trials
            if t.values
        ]
        return write_run(tmp_path / name, rows, {**SETTINGS, **settings})

    return make


def test_several_runs_and_hostile_names(browser: Browser, make: Callable[..., Run]) -> None:
    bad = "<img src=x onerror=console.error(1)>"
    runs = [make("a-0"), make("a-1", 0.01, seed=1), make("b", 0.02, sampler=bad)]
    rows = [replace(t, name=f"{bad}{t.trial}", choices={bad: bad}) for t in runs[2].trials]
    (runs[2].folder / "trials.jsonl").write_text(
        "".join(json.dumps(vars(row)) + "\n" for row in rows)
    )
    path = write_report(runs, runs[0].folder / "compared.html")
    with opened(browser, path.as_uri(), viewport=DESKTOP) as shown:
        shown.wait_for_selector("#edf .main-svg")
        plots = dict(shown.evaluate(_DRAWN))
        assert plots.keys() >= {"pareto", "by-trials", "by-time", "edf"}
        assert all(plots.values()), plots
        shown.locator("#front .open").first.click()
        shown.locator("dialog[open] h2").wait_for()
        assert shown.locator("img").count() == 0


def test_costs_of_runs_on_different_data(browser: Browser, make: Callable[..., Run]) -> None:
    data = {**SETTINGS["data"], "name": "digits", "digest": "0123456789abcdef"}
    path = write_report([make("a"), make("b", data=data)], make("c").folder / "page.html")
    with opened(browser, path.as_uri()) as shown:
        shown.wait_for_selector("#pareto .main-svg")
        assert shown.locator("#pareto .point").count() > 30
        assert str(shown.locator("#pareto .ytitle").text_content()).startswith("MACs")
