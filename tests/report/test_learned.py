"""The page's sections on what was learned."""

from __future__ import annotations

import json
import random
from dataclasses import asdict
from pathlib import Path

import pytest

from dse.report import write_report
from dse.runs import Run
from dse.search.insight import insight
from dse.search.leaders import Standing, as_documents
from dse.space import Categorical, Choice
from tests.report.conftest import SETTINGS
from tests.report.test_page import Page
from tests.search.trials import trial

CHOICES: dict[str, Choice] = {"block": Categorical(("fire", "residual"))}


@pytest.fixture
def bare(tmp_path: Path) -> Run:
    """A run of forty trials, residual blocks being better."""
    run = Run(tmp_path / "learning")
    run.folder.mkdir()
    run.save_settings(SETTINGS)
    rng = random.Random(0)
    costs = {"params_with_buffers": 1, "peak_activation_bytes": 1, "size_bytes": 1}
    for number in range(40):
        block = rng.choice(("fire", "residual"))
        accuracy = 0.6 + 0.1 * (block == "residual") + rng.gauss(0, 0.01)
        params = rng.randint(1000, 9000)
        run.append(
            trial(
                number,
                {"accuracy": accuracy},
                choices={"block": block},
                cost={"params": params, "macs": 9 * params, **costs},
                design={
                    "name": "flat",
                    "input": "3x8x8",
                    "classes": 3,
                    "nodes": [{"name": "classifier", "block": {"kind": "classifier"}}],
                },
            )
        )
    return run


def learning_from(run: Run) -> None:
    """Give a run what a search writes down of what it learned, and proxies measured."""
    effects = [
        {"decision": name, "option": option, "trials": 8, "mean": 0.8, "effect": effect}
        | {"interval": [effect - 0.02, effect + 0.02]}
        for name, options in (("alpha", ("0.5", "1.0")), ("attention", ("none", "se")))
        for option, effect in zip(options, (-0.01, 0.01), strict=True)
    ]
    found = {"metric": "accuracy", "trials": 16, "importance": {"alpha": 0.7, "attention": 0.3}}
    (run.folder / "insight.json").write_text(
        json.dumps({**found, "effects": effects, "changes": []})
    )
    rows = [
        {"proxy": name, "tau": 0.5, "interval": [0.1, 0.8], "within": tau}
        | {"within_interval": [0.0, 0.9], "beats": None}
        for name, tau in (("zico", 0.4), ("params", 0.2))
    ]
    times = {"zico": 0.05, "params": 0.001}
    (run.folder / "proxies.json").write_text(json.dumps({"rankings": rows, "seconds": times}))


def test_a_run_without_them_has_no_such_sections(bare: Run) -> None:
    page = write_report(bare, bare.folder / "report.html").read_text()
    for section in ("again", "learned", "proxies"):
        assert f'id="{section}"' not in page


def test_decisions_and_changes(bare: Run) -> None:
    fire = next(row for row in bare.trials if row.choices["block"] == "fire")
    found = insight(bare.trials, CHOICES, "accuracy", fire)
    (bare.folder / "insight.json").write_text(json.dumps(found.as_document()))
    page = write_report(bare, bare.folder / "report.html").read_text()
    assert "<b>block</b>: residual instead of fire, +" in page
    assert "cannot be told from chance" not in page
    assert 'href="#learned"' in page


def test_plots_of_what_was_learned(bare: Run) -> None:
    learning_from(bare)
    page = Page(write_report(bare, bare.folder / "report.html").read_text())
    effects = page.data["effects-data"]["plots"]
    assert [plot["layout"]["yaxis"]["ticktext"] for plot in effects] == [
        ["alpha = 1.0", "alpha = 0.5"],
        ["attention = se", "attention = none"],
    ]
    assert page.data["importance-data"]["traces"][0]["x"] == [0.3, 0.7]
    assert page.data["proxy-costs-data"]["traces"][0]["x"] == [50.0, 1.0]
    lines = [value for name, value in page.attributes if name == "data-at"]
    assert len(lines) == 40  # every design is a line through block, params, accuracy
    assert {len(str(line).split()) for line in lines} == {3}


def test_leaders(bare: Run) -> None:
    rows = [
        Standing(3, "mine", False, 5000, 0.8, (0.75, 0.77), 0.76, False),
        Standing(4, "theirs", True, 6000, 0.7, (0.7,), 0.7, True),
        Standing(5, "broken", False, 7000, 0.7, (), None, False),
    ]
    bare.save_settings({**bare.settings, "standings": as_documents(rows)})
    page = write_report(bare, bare.folder / "report.html").read_text()
    assert "75.0%, 77.0%" in page
    assert "tied with the best" in page
    assert "<td>failed</td>" in page


def test_proxies(bare: Run) -> None:
    row = {"proxy": "zico", "tau": 0.5, "interval": [0.1, 0.8], "within": None}
    row |= {"within_interval": None, "beats": None}
    (bare.folder / "proxies.json").write_text(json.dumps({"rankings": [row]}))
    page = write_report(bare, bare.folder / "report.html").read_text()
    assert "0.10 to 0.80" in page
    assert "cannot be told" in page


@pytest.mark.parametrize("name", ["insight.json", "proxies.json"])
@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"importance": {"a": 1}}', '{"rankings": [1]}'])
def test_a_damaged_file_is_left_out(bare: Run, name: str, text: str) -> None:
    (bare.folder / name).write_text(text)
    page = write_report(bare, bare.folder / "report.html").read_text()
    assert 'id="learned"' not in page
    assert 'id="proxies"' not in page


def test_without_training_nothing_is_called_trained(bare: Run) -> None:
    settings = {**SETTINGS, "evaluate": "proxy:zico", "objectives": ["zico", "params"]}
    rows = [{**asdict(row), "values": {"zico": 5.0 + row.trial}} for row in bare.trials]
    (bare.folder / "trials.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    bare.save_settings(settings)
    page = write_report(bare, bare.folder / "report.html").read_text()
    told = page[: page.index('id="conditions"')]
    assert "proxy:zico measured it" in told
    assert "validation" not in told
