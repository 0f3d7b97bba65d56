"""A small trained-looking network, and images of three classes for it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

from dse.data import Dataset
from dse.data.dataset import assemble
from dse.network import Network, read_network
from dse.runtime.export.examples import Examples
from dse.runtime.export.preprocessing import Preprocessing, measured
from dse.runtime.load import build
from tests.modules import randomised

DOCUMENT: dict[str, Any] = {
    "name": "small-net",
    "input": "3x16x16",
    "classes": 3,
    "nodes": [
        {"name": "stem", "conv": {"channels": 8, "stride": 2}},
        {"name": "fire", "fire": {"squeeze": 4, "expand1x1": 8, "expand3x3": 8}},
        {"name": "shuffled", "shuffle": {"channels": 16, "groups": 2}},
        {"name": "se", "squeeze_excite": {"reduction": 4}},
        {"name": "down", "blur_pool": {}},
        {"name": "pyramid", "adaptive_pyramid": {"levels": [1, 2]}},
        {"name": "logits", "classifier": {"dropout": 0.2}},
    ],
}


@pytest.fixture(scope="session")
def network() -> Network:
    return read_network(DOCUMENT)


@pytest.fixture
def module(network: Network) -> nn.Module:
    """With statistics and weights unlike those of a fresh module, so that its scores differ."""
    return randomised(build(network), seed=3).eval()


@pytest.fixture(scope="session")
def data() -> Dataset:
    """Three classes of coloured noise, 40 images each."""
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 3
    noise = rng.integers(0, 160, (120, 16, 16, 3))
    noise[np.arange(120), :, :, labels] += 80
    return assemble(
        "colours",
        noise.astype(np.uint8),
        labels.astype(np.int64),
        ("red", "green", "a, b"),
        note="noise",
    )


@pytest.fixture(scope="session")
def prepared(data: Dataset, network: Network) -> Preprocessing:
    return measured(data, data.splits().train, network)


@pytest.fixture
def examples(data: Dataset, network: Network, prepared: Preprocessing) -> Examples:
    return Examples.of(data, data.splits(), network, prepared)


@pytest.fixture(scope="session")
def xrays() -> Path:
    """The sixty real X-rays for tests."""
    root = os.environ.get("DSE_DATA")
    if not root or not (Path(root) / "covid-xray-tiny").is_dir():
        pytest.skip("needs covid-xray-tiny in the folder of data sets that DSE_DATA names")
    return Path(root) / "covid-xray-tiny"
