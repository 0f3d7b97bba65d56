"""A folder of emitted files: every preset and a few dozen random networks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from dse.emit import emit
from dse.network import Network
from dse.presets import load_preset, preset_names
from tests.strategies import networks

RANDOM = 25


@dataclass(frozen=True)
class Emitted:
    """Networks by file name, and the folder that holds their sources."""

    folder: Path
    networks: dict[str, Network]

    def source(self, name: str) -> str:
        return (self.folder / f"{name}.py").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def emitted(tmp_path_factory: pytest.TempPathFactory) -> Emitted:
    folder = tmp_path_factory.mktemp("emitted")
    found = {load_preset(name).module_name: load_preset(name) for name in preset_names()}
    for way in ("maxpool3", "fractional"):
        found[f"hybrid_{way}"] = load_preset("hybrid-mobilenet", downsample=way)
    drawn: dict[str, Network] = {}

    @settings(
        max_examples=3 * RANDOM,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(networks(most=8))
    def collect(network: Network) -> None:
        drawn[network.digest] = network

    collect()
    largest = sorted(drawn.values(), key=lambda n: (len(n.nodes), n.digest))[-RANDOM:]
    found |= {f"random_{number}": network for number, network in enumerate(largest)}
    for name, network in found.items():
        (folder / f"{name}.py").write_text(emit(network), encoding="utf-8")
    return Emitted(folder, found)
