"""Takes the documentation's pictures of the report, the explorer and the terminal, of a real run.

    cd FOLDER_WITH_RUNS
    python -m tools.screenshots RUN

Needs the extra ``test`` and a Chromium. The pictures go to ``docs/images``: ``report.png``,
``report-front.png``, ``explorer.png`` and ``search.png``, the live view as it was in the middle of
the run.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import sync_playwright
from rich.console import Console

from dse.cli.live import View
from dse.cost import cost
from dse.runs import Run, Trial, front, open_run
from dse.search import Candidate

if TYPE_CHECKING:
    from playwright.sync_api import Browser

IMAGES = Path(__file__).parents[1] / "docs" / "images"
DESKTOP = {"width": 1280, "height": 900}
TALL = {"width": 1280, "height": 1520}
_SETTLED = 3000
"""Milliseconds after which every plot of a page is drawn."""


def main(name: str) -> None:
    run = open_run(name)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        terminal = Path(folder) / "search.html"
        terminal.write_text(live_view(run), encoding="utf-8")
        picture(browser, terminal.as_uri(), IMAGES / "search.png", part="svg", viewport=DESKTOP)
        page = Path(folder) / "report.html"
        subprocess.run([*_DSE, "report", name, "--out", str(page)], check=True)
        picture(browser, page.as_uri(), IMAGES / "report.png", viewport=TALL)
        picture(browser, page.as_uri(), IMAGES / "report-front.png", part="#plot", viewport=DESKTOP)
        with explorer(name) as address:
            picture(browser, address, IMAGES / "explorer.png", viewport=DESKTOP)
        browser.close()


_DSE = [sys.executable, "-m", "dse"]


def picture(browser: Browser, address: str, to: Path, part: str = "", **context: Any) -> None:
    """What a page shows at first sight, or a part of it."""
    own = browser.new_context(**context)
    page = own.new_page()
    page.goto(address, wait_until="domcontentloaded", timeout=120_000)
    page.wait_for_timeout(_SETTLED)
    if part:
        page.locator(part).screenshot(path=to)
    else:
        page.screenshot(path=to)
    own.close()
    print(to)


@contextmanager
def explorer(run: str) -> Iterator[str]:
    """The address of an explorer of a run's space, for as long as the context lasts."""
    command = [*_DSE, "explore", "--run", run, "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            found = (re.search(r"http://\S+", line) for line in server.stdout)
            yield next(match[0] for match in found if match)
        finally:
            server.terminate()


def live_view(run: Run, share: float = 0.6) -> str:
    """The terminal after a share of the run's trials, as SVG: what the rows say of that moment."""
    rows = run.trials
    ended = rows[: max(1, int(len(rows) * share))]
    clock = 0.0
    view = View(
        run.name,
        run.objectives[0],
        run.objectives,
        epochs=run.settings.get("epochs"),
        clock=lambda: clock,
    )
    view.began(0, len(rows))
    for number, row in enumerate(ended, start=1):
        clock += row.seconds
        view.ended(row, front(ended[:number], run.objectives))
    # One worker trains one design at a time: that whose row comes next.
    for row in rows[len(ended) : len(ended) + 1]:
        candidate = _candidate(row)
        view.started(candidate)
        half = row.history[: 1 + len(row.history) // 2]
        for step in half:
            view.reported(candidate, int(step["step"]), step)
        clock += row.seconds * len(half) / max(1, len(row.history))
    console = Console(record=True, width=100, height=24, file=io.StringIO(), force_terminal=True)
    console.print(view)
    # Its fonts would be fetched.
    return re.sub(r"@font-face \{.*?\}", "", console.export_svg(title="dse search"), flags=re.S)


def _candidate(row: Trial) -> Candidate:
    network = row.network
    return Candidate(row.trial, row.name, network, row.choices, cost(network), row.baseline)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
