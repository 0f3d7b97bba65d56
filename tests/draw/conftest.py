"""Networks to draw."""

from __future__ import annotations

import pytest

from dse.network import Network, read_network


@pytest.fixture(scope="module")
def branches() -> Network:
    """Two branches and a skip, so that lines pass beside boxes."""
    return read_network(
        {
            "name": "branches",
            "input": "3x32x32",
            "classes": 3,
            "nodes": [
                {"name": "stem", "conv": {"channels": 16}},
                {"name": "left", "conv": {"channels": 16}, "inputs": ["stem"]},
                {"name": "left_more", "conv": {"channels": 16}},
                {"name": "right", "conv": {"channels": 16}, "inputs": ["stem"]},
                {"name": "join", "fusion": {}, "inputs": ["left_more", "right"]},
                {"name": "again", "fusion": {}, "inputs": ["join", "stem"]},
                {"name": "stage.0", "conv": {"channels": 16}},
                {"name": "stage.1", "conv": {"channels": 16}},
                {"name": "pool", "global_pool": {}},
                {"name": "classifier", "classifier": {}},
            ],
        }
    )
