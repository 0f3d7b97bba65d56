"""What we say that ONNX Runtime runs, beside what it runs on this machine."""

from __future__ import annotations

import random
from collections import Counter
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.cost import cost_by_op
from dse.devices.observe import observed
from dse.errors import InvalidDesign
from dse.ir import Shape, Tape, ops
from dse.latency.kernel import CONVOLUTIONS, Kernel
from dse.latency.kernels import block_kernels, kernels, network_kernels
from dse.latency.layout import Layout
from dse.network import Network, read_network
from dse.presets import load_preset, preset_names
from dse.space import load_space, space_names
from tests.latency.running import Call, layout_here, really_run, run, told
from tests.strategies import KINDS, minimal_networks, networks

LARGE = {
    "densenet-169",
    "densenet-201",
    "efficientnet-b4",
    "efficientnet-b7",
    "resnet-101",
    "resnet-152",
    "vgg-19-bn",
}

STRAY = {"lightweight": 0.06, "hybrid-mobilenet": 0.1}
"""The part of a space's calls in which what adds up may differ from what runs; 3 % for others. In
these spaces stand pools that leave maps in rows before blocks that read rows."""

LAYOUTS = [Layout(), Layout(block=16), Layout(joins_hard_swish=False), Layout(1, False)]


def small(network: Network) -> Network:
    """For images of the least size that fits, from 64 pixels on: layouts depend on channels."""
    for size in (64, 128, 256):
        try:
            return network.resized(input=Shape((network.input.channels, size, size)))
        except InvalidDesign:
            continue
    return network


def added_up(network: Network) -> list[Kernel]:
    return [kernel for own in network_kernels(network, layout_here()) for kernel in own]


def stray(ours: Counter[Call], runs: Counter[Call]) -> int:
    """How many calls are in one of the two alone."""
    return ((ours - runs) + (runs - ours)).total()


def ordinary(network: Network) -> bool:
    """Whether no map is pooled twice in the same way, which ONNX Runtime does once."""
    pools: list[tuple[object, ...]] = []
    for step in network.lower().steps():
        if isinstance(step.op, ops.Pool | ops.AdaptivePool):
            window = step.op.size if isinstance(step.op, ops.AdaptivePool) else step.op.kernel
            pools.append((step.inputs[0], step.output.shape, step.op.mode, window))
    return len({(id(x), *rest) for x, *rest in pools}) == len(pools)


def node_network(*nodes: dict[str, object], channels: int = 16) -> Network:
    """Some nodes between a stem and a classifier."""
    document = [
        {"name": "stem", "conv": {"channels": channels}},
        *nodes,
        {"name": "last", "global_pool": {}},
        {"name": "scores", "classifier": {}},
    ]
    return read_network({"name": "t", "input": "3x32x32", "classes": 3, "nodes": document})


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] if n in LARGE else []) for n in preset_names()],
)
def test_presets_run_what_is_told(name: str) -> None:
    network = small(load_preset(name))
    runs = really_run(network.lower())
    assert told(kernels(network.lower(), layout_here())) == runs
    # On images this small VGG has a pool over unequal regions before its flattening, which read and
    # write rows.
    allowed = 2 if name == "vgg-19-bn" else 0
    ours = told(added_up(network))
    assert stray(ours, runs) == allowed


@pytest.mark.parametrize("name", space_names())
def test_designs_of_spaces_run_what_is_told(name: str) -> None:
    space, rng = load_space(name), random.Random(0)
    astray = total = 0
    for _ in range(12):
        network = small(space.bind(space.sample(rng)))
        runs = really_run(network.lower())
        assert told(kernels(network.lower(), layout_here())) == runs
        astray += stray(told(added_up(network)), runs)
        total += runs.total()
    assert astray <= STRAY.get(name, 0.03) * total


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=6)
@given(data=st.data())
def test_every_block_runs_what_is_told(kind: str, data: st.DataObject) -> None:
    program = data.draw(minimal_networks(kind).filter(ordinary)).lower()
    assert told(kernels(program, layout_here())) == really_run(program)


@settings(max_examples=60)
@given(networks().filter(ordinary))
def test_random_networks_run_what_is_told(network: Network) -> None:
    program = network.lower()
    assert told(kernels(program, layout_here())) == really_run(program)


