"""Cost: sums, the memory of activations followed by hand, budgets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.cost import Budget, Cost, as_document, cost, cost_by_block, cost_by_op, table
from dse.errors import InvalidValue
from dse.ir import Value
from dse.network import Network, read_network
from dse.presets import load_preset, preset_names
from tests.strategies import networks

Nodes = list[dict[str, Any]]

END: Nodes = [{"name": "pool", "global_pool": {}}, {"name": "scores", "classifier": {}}]


def network(nodes: Nodes, input: str = "3x8x8", classes: int = 2) -> Network:
    return read_network(
        {"name": "tiny", "input": input, "classes": classes, "nodes": [*nodes, *END]}
    )


def peak(nodes: Nodes, input: str = "3x8x8") -> int:
    """Peak memory in values, not bytes."""
    total = cost(network(nodes, input))
    assert total.peak_activation_bytes % 4 == 0
    return total.peak_activation_bytes // 4


# -- peak memory by hand -------------------------------------------------------------------------


def test_a_chain_holds_the_input_and_output_of_one_convolution() -> None:
    nodes: Nodes = [
        {"name": "a", "conv": {"channels": 16}},  # 3*64 + 16*64; norm and activation in place
        {"name": "b", "conv": {"channels": 8, "stride": 2}},  # 16*64 + 8*16
    ]
    assert peak(nodes) == 19 * 64


def test_a_residual_block_holds_its_input_meanwhile() -> None:
    nodes: Nodes = [
        {"name": "a", "conv": {"channels": 4, "kernel": 1}},  # 3*64 + 4*64
        {"name": "b", "residual": {"channels": 4}},  # x, conv1's output, conv2's output: 3 * 4*64
    ]
    assert peak(nodes) == 12 * 64


def test_a_fire_module_holds_the_squeezed_map_and_both_expansions_then_their_join() -> None:
    nodes: Nodes = [{"name": "a", "fire": {"squeeze": 2, "expand1x1": 5, "expand3x3": 7}}]
    # 3+2; 2+5; 2+5+7; joined while both parts live: 12+12
    assert peak(nodes) == 24 * 64


def test_a_branch_waits_while_its_sibling_is_computed() -> None:
    nodes: Nodes = [
        {"name": "stem", "conv": {"channels": 4, "kernel": 1}},
        {"name": "left", "conv": {"channels": 6, "kernel": 1}, "inputs": ["stem"]},
        {"name": "wide", "conv": {"channels": 32, "kernel": 1}, "inputs": ["stem"]},  # left waits
        {"name": "right", "conv": {"channels": 6, "kernel": 1}},  # 6 + 32 + 6
        {"name": "sum", "fusion": {}, "inputs": ["left", "right"]},
    ]
    assert peak(nodes) == 44 * 64


def _followed(whole: Network) -> int:
    """Peak memory by following every value of the whole program from birth to last use.

    An element-wise op takes the place of its first input if nothing reads that later.
    """
    program = whole.lower()
    steps = list(program.steps())
    ends: dict[Value, int] = {program.output: len(steps)}
    for n, step in enumerate(steps):
        for value in step.inputs:
            ends[value] = max(ends.get(value, 0), n)
    living = {program.inputs[0]}
    most = program.inputs[0].shape.size
    for n, step in enumerate(steps):
        if step.op.in_place and step.inputs and ends[step.inputs[0]] == n:
            living.discard(step.inputs[0])
        living.add(step.output)
        most = max(most, sum(value.shape.size for value in living))
        living = {value for value in living if ends.get(value, 0) > n}
    return 4 * most


@pytest.mark.parametrize("name", preset_names())
def test_peak_memory_of_presets_is_that_of_the_whole_program(name: str) -> None:
    whole = load_preset(name)
    assert cost(whole).peak_activation_bytes == _followed(whole)


@given(networks())
def test_peak_memory_is_never_less_than_that_of_the_whole_program(whole: Network) -> None:
    assert cost(whole).peak_activation_bytes >= _followed(whole)


@given(networks())
def test_peak_memory_covers_every_heavy_op(whole: Network) -> None:
    heaviest = max(
        sum(value.shape.size for value in {*step.inputs, step.output})
        for step in whole.lower().steps()
        if step.op.heavy
    )
    assert cost(whole).peak_activation_bytes >= 4 * heaviest


# -- sums ----------------------------------------------------------------------------------------


@given(st.lists(networks(), min_size=2, max_size=4))
def test_a_shared_memo_changes_no_cost(several: list[Network]) -> None:
    memo: dict[Any, Any] = {}
    assert [cost(n, memo) for n in several] == [cost(n) for n in several]
    assert [cost(n, memo) for n in several] == [cost(n) for n in several]


def _sums(rows: list[Any]) -> tuple[int, int, int]:
    return (
        sum(row.cost.params for row in rows),
        sum(row.cost.buffers for row in rows),
        sum(row.cost.macs for row in rows),
    )


@given(networks())
def test_rows_by_block_and_by_op_sum_to_the_total(whole: Network) -> None:
    total = cost(whole)
    assert _sums(cost_by_block(whole)) == (total.params, total.buffers, total.macs)
    assert _sums(cost_by_op(whole)) == (total.params, total.buffers, total.macs)
    rows = cost_by_block(whole)
    assert max(r.cost.peak_activation_bytes for r in rows) == total.peak_activation_bytes
    assert [r.name for r in rows] == [node.name for node in whole.nodes]


def test_counts_of_one_convolution_by_hand() -> None:
    rows = cost_by_block(
        network([{"name": "a", "conv": {"channels": 8, "kernel": 3, "stride": 2}}])
    )
    assert rows[0].output == "8x4x4"
    assert rows[0].cost.params == 3 * 3 * 3 * 8 + 2 * 8
    assert rows[0].cost.params_with_buffers == 3 * 3 * 3 * 8 + 4 * 8
    assert rows[0].cost.macs == 3 * 3 * 3 * 8 * 16
    assert rows[2].cost.params == 8 * 2 + 2
    assert rows[2].cost.macs == 16


def test_flops_are_twice_the_macs_and_sizes_are_in_float32() -> None:
    some = Cost(params=10, buffers=4, macs=7, peak_activation_bytes=0)
    assert (some.flops, some.params_with_buffers, some.size_bytes) == (14, 14, 56)


def test_the_json_document_says_what_the_table_says() -> None:
    whole = network([{"name": "a", "conv": {"channels": 8}}])
    told = as_document(whole)
    total = cost(whole)
    keys = "name params params_with_buffers macs peak_activation_bytes input classes blocks"
    assert set(keys.split()) <= told.keys()
    assert (told["params"], told["macs"]) == (total.params, total.macs)
    assert sum(block["params"] for block in told["blocks"]) == total.params
    assert f"{total.params:,}" in table(whole)


# -- budgets -------------------------------------------------------------------------------------


SPENT = Cost(params=100, buffers=10, macs=1000, peak_activation_bytes=400)


@pytest.mark.parametrize(
    ("budget", "latency", "excess"),
    [
        (Budget(), None, {}),
        (Budget(params=100), None, {}),
        (Budget(params=99), None, {"params": 100 / 99 - 1}),
        (Budget(params=50, macs=2000), None, {"params": 1.0}),
        (
            Budget(macs=500, peak_activation_bytes=200),
            None,
            {"macs": 1.0, "peak_activation_bytes": 1.0},
        ),
        (Budget(size_bytes=440), None, {}),
        (Budget(size_bytes=220), None, {"size_bytes": 1.0}),
        (Budget(latency_ms=2), None, {}),
        (Budget(latency_ms=2), 2.0, {}),
        (Budget(latency_ms=2), 3.0, {"latency_ms": 0.5}),
    ],
)
def test_excess_is_the_factor_over_each_limit(
    budget: Budget, latency: float | None, excess: dict[str, float]
) -> None:
    spent = replace(SPENT, latency_ms=latency)
    assert budget.excess(spent) == pytest.approx(excess)
    assert budget.admits(spent) == (not excess)


@pytest.mark.parametrize("limit", [0, -1, float("nan")])
def test_a_budget_that_is_not_above_zero_is_refused(limit: float) -> None:
    with pytest.raises(InvalidValue, match="above 0, got macs="):
        Budget(macs=limit)


def test_a_budget_prints_macs_and_flops() -> None:
    assert str(Budget(macs=310e6)) == "310,000,000 MACs (620,000,000 FLOPs)"
    assert str(Budget()) == "no budget"
