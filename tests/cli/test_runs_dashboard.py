"""optuna-dashboard beside a search: it reads the same storage, journal or database."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

import dse
from dse.search import Candidate, Report
from tests.cli.conftest import SMALL


def evaluate(candidate: Candidate, report: Report) -> dict[str, float]:
    return {"accuracy": 1 - candidate.trial / 10}


@contextmanager
def dashboard(storage: str) -> Iterator[str]:
    """The address at which the command shows a storage."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = "from optuna_dashboard._cli import main; main()"
    options = ["--server", "wsgiref", "--quiet", "--port", str(port)]
    server = subprocess.Popen([sys.executable, "-c", command, *options, storage])
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.kill()
        server.wait()


def get(address: str, seconds: float = 90) -> bytes:
    """What is at an address, as soon as a server is there."""
    end = time.monotonic() + seconds
    while True:
        try:
            with urlopen(address) as answer:
                return bytes(answer.read())
        except OSError:  # nobody listens yet
            if time.monotonic() > end:
                raise
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.parametrize("storage", [None, "sqlite:///study.db"])
def test_the_dashboard_shows_a_search(
    storage: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    space = dse.space.parse_space(SMALL, "small")
    run = dse.search(space, evaluate, trials=4, sampler="random", storage=storage, run="r")
    with dashboard(storage or "runs/r/study.log") as address:
        assert b"<html" in get(f"{address}dashboard/").lower()
        (study,) = json.loads(get(f"{address}api/studies"))["study_summaries"]
        assert study["study_name"] == "r"
        shown = json.loads(get(f"{address}api/studies/{study['study_id']}"))
    told = {t["number"]: t for t in shown["trials"] if t["state"] == "Complete"}
    assert told.keys() == {row.trial for row in run.trials}
    for row in run.trials:
        trial = told[row.trial]
        assert trial["values"] == [row.values["accuracy"], row.cost["params"]]
        assert {p["name"] for p in trial["params"]} == row.choices.keys()