@settings(max_examples=40)
@given(networks(), st.sampled_from(LAYOUTS))
def test_kernels_are_whole_for_any_layout(network: Network, layout: Layout) -> None:
    """Each convolution and linear layer of the program is one kernel with its multiply-adds, for
    the network as for its blocks; what joins them adds none.
    """
    steps = list(network.lower().steps())
    kinds = {"Conv", "BlurPool", "ChannelConv", "Linear"}
    heavy = [s for s in steps if type(s.op).__name__ in kinds]
    norms = sum(type(s.op).__name__ == "BatchNorm" for s in steps)
    macs = sorted(row.cost.macs for row in cost_by_op(network) if row.what in kinds)
    whole = kernels(network.lower(), layout)
    parts = [kernel for own in network_kernels(network, layout) for kernel in own]
    for found in (whole, parts):
        work = [k for k in found if k.kind in (*CONVOLUTIONS, "linear")]
        assert len(heavy) <= len(work) <= len(heavy) + norms
        counted = sorted(k.macs for k in work)
        for own in macs:
            counted.remove(own)
        if layout.block == 1:
            assert not any(k.blocked or k.kind.startswith("reorder") for k in found)
    assert {k.kind for k in whole if prod(k.output) == 0} == set()


def test_a_search_may_remember_blocks() -> None:
    """A node's kernels depend on its block and the shapes that it reads alone."""
    body = {"inverted": {"channels": 24, "stride": 2}}
    alone = node_network({"name": "body", **body})
    after = node_network({"name": "weigh", "squeeze_excite": {}}, {"name": "body", **body})
    assert network_kernels(alone, Layout())[1] == network_kernels(after, Layout())[2]
    shape, own = block_kernels(alone.nodes[1].block, (Shape((16, 32, 32)),), 3, Layout())
    assert (shape, own) == ((24, 16, 16), network_kernels(alone, Layout())[1])


@pytest.mark.parametrize(
    ("activation", "reorders"), [("relu", 0), ("hard_swish", 0), ("relu6", 3), ("leaky_relu", 3)]
)
def test_a_chain_of_residual_blocks_is_reordered_where_its_sum_stays_in_rows(
    activation: str, reorders: int
) -> None:
    block = {"residual": {"channels": 16, "activation": activation}}
    network = node_network(*({"name": f"stage.{i}", **block} for i in range(3)))
    counts = [
        sum(kernel.kind.startswith("reorder") for kernel in own)
        for own in network_kernels(network, Layout())
    ]
    # Within each block: the input to blocks, the sum's second operand to rows.
    assert counts[1:4] == [2 if reorders else 0] * 3


def test_channels_of_the_last_block_are_padded_and_odd_ones_stay_in_rows() -> None:
    def conv(channels: int) -> Kernel:
        tape = Tape("t", 2, Shape((channels, 8, 8)))
        tape.root.output = tape.conv("conv", tape.root.inputs[0], 10, 3)
        [kernel] = [k for k in kernels(tape.root, Layout()) if k.kind == "conv"]
        return kernel

    assert {c: conv(c).blocked for c in (3, 7, 8, 9, 10, 12, 18, 20)} == {
        **dict.fromkeys((3, 7, 8, 12, 20), True),
        **dict.fromkeys((9, 10, 18), False),
    }


def test_a_profile_is_read_as_kernels_and_what_does_not_fit_is_told() -> None:
    network = node_network({"name": "body", "inverted": {"channels": 16, "attention": {"eca": {}}}})
    program, layout = network.lower(), layout_here()
    events, _ = run(program)
    ours = kernels(program, layout)
    seen = observed(events, ours, layout)
    assert (seen.strangers, seen.missing) == ((), ())
    assert sorted(map(repr, ours)) == sorted(repr(kernel) for kernel, _ in seen.times)
    named = [e for e in events if e["args"]["op_name"] not in ("Flatten", "Reshape")]
    assert [us for _, us in seen.times] == [e["dur"] for e in named]

    lost = ours[2]
    without = observed(events, [k for k in ours if k != lost], layout)
    assert len(without.strangers) == ours.count(lost)
    assert without.missing == ()
    other = Kernel("add", ((5, 5, 5), (5, 5, 5)), (5, 5, 5))
    beside = observed(events, [*ours, other], layout)
    assert beside.missing == (other,)
    assert beside.times == seen.times
