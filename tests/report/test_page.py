"""The page: complete, self-contained, honest, and safe from what it shows."""

from __future__ import annotations

import base64
import gzip
import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from dse.errors import InvalidValue
from dse.presets import load_preset
from dse.report import write_report
from dse.runs import Run, Trial

from .conftest import CLASSES, SETTINGS, make_trial, result, write_run

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7*7 }}</style>"


class Page(HTMLParser):
    """A page's elements, its text outside of scripts and styles, and its data."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.data: dict[str, Any] = {}
        self._inside = ""
        self._id = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        facts = dict(attrs)
        if facts.get("id"):
            self.ids.append(str(facts["id"]))
        self._inside = tag
        self._id = str(facts.get("id"))

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script" and self._id.endswith("-data"):
            self.data[self._id] = json.loads(data)
        elif self._inside not in ("script", "style"):
            self.text += data


def page_of(run: Run) -> Page:
    path = write_report(run, run.folder / "report.html")
    return Page(path.read_text(encoding="utf-8"))


def cards_of(page: Page) -> list[str]:
    """The markup of the cards that a page carries."""
    packed = re.search(r'id="cards">([^<]*)<', page.html)
    assert packed is not None
    sheets: list[str] = json.loads(gzip.decompress(base64.b64decode(packed[1])))
    return sheets


def words(page: Page) -> str:
    return " ".join(page.text.split())


def test_page_has_all_sections_in_order(run: Run) -> None:
    path = write_report(run, run.folder / "report.html")
    assert path.stat().st_size < 6_000_000
    page = Page(path.read_text(encoding="utf-8"))
    sections = ["result", "plot", "front", "winner", "trials", "conditions"]
    assert [name for name in page.ids if name in sections] == sections
    assert len(set(page.ids)) == len(page.ids)
    for name in ("pareto", "learning", "losses", "by-trials", "cards", "plotly"):
        assert name in page.ids
    assert [p.name for p in run.folder.glob(".report*")] == []


def test_page_states_the_result_and_its_doubt(run: Run) -> None:
    text = words(page_of(run))
    assert "covid-light-12 (trial 16) won." in text
    assert "83.1% (95% interval 78.2 to 88.0%)" in text
    assert "3.5 points above darkcovidnet, the best of the presets" in text
    assert "their intervals overlap, so this test does not settle" in text
    assert "synthetic chest phantoms, not patients" in text


def test_page_tells_how_it_was_run(run: Run) -> None:
    text = words(page_of(run))
    for fact in (
        "dse search --space covid-light",
        "at most 120,000,000 (FLOPs, 2 × MACs: 240,000,000)",
        "9f1c2ab07d3e4451",
        "720 train, 180 val, 225 test",
        "30 min 34 s",
        "2.9.0",
        "loss became nan in epoch 3",
    ):
        assert fact in text, fact


def test_page_shows_the_emitted_source(run: Run) -> None:
    text = page_of(run).text
    assert "class CovidLight12(nn.Module):" in text
    assert "import torch\n" in text


def test_page_asks_the_network_for_nothing(run: Run) -> None:
    page = page_of(run)
    assert "link" not in page.tags
    assert not [v for k, v in page.attributes if k in ("src", "srcset", "data")]
    links = [v for k, v in page.attributes if k == "href"]
    assert links
    assert all(link is not None and link.startswith("#") for link in links)
    assert "default-src 'none'" in page.html


def test_heavy_packages_are_imported_late() -> None:
    code = (
        "import sys, dse.report, dse.draw; "
        "print([m for m in ('torch', 'plotly', 'jinja2', 'networkx', 'pygments', 'optuna') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_plots_are_valid(run: Run) -> None:
    from plotly.graph_objects import Figure

    drawn = {name: plot for name, plot in page_of(run).data.items() if "traces" in plot}
    assert drawn.keys() >= {"learning-data", "losses-data", "by-trials-data", "edf-data"}
    for plot in drawn.values():
        Figure({"data": plot["traces"], "layout": plot["layout"]})


def test_latency_is_offered_only_where_it_was_measured(tmp_path: Path, trials: list[Trial]) -> None:
    rows = [replace(trial, latency_ms=None) for trial in trials]
    page = page_of(write_run(tmp_path / "r", rows, SETTINGS))
    assert "latency_ms" not in page.data["pareto-data"]["x"]
    assert (
        "latency_ms"
        in page_of(write_run(tmp_path / "s", trials, SETTINGS)).data["pareto-data"]["x"]
    )


def test_without_a_test_score_the_page_says_that_validation_flatters(
    tmp_path: Path, trials: list[Trial]
) -> None:
    text = words(page_of(write_run(tmp_path / "r", trials, SETTINGS)))
    assert "It has not been scored on the test part" in text
    assert "Test accuracy" not in text


def test_a_preset_may_win(tmp_path: Path, trials: list[Trial]) -> None:
    settings = {**SETTINGS, "winner": 2, "result": [result(trials[2], 0.8, 0.74, 0.85)]}
    text = words(page_of(write_run(tmp_path / "r", trials, settings)))
    assert "The preset darkcovidnet won: no searched design was preferred to it." in text


@pytest.mark.parametrize("failures", [0, 2])
def test_a_run_without_finished_trials_says_so(
    tmp_path: Path, trials: list[Trial], failures: int
) -> None:
    rows = [replace(trials[-1], trial=i) for i in range(failures)]
    page = page_of(write_run(tmp_path / "r", rows, SETTINGS))
    text = words(page)
    assert "No trial has finished." in text
    assert text.count("loss became nan") == failures
    assert "winner" not in page.ids
    assert len(page.html) < 100_000  # nothing to plot: no plotly


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="settings or trials"):
        write_report(Run(tmp_path), tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_trials_without_settings_are_reported(tmp_path: Path, trials: list[Trial]) -> None:
    run = write_run(tmp_path / "r", trials, {})
    (run.folder / "run.json").unlink()
    text = words(page_of(run))
    assert "20 finished, 1 failed" in text


def test_damaged_rows_are_counted_and_named(tmp_path: Path, trials: list[Trial]) -> None:
    run = write_run(tmp_path / "r", trials, SETTINGS)
    with (run.folder / "trials.jsonl").open("a") as file:
        file.write('{"trial": 7, "name": "cut\n{"unknown": "<i>field</i>"}\n')
    run.append(make_trial(50, load_preset("squeezenet-1.1", classes=3), 0.5, cost={}))
    text = words(page_of(run))
    assert "20 finished, 1 failed, 3 damaged rows left out." in text
    assert "line 22:" in text
    assert "trial 50: cost has no number for params" in text


def test_a_design_that_is_none_is_told_instead_of_shown(
    tmp_path: Path, trials: list[Trial]
) -> None:
    rows = [replace(trials[5], trial=0, design={"name": "x", "nodes": "<b>"})]
    page = page_of(write_run(tmp_path / "r", rows, SETTINGS))
    assert "The design cannot be shown." in page.text
    assert "svg" not in page.tags


def test_hostile_text_stays_text(tmp_path: Path, trials: list[Trial]) -> None:
    rows = [
        replace(
            trial,
            name=HOSTILE,
            choices={HOSTILE: HOSTILE},
            reason=HOSTILE if trial.state == "failed" else "",
            values={**trial.values, HOSTILE: 1.0},
        )
        for trial in trials
    ]
    classes = [HOSTILE, *CLASSES[1:]]
    scored = result(rows[16], 0.83, 0.78, 0.88)
    scored["per_class"] = {HOSTILE: {"precision": 1, "recall": HOSTILE, "support": None}}
    settings = {
        **SETTINGS,
        "space": HOSTILE,
        "command": HOSTILE,
        "started": HOSTILE,
        "sampler": HOSTILE,
        "objectives": ["accuracy", "params", HOSTILE],
        "budget": {"params": 1e6, HOSTILE: 4},
        "recipe": {HOSTILE: HOSTILE},
        "machine": {HOSTILE: HOSTILE},
        "data": {**SETTINGS["data"], "name": HOSTILE, "note": HOSTILE, "classes": classes},
        "winner": 16,
        "result": [scored, {"accuracy": HOSTILE}, HOSTILE],
        "generated": [HOSTILE],
    }
    page = page_of(write_run(tmp_path / "r", rows, settings))
    plain = page_of(write_run(tmp_path / "plain", trials, {**SETTINGS, "winner": 16}))
    assert page.tags.count("script") == plain.tags.count("script")
    assert page.tags.count("style") == plain.tags.count("style")
    assert "img" not in page.tags
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert "49</style>" not in page.html
    assert "<script>alert" in page.text  # shown, as text
    for sheet in cards_of(page):
        card = Page(sheet)
        assert not {"script", "img"} & set(card.tags)
        assert not [name for name, _ in card.attributes if name.startswith("on")]
        assert "<script>alert" in card.text
    curves = [trace["name"] for trace in page.data["learning-data"]["traces"]]
    assert all("<" not in name for name in curves)  # plotly would read tags


@pytest.mark.parametrize(
    "settings",
    [
        {"data": [], "budget": "1M", "machine": None, "counts": 3, "recipe": "quick"},
        {"result": {"trial": 1}, "winner": "16", "objectives": "accuracy", "generated": "x"},
        {"data": {"split": [1], "classes": "abc"}, "budget": {"params": -1}, "trials": "many"},
        {"result": [{"trial": 16, "accuracy": 0.8, "interval": [0.9], "confusion": [[1]]}]},
    ],
)
def test_settings_of_the_wrong_kind_do_no_harm(
    tmp_path: Path, trials: list[Trial], settings: dict[str, Any]
) -> None:
    page = page_of(write_run(tmp_path / "r", trials, settings))
    assert "conditions" in page.ids


def test_a_large_run_stays_small(tmp_path: Path, trials: list[Trial]) -> None:
    rows = [replace(trials[4 + i % 16], trial=i, history=[], design={}) for i in range(1, 2_001)]
    rows.append(replace(trials[4], trial=0))
    folder = tmp_path / "r"
    run = write_run(folder, rows[-1:], {**SETTINGS, "winner": 0})
    with (folder / "trials.jsonl").open("a") as file:
        file.writelines(json.dumps(vars(row)) + "\n" for row in rows[:-1])
    path = write_report(run, folder / "report.html")
    assert path.stat().st_size < 6_000_000
    assert "The first 500 are listed" in words(Page(path.read_text(encoding="utf-8")))
