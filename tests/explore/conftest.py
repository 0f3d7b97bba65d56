"""An explorer of a small space, and its application without a server."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from dse.cost import Budget
from dse.explore.app import make_app
from dse.explore.cloud import Cloud
from dse.explore.explorer import Explorer
from dse.explore.guard import TOKEN
from dse.space import load_space


@pytest.fixture
def explorer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Explorer:
    """Of the space fire, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return Explorer(load_space("fire"), Budget(params=200_000))


@pytest.fixture
def client(explorer: Explorer) -> TestClient:
    """A browser on the explorer's own page."""
    app, token = make_app(explorer, Cloud(explorer))
    # Without a lifespan: nothing is drawn beside it.
    return TestClient(app, base_url="http://127.0.0.1:8610", headers={TOKEN: token})
