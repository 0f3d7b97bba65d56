"""What there is, told without reading it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from dse.data import dataset_names, describe_datasets, load_dataset

from .conftest import MakeFolder, noise


def test_names() -> None:
    assert dataset_names() == ("covid", "digits", "cifar10")


def test_a_bare_machine() -> None:
    rows = {row["name"]: row for row in describe_datasets()}
    assert {name: row["status"] for name, row in rows.items()} == {
        "covid": "synthetic",
        "digits": "built in",
        "cifar10": "not found",
    }
    assert "--data-dir" in str(rows["covid"]["where"])
    assert "cifar-10-python.tar.gz" in str(rows["cifar10"]["where"])


def test_a_folder_of_data_sets(make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    make_folder("covid", "normal", "pneumonia", name="data/covid-xray-tiny")
    folder = make_folder("pear", "apple", name="data/fruit")
    np.savez(folder.parent / "cifar10-x.npz", x=noise(0, 1))
    monkeypatch.setenv("DSE_DATA", str(folder.parent))
    rows = {row["name"]: row for row in describe_datasets()}
    assert rows["covid"]["where"] == str(folder.parent / "covid-xray-tiny")
    assert rows["cifar10"]["where"] == str(folder.parent / "cifar10-x.npz")
    assert rows["fruit"]["classes"] == ["apple", "pear"]
    assert set(rows) == {"covid", "digits", "cifar10", "fruit"}
    assert load_dataset("fruit", image_size=8).classes == ("apple", "pear")


def test_import_and_listing_need_no_heavy_package() -> None:
    code = (
        "import sys, dse.data; dse.data.describe_datasets();"
        "print([m for m in ('numpy', 'PIL', 'sklearn', 'torch', 'optuna') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
