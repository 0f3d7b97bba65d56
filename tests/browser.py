"""A real browser for tests of pages: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
_NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium; without it, or without Playwright, the test is skipped.

    No longer than a module: Playwright's event loop counts as running all the while, in which no
    other test of this process could start one.
    """
    api = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        pytest.skip(f"needs a browser: one of {', '.join(_NAMES)}")
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=program,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        yield started
        started.close()


@contextmanager
def opened(browser: Browser, url: str, **context: Any) -> Iterator[Page]:
    """A page in a context of its own, whose console must stay free of errors.

    Args:
        browser: the fixture of this name.
        url: what to open: ``file:///...`` or ``http://127.0.0.1:...``.
        context: options of Playwright's `Browser.new_context`: ``viewport``, ``color_scheme``,
            ``permissions``; by default a desktop's viewport.
    """
    own = browser.new_context(**{"viewport": DESKTOP, **context})
    try:
        page = own.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda line: complaints.append(line.text) if line.type == "error" else None,
        )
        page.goto(url)
        yield page
        assert complaints == []
    finally:
        own.close()
