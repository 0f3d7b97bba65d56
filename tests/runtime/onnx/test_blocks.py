"""Every kind of block, also one written tomorrow, computes in ONNX what its emitted code does."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic.fields import FieldInfo

from dse.blocks import block_kinds
from dse.errors import InvalidDesign
from dse.ir import Shape
from dse.network import Network, read_network
from dse.runtime.load import build
from dse.runtime.onnx import check_onnx, to_onnx

WIDTH = 6
"""For fields without a default: enough to be split, and not the number of classes."""

VARIANTS: dict[str, list[dict[str, Any]]] = {
    "adaptive_pyramid": [{"levels": [5, 3, 1]}, {"levels": [13, 4]}],
    "blur_pool": [{"stride": 1}],
    "bottleneck": [{"channels": 8, "stride_at": "1x1", "stride": 2}],
    "classifier": [{"dropout": 0.5}],
    "conv": [
        {"channels": 6, "norm": False, "groups": 2},
        {"channels": 6, "kernel": 5, "stride": 2, "padding": 0, "activation": "leaky_relu(0.1)"},
        {"channels": 6, "activation": "none"},
        *({"channels": 6, "activation": a} for a in ("relu6", "hard_swish", "silu")),
    ],
    "conv_classifier": [{"activation": "none"}],
    "depthwise": [{"channels": 6, "stride": 2, "delta": 3}],
    "eca": [{"kernel": 5}],
    "fractional_pool": [{"overlap": False}, {"ratio": 1.3}],
    "global_pool": [{"mode": "max"}],
    "inverted": [
        {"channels": 8, "expansion": 1},
        {"channels": 8, "attention": {"squeeze_excite": {"gate": "hard_sigmoid"}}},
        {"channels": 6, "stride": 2, "attention": {"eca": {}}},
    ],
    "pool": [
        {"mode": "average", "kernel": 3, "padding": 1, "ceil_mode": True},
        {"mode": "max", "kernel": 3, "ceil_mode": True},
    ],
    "pyramid": [{"windows": [5, 2]}],
    "residual": [{"channels": 8}, {"channels": 6, "stride": 2, "activation": "silu"}],
    "shuffle": [
        {"channels": 8, "groups": 2},
        {"channels": 16, "groups": 2, "stride": 2},
        {"channels": 16, "groups": 4, "group_reduce": False},
    ],
    "squeeze_excite": [{"hidden": 3, "activation": "hard_swish"}],
}

CASES = [(kind, fields) for kind in block_kinds() for fields in [None, *VARIANTS.get(kind, [])]]


def smallest(kind: str) -> dict[str, Any]:
    """A block's required fields, filled in."""

    def value(field: FieldInfo) -> Any:
        return WIDTH if field.annotation is int else [WIDTH]

    fields = block_kinds()[kind].model_fields
    return {name: value(field) for name, field in fields.items() if field.is_required()}


def network_with(kind: str, fields: dict[str, Any]) -> Network:
    """A small network around the block: what it needs before it, and after it to end in scores."""
    arity = block_kinds()[kind].arity
    stems = [f"stem{i + 1}" for i in range(arity)]
    before = [{"name": stems[0], "conv": {"channels": 8}}]
    before += [{"name": name, "conv": {"channels": 8}, "inputs": [stems[0]]} for name in stems[1:]]
    block = {"name": "block", kind: fields} | ({"inputs": stems} if arity > 1 else {})
    pool, classifier = {"name": "pool", "global_pool": {}}, {"name": "head", "classifier": {}}
    problem: InvalidDesign | None = None
    for nodes in (
        [block],
        [block, pool, classifier],
        [block, classifier],
        [pool, block, classifier],
        [pool, block],
    ):
        document = {"name": "test", "input": "3x11x13", "classes": 5, "nodes": [*before, *nodes]}
        try:
            return read_network(document)
        except InvalidDesign as error:
            problem = error
    raise AssertionError(f"no network around {kind} {fields}: {problem}")


@pytest.mark.parametrize(("kind", "fields"), CASES)
def test_block(kind: str, fields: dict[str, Any] | None, randomised: Any) -> None:
    network = network_with(kind, smallest(kind) if fields is None else fields)
    module = randomised(build(network))
    model = to_onnx(network, module.state_dict()).SerializeToString()
    for batch in (1, 3):
        assert check_onnx(model, module, network, batch=batch).max_rel_error < 1e-5


def test_the_variants_are_of_blocks_that_exist() -> None:
    assert set(VARIANTS) <= set(block_kinds())


def test_fractional_regions_where_float32_would_round_a_border_up(randomised: Any) -> None:
    network = network_with("fractional_pool", {}).resized(input=Shape((3, 73, 109)))
    module = randomised(build(network))
    model = to_onnx(network, module.state_dict()).SerializeToString()
    assert check_onnx(model, module, network).max_rel_error < 1e-5
