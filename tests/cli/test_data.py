"""dse data: list, check, fetch, make."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dse.data.places import cache_root
from tests.data.server import serving


@pytest.fixture(autouse=True)
def _own_places(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache and no data folder."""
    monkeypatch.setenv("DSE_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.delenv("DSE_DATA", raising=False)


# -- list ---------------------------------------------------------------------------------------


def test_list(dse: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert dse("data", "make", "sets/mine", "--per-class", 15, "--image-size", 8).code == 0
    monkeypatch.setenv("DSE_DATA", "sets")
    said = dse("data", "list")
    assert (said.code, said.err) == (0, "")
    header, *lines = said.out.splitlines()
    assert header.split() == [
        "name",
        "status",
        "images",
        "pixels",
        "on",
        "disk",
        "classes",
        "where",
    ]
    rows = dse("data", "list", "--json").json
    assert [row["name"] for row in rows] == [line.split()[0] for line in lines]
    mine = next(row for row in rows if row["where"].endswith("mine"))
    assert mine["status"] == "synthetic"
    assert mine["images"] == 45
    assert mine["pixels"] == "8x8"
    assert mine["bytes"] == sum(f.stat().st_size for f in Path("sets/mine").rglob("*.png"))
    assert {row["name"] for row in dse("list", "datasets", "--json").json} == {
        row["name"] for row in rows
    }


# -- check --------------------------------------------------------------------------------------


def test_check_of_digits(dse: Any) -> None:
    said = dse("data", "check", "digits")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("digits: 1,797 images, used as 32x32 gray, 10 classes\n")
    verdicts = [line.split()[:2] for line in said.out.splitlines() if line[:5].strip()]
    assert ["ok", "leakage"] in verdicts
    assert ["look", "cues"] in verdicts
    assert said.out.splitlines()[-1].startswith("9 ok, 1 to look at: ")
    assert all(len(line) <= 100 for line in said.out.splitlines())


def test_check_json_is_one_document(dse: Any) -> None:
    said = dse("data", "check", "digits", "--image-size", 16, "--fold", 2, "--json")
    assert said.err == ""
    document = said.json
    assert document["name"] == "digits"
    assert document["image_size"] == 16
    assert document["verdict"] == "look"
    checks = {one["check"]: one for one in document["checks"]}
    assert checks["cues"]["fold"] == 2
    assert {one["verdict"] for one in checks.values()} <= {"ok", "look", "wrong"}


def test_findings_are_no_errors(dse: Any, xrays: Path) -> None:
    shutil.copytree(xrays, "mine")
    first, second = sorted(Path("mine/covid").iterdir())[:2]
    Path("mine/normal/copy.jpg").write_bytes(first.read_bytes())
    second.write_bytes(b"")
    lines = Path("mine/splits.csv").read_text().splitlines()
    fold = next(int(line[-1]) for line in lines if first.name in line)
    lines.append(f"normal/copy.jpg,normal,somebody,{(fold + 1) % 5}")
    Path("mine/splits.csv").write_text("\n".join(lines) + "\n")

    said = dse("data", "check", "mine")
    assert said.code == 0
    text = " ".join(said.out.split())
    assert "wrong duplicates 1 image is a copy of another" in text
    assert f"covid/{first.name} (covid) = normal/copy.jpg (normal)" in text
    assert "wrong leakage an image must be in one part, but 1 pair" in text
    assert f"covid/{second.name}: empty file" in text
    assert said.out.splitlines()[-1].partition(": ")[2].startswith("mend what is wrong")


def test_check_of_the_xrays_tells_where_they_lie(dse: Any, xrays: Path) -> None:
    said = dse("data", "check", "covid", "--data-dir", xrays)
    assert said.code == 0
    assert said.out.splitlines()[1] == f"from {xrays}"
    assert (
        "ok     leakage      5 folds of 12 images: no patient, pixels or picture is in two parts"
        in said.out.splitlines()
    )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("data check nothing", ["no data set is called 'nothing'"]),
        ("data check ./nothing", ["a folder or .npz file that exists", "nothing"]),
        ("data check one", ["at least two classes", "['a']", "one"]),
        ("data check hollow", ["every class needs an image", "'b' has none"]),
        ("data check broken", ["every class needs an image", "b/0.png: not an image"]),
        ("data check digits --fold 5", ["one of 0, 1, 2, 3, 4", "got 5"]),
        ("data check digits --image-size 4", ["an integer from 8 to 1024; got '4'"]),
        ("data check digits --seed -1", ["an integer from 0; got '-1'"]),
        ("data check covid --data-dir one", ["'covid' needs the image folders", "none in one"]),
        ("data make one", ["new or empty", "one"]),
        ("data make new --per-class 14", ["an integer from 15", "got '14'"]),
        ("data make new --image-size 7", ["an integer from 8 to 1024; got '7'"]),
        ("data fetch covid", ["cannot be fetched", "dse data make"]),
        ("data fetch cifar", ["did you mean 'cifar10'?"]),
        ("data fetch cifar10 --url nonsense", ["unknown url type"]),
    ],
)
def test_a_mistake_is_one_sentence(refused: Any, line: str, words: list[str]) -> None:
    for folder in ("one/a", "hollow/a", "hollow/b", "broken/a", "broken/b"):
        Path(folder).mkdir(parents=True)
        if folder != "hollow/b":
            Image.new("L", (9, 9), 7).save(f"{folder}/0.png")
    Path("broken/b/0.png").write_text("text")
    text = refused(*line.split())
    for word in words:
        assert word in text
    assert not Path("new").exists()


# -- make and fetch -----------------------------------------------------------------------------


def test_make_and_check(dse: Any) -> None:
    said = dse("data", "make", "chests", "--per-class", 20, "--image-size", 16, "--seed", 4)
    assert said.code == 0
    assert said.out == "60 synthetic images of 16x16 lie in chests\n"
    assert said.err.startswith("synthetic chest phantoms, not patients")
    assert len(list(Path("chests").glob("*/*.png"))) == 60
    document = dse("data", "check", "chests", "--json").json
    assert document["synthetic"] is True
    assert document["note"].startswith("synthetic")
    assert json.dumps(document).count("synthetic") >= 2
    assert "synthetic chest phantoms" in dse("data", "check", "chests").out


def test_fetch_tells_where_the_data_lies(dse: Any) -> None:
    assert dse("data", "fetch", "digits").out == "digits comes with scikit-learn\n"
    with serving(b"not the archive") as url:
        said = dse("data", "fetch", "cifar10", "--url", url)
    assert said.code == 2
    assert said.err.startswith(f"error: cifar10 could not be fetched from {url}: what it sent is")
    assert not list((cache_root()).rglob("*.gz"))
