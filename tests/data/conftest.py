"""Image folders made on the spot, and the real ones where this machine has them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

MakeFolder = Callable[..., Path]


@pytest.fixture(autouse=True)
def _own_places(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test has an empty cache and no data folder but those it asks for."""
    monkeypatch.setenv("DSE_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.delenv("DSE_DATA", raising=False)


@pytest.fixture(scope="session")
def real_data() -> Path:
    chosen = os.environ.get("DSE_DATA")
    if not chosen:
        pytest.skip("DSE_DATA names no folder of real data sets")
    return Path(chosen)


@pytest.fixture
def real_set(real_data: Path) -> Callable[[str], Path]:
    def find(name: str) -> Path:
        if not (real_data / name).exists():
            pytest.skip(f"{name} is not in the folder that DSE_DATA names")
        return real_data / name

    return find


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture
def make_folder(tmp_path: Path) -> MakeFolder:
    """A folder with `count` distinct gray PNGs in each of the named sub-folders."""

    def make(*classes: str, count: int = 4, name: str = "pictures") -> Path:
        for k, label in enumerate(classes):
            (tmp_path / name / label).mkdir(parents=True, exist_ok=True)
            for i in range(count):
                image = Image.fromarray(noise(1000 * k + i, 12, 10))
                image.save(tmp_path / name / label / f"{i}.png")
        return tmp_path / name

    return make
