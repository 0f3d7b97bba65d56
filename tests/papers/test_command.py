"""`dse papers`."""

from __future__ import annotations

import json
import sys
from collections import Counter

import pytest

from dse.papers import comparisons


def test_papers(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from dse.cli import main

    def said(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["dse", "papers", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code == 0
        return capsys.readouterr().out

    expected = [row.document() for row in comparisons()]
    assert json.loads(said("--json")) == json.loads(json.dumps(expected))
    lines = said().splitlines()
    assert lines[0].split()[:3] == ["paper", "table", "model"]
    assert len(lines) == 1 + len(expected) + 2
    counts = Counter(row["status"] for row in expected)
    assert lines[-1] == ", ".join(f"{n} {status}" for status, n in counts.most_common())
