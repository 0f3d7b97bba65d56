"""Spaces of a handful of designs, and evaluators that take no time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dse.search import Candidate, Listener, Report
from dse.space import Space, parse_space

FEW = """
network:
  input: 3x16x16
  classes: 3
  nodes:
    - name: stem
      conv: {channels: {choose: [4, 8, 16]}, kernel: {choose: [1, 3]}}
    - {name: pool, global_pool: {}}
    - {name: classifier, classifier: {}}
"""
"""Six designs."""

MANY = """
network:
  input: 3x16x16
  classes: 3
  nodes:
    - {name: stem, conv: {channels: {choose: [4, 8, 16, 32]}, stride: 2}}
    - name: body
      conv: {channels: {between: [1, 64], name: width}, kernel: {choose: [1, 3, 5]}}
      repeat: {between: [1, 3]}
    - {name: pool, global_pool: {mode: {choose: [average, max]}}}
    - {name: classifier, classifier: {}}
"""

TWICE = """
network:
  input: 3x16x16
  classes: 3
  nodes:
    - {name: stem, conv: {channels: {choose: {a: 4, b: 4, c: 8}}}}
    - {name: pool, global_pool: {}}
    - {name: classifier, classifier: {}}
"""
"""Three decision vectors, two networks."""


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs are kept below the current folder."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def few() -> Space:
    return parse_space(FEW, "few")


@pytest.fixture
def many() -> Space:
    return parse_space(MANY, "many")


@pytest.fixture
def twice() -> Space:
    return parse_space(TWICE, "twice")


class Recorder:
    """An evaluator that notes what it was given; larger is more accurate."""

    def __init__(self) -> None:
        self.seen: list[Candidate] = []

    def __call__(self, candidate: Candidate, report: Report) -> dict[str, float]:
        self.seen.append(candidate)
        return {"accuracy": candidate.cost.params / 1e6, "odd": candidate.trial % 2}

    @property
    def choices(self) -> list[dict[str, Any]]:
        return [candidate.choices for candidate in self.seen]


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


class Notes(Listener):
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.began_with: list[tuple[int, int]] = []

    def began(self, done: int, total: int) -> None:
        self.began_with.append((done, total))

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def stop_after() -> Callable[[int], Callable[[Candidate, Report], dict[str, float]]]:
    """An evaluator that a user interrupts in its n-th call, counted from 1."""

    def make(calls: int) -> Callable[[Candidate, Report], dict[str, float]]:
        count = 0

        def evaluate(candidate: Candidate, report: Report) -> dict[str, float]:
            nonlocal count
            count += 1
            if count == calls:
                raise KeyboardInterrupt
            return {"accuracy": candidate.cost.params / 1e6}

        return evaluate

    return make
