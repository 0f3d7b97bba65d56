"""Downloads: verified, unpacked where the data is looked for, and no trace of a failure."""

from __future__ import annotations

import hashlib
import io
import socket
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dse.data import load_dataset
from dse.data.fetch import ARCHIVES, Archive, fetch
from dse.data.places import cache_root
from dse.errors import DataError, UnknownName

from .server import serving
from .test_arrays import write_batches


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A small CIFAR-10, packed as the official one, with a file too many."""
    write_batches(tmp_path / "made" / "cifar-10-batches-py")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        tar.add(tmp_path / "made" / "cifar-10-batches-py", "cifar-10-batches-py")
        tar.add(__file__, "../outside.py")
    content = packed.getvalue()
    digest = hashlib.sha256(content).hexdigest()
    monkeypatch.setitem(ARCHIVES, "cifar10", replace(ARCHIVES["cifar10"], sha256=digest))
    return content


def left_behind() -> list[Path]:
    root = cache_root() / "datasets"
    return [path for path in root.rglob("*") if path.is_file()] if root.exists() else []


def test_the_official_archive() -> None:
    """As torchvision and Keras have it."""
    official = ARCHIVES["cifar10"]
    assert official.url == "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
    assert official.bytes == 170_498_071
    assert len(official.sha256) == 64
    assert len(official.members) == 6


def test_fetched_data_is_found_by_its_name(archive: bytes, tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    with serving(archive) as url:
        place = fetch("cifar10", url=url, progress=lambda *step: steps.append(step))
        assert place == cache_root() / "datasets" / "cifar10" / "cifar-10-batches-py"
        assert steps[-1] == (len(archive), len(archive))
    assert sorted(path.name for path in left_behind()) == [
        *(f"data_batch_{k}" for k in range(1, 6)),
        "test_batch",
    ]
    expected = load_dataset("cifar10", data_dir=tmp_path / "made")
    np.testing.assert_array_equal(load_dataset("cifar10").images, expected.images)
    # The server is gone: what is there is not fetched again.
    assert fetch("cifar10", url=url) == place


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"content": b"<html>please log in</html>"}, r"not the archive: 26 bytes of 170,498,071"),
        ({"content": b"gone", "status": 404}, "the server answers 404 Not Found"),
        ({"content": b"x" * 5000, "cut": 100}, "ended after 100 of 5,000 bytes"),
    ],
)  # fmt: skip
def test_what_is_not_the_archive_is_refused(answer: dict[str, object], reason: str) -> None:
    with (
        serving(**answer) as url,  # type: ignore[arg-type]
        pytest.raises(DataError, match=reason) as refused,
    ):
        fetch("cifar10", url=url)
    assert str(refused.value).startswith(f"cifar10 could not be fetched from {url}: ")
    assert "\n" not in str(refused.value)
    assert left_behind() == []


def test_no_network() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/x"
        with pytest.raises(DataError, match=r"connection refused; try again.*--data-dir"):
            fetch("cifar10", url=url)
    with pytest.raises(DataError, match="unknown url type"):
        fetch("cifar10", url="nonsense")


def test_an_archive_without_its_files(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        tar.add(__file__, "cifar-10-batches-py/data_batch_1")
    content = packed.getvalue()
    odd = Archive(
        "", 0, hashlib.sha256(content).hexdigest(), "cifar-10-batches-py", ("test_batch",)
    )
    monkeypatch.setitem(ARCHIVES, "cifar10", odd)
    with serving(content) as url, pytest.raises(DataError, match=r"cannot be unpacked.*test_batch"):
        fetch("cifar10", url=url)
    assert left_behind() == []


def test_what_is_not_to_be_had_this_way() -> None:
    with pytest.raises(DataError, match=r"covid cannot be fetched .*kaggle.*dse data make"):
        fetch("covid")
    with pytest.raises(UnknownName, match="did you mean 'cifar10'"):
        fetch("cifar-10")
    assert fetch("digits") is None
