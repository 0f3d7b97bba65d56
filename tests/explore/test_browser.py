"""The page in a real browser: turned with the keyboard, clicked, reloaded, on a phone."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dse.cost import Budget
from dse.network import parse_network
from dse.resources import resource_dir
from dse.runs import open_run
from dse.search import Candidate, Report, Search
from dse.space import load_space
from tests.browser import PHONE, opened
from tests.explore.test_options import NARROW

pytestmark = pytest.mark.slow

SPACE = "hybrid-mobilenet"


@contextmanager
def explored(folder: Path, *arguments: object) -> Iterator[str]:
    """The address of `dse explore`, which ends with the context."""
    server = subprocess.Popen(
        [sys.executable, "-m", "dse", "explore", "--no-browser", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "DSE_DEVICES": str(folder / "devices")},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=60) in (0, 130)


def found(candidate: Candidate, report: Report) -> dict[str, float]:
    return {"accuracy": 1 - 1 / (1 + candidate.cost.params) ** 0.1}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a run that has ended."""
    monkeypatch.chdir(tmp_path)
    text = (resource_dir("searchspaces") / f"{SPACE}.yaml").read_text()
    space = load_space(SPACE)
    Search(
        space, found, Budget(params=3e6), trials=6, sampler="random", files={"space.yaml": text}
    ).run("r")
    return tmp_path


def settled(page: Any) -> str:
    """The design's name, once the address holds it."""
    page.wait_for_timeout(200)  # what was pressed has arrived
    page.locator("main[aria-busy=false]").wait_for(timeout=60_000)
    return str(page.inner_text("#name"))


def test_a_design_is_turned_seen_kept_and_put_into_a_run(browser: Any, folder: Path) -> None:
    with explored(folder, "--run", "r") as address, opened(browser, address) as page:
        page.wait_for_selector("#cloud .scatterlayer .point")
        page.wait_for_selector("#fronts .scatterlayer .point")
        first = settled(page)
        # With the keyboard alone.
        slider = page.locator("#holes input[type=range]").first
        slider.focus()
        before = page.inner_text("#source"), page.inner_html("#drawing"), page.url
        last = slider.input_value() == slider.get_attribute("max")
        page.keyboard.press("ArrowLeft" if last else "ArrowRight")
        second = settled(page)
        assert second != first
        after = page.inner_text("#source"), page.inner_html("#drawing"), page.url
        assert all(old != new for old, new in zip(before, after, strict=True))
        assert page.locator("#source .fresh").count() > 0
        # The address is the design.
        page.reload()
        assert settled(page) == second
        page.go_back()
        assert settled(page) == first
        # A trial of the run, from the front.
        page.evaluate(
            "document.querySelector('#fronts').emit('plotly_click', "
            "{points: [{customdata: {run: 'r', trial: 3}}]})"
        )
        settled(page)
        assert "this design is trial 3" in page.inner_text("#beside")
        # Over the budget, said in words and in place.
        page.fill("#gauges input >> nth=0", "1k")
        page.keyboard.press("Tab")
        settled(page)
        assert "over the budget in parameters" in page.inner_text("#verdict")
        assert page.locator("[data-state=over]").count() > 0
        page.fill("#gauges input >> nth=0", "none")
        page.keyboard.press("Tab")
        # A random design that is new to the run.
        while "this design is trial" in page.inner_text("#beside"):
            page.click("#random")
            name = settled(page)
        page.fill("#as", "mine")
        page.click("#save")
        page.locator("#said", has_text="saved as").wait_for()
        kept = parse_network((folder / "designs/mine.json").read_text(), "mine")
        space = load_space(SPACE)
        decisions = space.locate(kept)
        assert decisions is not None
        assert space.bind(decisions).name == name
        page.click("#enqueue")
        page.locator("#said", has_text=re.compile(r"as trial \d+")).wait_for()
        assert len(open_run("r").trials) == 6


def test_a_training_is_followed_and_cancelled(browser: Any, folder: Path) -> None:
    with (
        explored(folder, "hl-cnn", "--image-size", 32) as address,
        opened(browser, address) as page,
    ):
        settled(page)
        page.fill("#dataset", "digits")
        page.fill("#epochs", "500")
        page.click("#train")
        page.locator(".job pre", has_text="recipe").wait_for(timeout=120_000)
        page.click(".job button")
        page.locator(".job .tag", has_text=re.compile("^cancelled$")).wait_for()
        assert "go on with: dse train" in page.inner_text(".job pre")


def test_an_impossible_design_says_why_in_its_place(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "narrow.yaml").write_text(NARROW)
    with explored(tmp_path, "--space", "narrow.yaml") as address, opened(browser, address) as page:
        page.goto(f"{address}#a.kernel=5&b.kernel=1&c.kernel=1")
        page.reload()
        settled(page)
        drawing = page.inner_html("#drawing")
        assert page.locator("[data-state=bad]").count() > 0
        page.focus("input[name='b.kernel']")
        page.keyboard.press("ArrowRight")
        page.wait_for_selector(".hole.wrong .why")
        assert "the kernel must fit the padded map" in page.inner_text(".hole.wrong .why")
        assert page.inner_html("#drawing") == drawing
        assert page.is_disabled("#save")
        page.keyboard.press("ArrowLeft")
        page.wait_for_selector(".hole.wrong", state="detached")
        assert page.is_enabled("#save")


def test_on_a_phone_nothing_is_wider_than_the_page(browser: Any, folder: Path) -> None:
    with explored(folder, "--space", "lightweight") as address:
        for scheme in ("light", "dark"):
            with opened(browser, address, viewport=PHONE, color_scheme=scheme) as page:
                page.wait_for_selector("#cloud .main-svg")
                settled(page)
                assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
                unnamed = page.evaluate(
                    "[...document.querySelectorAll('button, input, select')].filter((e) => "
                    "!(e.labels?.length || e.textContent.trim() || e.ariaLabel)).length"
                )
                assert unnamed == 0
