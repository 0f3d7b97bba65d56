"""Data sets that come as arrays: CIFAR-10, .npz files, the digits."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dse.data import load_dataset
from dse.data.cifar10 import CLASSES
from dse.errors import DataError

from .conftest import noise


def arrays(**changed: Any) -> dict[str, Any]:
    parts = {
        "x_train": noise(0, 40, 32, 32, 3),
        "y_train": np.arange(40) % 10,
        "x_test": noise(1, 20, 32, 32, 3),
        "y_test": np.arange(20) % 10,
        "class_names": np.asarray(CLASSES),
    }
    return {k: v for k, v in {**parts, **changed}.items() if v is not None}


def write_batches(folder: Path, protocol: int = 2) -> np.ndarray:
    """The official layout: bytes keys, planes of red, green and blue. Returns all images."""
    folder.mkdir(parents=True)
    images = noise(2, 60, 32, 32, 3)
    names = [f"data_batch_{k}" for k in range(1, 6)] + ["test_batch"]
    for k, name in enumerate(names):
        part = images[10 * k : 10 * k + 10]
        batch = {
            b"data": np.ascontiguousarray(part.transpose(0, 3, 1, 2)).reshape(10, 3072),
            b"labels": list(range(10)),
            b"batch_label": name.encode(),
        }
        content = pickle.dumps(batch, protocol=protocol)
        # The official files were written when numpy's module had another name.
        (folder / name).write_bytes(content.replace(b"numpy._core", b"numpy.core"))
    return images


@pytest.mark.parametrize("protocol", [0, 2])
def test_official_batches(tmp_path: Path, protocol: int) -> None:
    images = write_batches(tmp_path / "cifar-10-batches-py", protocol)
    for place in (tmp_path, tmp_path / "cifar-10-batches-py"):
        data = load_dataset("cifar10", data_dir=place)
        np.testing.assert_array_equal(data.images, images)
        assert data.classes == CLASSES
        assert data.test is not None
        assert data.test.tolist() == [False] * 50 + [True] * 10
        assert data.splits().test.tolist() == list(range(50, 60))


class Attack:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (self.command,)


def test_a_batch_never_runs_code(tmp_path: Path) -> None:
    folder = tmp_path / "cifar-10-batches-py"
    write_batches(folder)
    mark = tmp_path / "was run"
    (folder / "data_batch_3").write_bytes(pickle.dumps(Attack(f"touch '{mark}'")))
    with pytest.raises(DataError, match=r"system is not allowed here.*data_batch_3"):
        load_dataset("cifar10", data_dir=folder)
    assert not mark.exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"junk", pickle.dumps([1]), pickle.dumps({b"data": np.zeros((2, 5)), b"labels": [0, 1]})],
)
def test_a_damaged_batch_is_named(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "cifar-10-batches-py"
    write_batches(folder)
    (folder / "test_batch").write_bytes(content)
    with pytest.raises(DataError, match="test_batch"):
        load_dataset("cifar10", data_dir=folder)


def test_a_missing_batch_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "cifar-10-batches-py"
    write_batches(folder)
    (folder / "data_batch_4").unlink()
    with pytest.raises(DataError, match="data_batch_4"):
        load_dataset("cifar10", data_dir=folder)


def test_npz_by_file_folder_and_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = arrays()
    np.savez(tmp_path / "cifar10-part.npz", **parts)
    by_file = load_dataset("cifar10", data_dir=tmp_path / "cifar10-part.npz")
    by_folder = load_dataset("cifar10", data_dir=tmp_path)
    monkeypatch.setenv("DSE_DATA", str(tmp_path))
    by_variable = load_dataset("cifar10")
    assert by_file.digest == by_folder.digest == by_variable.digest
    np.testing.assert_array_equal(by_file.images[40:], parts["x_test"])
    assert by_file.labels.dtype == np.int64
    assert "not comparable" in by_file.note


def test_batches_come_before_an_extract(tmp_path: Path) -> None:
    np.savez(tmp_path / "cifar10-part.npz", **arrays(x_train=noise(0, 40, 16, 16, 3)))
    images = write_batches(tmp_path / "cifar-10-batches-py")
    np.testing.assert_array_equal(load_dataset("cifar10", data_dir=tmp_path).images, images)


def test_any_npz_by_path_keeps_its_size(tmp_path: Path) -> None:
    gray = arrays(x_train=noise(0, 40, 20, 20), x_test=noise(1, 20, 20, 20), class_names=None)
    gray["y_train"] = gray["y_train"][:, None]
    np.savez(tmp_path / "mine.npz", **gray)
    data = load_dataset(tmp_path / "mine.npz")
    assert data.name == "mine"
    assert data.images.shape == (60, 20, 20)
    assert data.classes == tuple("0123456789")
    assert load_dataset(tmp_path / "mine.npz", image_size=12).images.shape == (60, 12, 12)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"y_test": None}, "y_test is not in"),
        ({"x_train": noise(0, 40, 32, 32, 3) / 255}, "uint8"),
        ({"x_train": noise(0, 40, 32, 32, 4)}, "uint8 of shape"),
        ({"x_train": noise(0, 40, 32, 30, 3)}, "square"),
        ({"x_train": noise(0, 40, 16, 16, 3)}, "one shape"),
        ({"y_train": np.arange(39) % 10}, "one integer label per image"),
        ({"y_train": np.arange(40) % 10 / 2}, "one integer label per image"),
        ({"y_train": np.arange(40) % 11}, "labels must be 0 to 9, got 0 to 10"),
        ({"y_train": np.arange(40) % 10 - 1}, "got -1 to 9"),
        ({"class_names": np.asarray([*CLASSES, "frigate"])}, "none of .'frigate'"),
        ({"class_names": np.asarray([Attack("true")] * 10, dtype=object)}, "without pickle"),
    ],
)
def test_bad_arrays(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    np.savez(tmp_path / "cifar10.npz", **arrays(**changed))
    with pytest.raises(DataError, match=message):
        load_dataset("cifar10", data_dir=tmp_path)


@pytest.mark.parametrize("kind", ["junk", "cut", "flipped", "a single array"])
def test_a_damaged_npz(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "cifar10.npz"
    np.savez_compressed(path, **arrays())
    content = bytearray(path.read_bytes())
    if kind == "junk":
        path.write_bytes(b"PK\x03\x04junk")
    elif kind == "cut":
        path.write_bytes(content[:-100])
    elif kind == "flipped":
        content[5000:5100] = bytes(100)
        path.write_bytes(content)
    else:
        with path.open("wb") as file:
            np.save(file, np.arange(3))
    with pytest.raises(DataError, match="readable"):
        load_dataset("cifar10", data_dir=tmp_path)


def test_absent_cifar10_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cifar-10-python\.tar\.gz"):
        load_dataset("cifar10")
    with pytest.raises(DataError, match="none in"):
        load_dataset("cifar10", data_dir=tmp_path)


def test_real_cifar10(real_set: Callable[[str], Path]) -> None:
    data = load_dataset("cifar10", data_dir=real_set("cifar10-6k.npz"))
    assert data.images.shape == (6000, 32, 32, 3)
    assert data.classes == CLASSES
    split = data.splits(1)
    assert split.test.tolist() == list(range(5000, 6000))
    assert np.bincount(data.labels[split.val]).tolist() == [83] * 10


def test_digits() -> None:
    data = load_dataset("digits")
    assert data.images.shape == (1797, 32, 32)
    assert data.images.dtype == np.uint8
    assert data.images.max() == 255
    assert np.bincount(data.labels).min() > 170
    assert data.groups is None
    assert not data.synthetic
    split = data.splits()
    assert not split.grouped
    assert abs(len(split.test) / 1797 - 0.15) < 0.01
    assert load_dataset("digits", image_size=8).images.shape == (1797, 8, 8)
