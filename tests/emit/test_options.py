"""Options that vary among the instances of a class and set a function of its `forward`."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from dse.emit import emit
from dse.network import Network, read_network
from tests.modules import built, images, interpreted, randomised

CASES: list[tuple[str, list[dict[str, Any]]]] = [
    ("groups", [{"shuffle": {"channels": 16, "groups": groups}} for groups in (2, 4, 2)]),
    ("size", [{"adaptive_pool": {"size": size, "mode": "max"}} for size in (5, 3, 2)]),
]


def stage(blocks: list[dict[str, Any]]) -> Network:
    nodes = [{"name": f"stage.{number}", **block} for number, block in enumerate(blocks)]
    ending = [{"name": "gap", "global_pool": {}}, {"name": "scores", "classifier": {}}]
    return read_network(
        {"name": "options", "input": "16x8x8", "classes": 3, "nodes": [*nodes, *ending]}
    )


@pytest.mark.parametrize(("option", "blocks"), CASES, ids=lambda x: x if isinstance(x, str) else "")
def test_an_option_that_varies_reaches_the_function_it_sets(
    option: str, blocks: list[dict[str, Any]]
) -> None:
    network = stage(blocks)
    assert f"self.{option} = {option}\n" in emit(network)
    model, batch = randomised(built(network)), images(network)
    with torch.no_grad():
        torch.testing.assert_close(model(batch), interpreted(network, model, batch))
        torch.testing.assert_close(torch.jit.script(model)(batch), model(batch))


@pytest.mark.parametrize(("option", "blocks"), CASES, ids=lambda x: x if isinstance(x, str) else "")
def test_an_option_that_does_not_vary_is_written_where_it_is_used(
    option: str, blocks: list[dict[str, Any]]
) -> None:
    assert f"self.{option}" not in emit(stage(blocks[:1]))


@pytest.mark.parametrize("strides", [(3, 1), (1, 3, 1)])
def test_a_block_that_is_one_module_has_its_own_options(
    strides: tuple[int, ...],
) -> None:
    """It is no class of its own, so there is no argument that the option could be."""
    network = stage([{"blur_pool": {"stride": stride}} for stride in strides])
    for stride in strides:
        assert f"BlurPool2d(16, stride={stride})" in emit(network)
    model, batch = randomised(built(network)), images(network)
    with torch.no_grad():
        torch.testing.assert_close(model(batch), interpreted(network, model, batch))
