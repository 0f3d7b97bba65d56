"""The command line as a user meets it, and small image folders to search on."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.command import Said

Command = Callable[..., Said]


@pytest.fixture
def dse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Command:
    """Runs a command line in an empty folder, in this process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments: object) -> Said:
        from dse.cli import main

        monkeypatch.setattr(sys, "argv", ["dse", *map(str, arguments)])
        capfd.readouterr()
        code: Any = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        said = capfd.readouterr()
        return Said(code, said.out, said.err)

    return run


@pytest.fixture
def refused(dse: Command) -> Callable[..., str]:
    """Runs a command that must be refused: exit code 2, one sentence, nothing on stdout."""

    def run(*arguments: object) -> str:
        said = dse(*arguments)
        assert said.code == 2, said
        assert said.out == ""
        assert "Traceback" not in said.err
        assert said.err.startswith("error: "), said.err
        assert said.err.count("\n") == 1, said.err
        assert "[Errno" not in said.err
        return said.err.removeprefix("error: ").rstrip("\n")

    return run


SMALL = """
network:
  input: 3x16x16
  classes: 3
  nodes:
    - {name: stem, conv: {channels: {choose: [4, 6, 8, 12, 16]}, stride: 2}}
    - name: body
      conv: {channels: {choose: [8, 12, 16]}, kernel: {choose: [1, 3]}}
    - {name: pool, global_pool: {}}
    - {name: classifier, classifier: {}}
"""


@pytest.fixture(scope="session")
def small_space(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty designs that train in a moment; none is a preset."""
    path = tmp_path_factory.mktemp("spaces") / "small.yaml"
    path.write_text(SMALL)
    return path


@pytest.fixture
def _one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train on one thread, whatever else runs on this machine."""
    monkeypatch.setattr(import_module("dse.runtime.train.threads"), "_cores", lambda: 1)


@pytest.fixture(scope="session")
def digits_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty handwritten digits of three classes as an image folder: trains in a moment."""
    from PIL import Image
    from sklearn.datasets import load_digits

    root = tmp_path_factory.mktemp("digits") / "three"
    bunch = load_digits()
    for digit in (0, 1, 2):
        folder = root / f"is{digit}"
        folder.mkdir(parents=True)
        for number, index in enumerate((bunch.target == digit).nonzero()[0][:20]):
            pixels = (bunch.images[index] * 15.9).astype("uint8")
            Image.fromarray(pixels).resize((16, 16)).save(folder / f"{number}.png")
    return root


@pytest.fixture(scope="session")
def xrays() -> Path:
    """The sixty real X-rays for tests."""
    root = os.environ.get("DSE_DATA")
    if not root:
        pytest.skip("needs the folder of data sets that DSE_DATA names")
    folder = Path(root) / "covid-xray-tiny"
    if not folder.is_dir():
        pytest.skip(f"needs covid-xray-tiny in {root}")
    return folder
