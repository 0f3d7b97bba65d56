"""The wheel, installed away from the checkout: templates and search spaces travel in it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without network where hatchling is at hand."""
    folder = tmp_path_factory.mktemp("wheel")
    if find_spec("hatchling") is None:
        pytest.skip("needs hatchling, which pip install -e '.[test]' brings")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr
    (found,) = folder.glob("dse-*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what the wheel installs, and nothing else."""
    folder = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-index", "--target", str(folder), str(wheel)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def dse(installed: Path, cwd: Path, *arguments: str) -> str:
    """The installed command. Python is started isolated, so that no editable install is found."""
    packages = [path for path in sys.path if Path(path).name == "site-packages"]
    code = (
        f"import sys; sys.path[:0] = {[str(installed), *packages]!r}\n"
        f"import dse; assert dse.__file__.startswith({str(installed)!r}), dse.__file__\n"
        "sys.argv = ['dse', *sys.argv[1:]]\n"
        "from dse.cli import main; main()"
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(
        [sys.executable, "-S", "-I", "-c", code, *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_is_inside(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for folder, packed in (("templates", "_templates"), ("searchspaces", "_searchspaces")):
        files = {
            path.relative_to(ROOT / folder).as_posix()
            for path in (ROOT / folder).rglob("*")
            if path.is_file()
        }
        prefix = f"dse/{packed}/"
        assert {n.removeprefix(prefix) for n in names if n.startswith(prefix)} == files
        assert files
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "dse").rglob("*.py")}
    assert modules <= set(names)
    assert "dse/papers/sizes.csv" in names
    recipes = {path.relative_to(ROOT).as_posix() for path in (ROOT / "dse/recipes").glob("*.yaml")}
    assert recipes
    assert recipes <= set(names)
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"dse"}


def test_the_command_is_installed(installed: Path) -> None:
    (entry,) = installed.glob("dse-*.dist-info/entry_points.txt")
    assert "dse = dse.cli:main" in entry.read_text()


def test_spaces_templates_and_tables_are_found(installed: Path, tmp_path: Path) -> None:
    assert "lightweight" in dse(installed, tmp_path, "list", "spaces")
    assert dse(installed, tmp_path, "space", "check", "fire") == "fire: no problem found\n"
    out = dse(installed, tmp_path, "generate", "hl-cnn", "--out", "here")
    assert out == "here/hl_cnn.py\nhere/hl_cnn.json\n"
    assert (tmp_path / "here/hl_cnn.py").read_bytes() == (ROOT / "generated/hl_cnn.py").read_bytes()
    assert "1,248,424" in dse(installed, tmp_path, "cost", "squeezenet")
    assert "exact" in dse(installed, tmp_path, "papers")


def test_a_report_is_written(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "runs/r").mkdir(parents=True)
    (tmp_path / "runs/r/run.json").write_text('{"objectives": ["accuracy"]}')
    dse(installed, tmp_path, "report", "r")
    assert "<html" in (tmp_path / "runs/r/report.html").read_text()[:2_000]
