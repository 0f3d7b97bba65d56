"""Every primitive op computes in ONNX Runtime what it computes in torch, whatever its fields."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from dse.errors import InvalidDesign
from dse.ir import Op, Scope, Shape, Tape, Value, ops
from dse.ir.activation import ACTIVATIONS, GATES
from dse.runtime.onnx import ONNX_OPS, program_to_onnx

TOLERANCE = 1e-5

# -- what torch computes ---------------------------------------------------------------------------

Weights = dict[str, Tensor]


def _conv(op: ops.Conv, w: Weights, x: Tensor) -> Tensor:
    return F.conv2d(x, w["weight"], w.get("bias"), op.stride, op.padding, groups=op.groups)


def _batch_norm(op: ops.BatchNorm, w: Weights, x: Tensor) -> Tensor:
    return F.batch_norm(x, w["running_mean"], w["running_var"], w["weight"], w["bias"], eps=1e-5)


def _act(op: ops.Act, w: Weights, x: Tensor) -> Tensor:
    if op.function == "leaky_relu":
        return F.leaky_relu(x, op.slope)
    return {
        "relu": F.relu,
        "relu6": F.relu6,
        "hard_swish": F.hardswish,
        "silu": F.silu,
        "sigmoid": torch.sigmoid,
        "hard_sigmoid": F.hardsigmoid,
    }[op.function](x)


def _pool(op: ops.Pool, w: Weights, x: Tensor) -> Tensor:
    window = (x, op.kernel, op.stride, op.padding)
    if op.mode == "max":
        return F.max_pool2d(*window, ceil_mode=op.ceil_mode)
    return F.avg_pool2d(*window, ceil_mode=op.ceil_mode, count_include_pad=op.count_padding)


def _adaptive_pool(op: ops.AdaptivePool, w: Weights, x: Tensor) -> Tensor:
    pool = {"max": F.adaptive_max_pool2d, "average": F.adaptive_avg_pool2d}[op.mode]
    return pool(x, op.size)


def _fractional(op: ops.FractionalMaxPool, w: Weights, x: Tensor) -> Tensor:
    def pool(x: Tensor, dim: int) -> Tensor:
        edges = op.edges(x.shape[dim])
        regions = [(a, b + op.overlap - a) for a, b in itertools.pairwise(edges)]
        return torch.cat([x.narrow(dim, *r).amax(dim, keepdim=True) for r in regions], dim)

    return pool(pool(x, 2), 3)


def _blur(op: ops.BlurPool, w: Weights, x: Tensor) -> Tensor:
    channels = x.shape[1]
    kernel = torch.outer(torch.tensor([1.0, 2, 1]), torch.tensor([1.0, 2, 1])) / 16
    x = F.pad(x, (1, 1, 1, 1), mode="reflect")
    return F.conv2d(x, kernel.expand(channels, 1, 3, 3), stride=op.stride, groups=channels)


def _global_pool(op: ops.GlobalPool, w: Weights, x: Tensor) -> Tensor:
    reduce = torch.amax if op.mode == "max" else torch.mean
    return reduce(x, dim=(2, 3), keepdim=op.keep_map)


def _channel_conv(op: ops.ChannelConv, w: Weights, x: Tensor) -> Tensor:
    return F.conv2d(x.transpose(1, 2), w["weight"], padding=(op.kernel // 2, 0)).transpose(1, 2)


TORCH: dict[str, Callable[..., Tensor]] = {
    "Conv": _conv,
    "BatchNorm": _batch_norm,
    "Act": _act,
    "Pool": _pool,
    "AdaptivePool": _adaptive_pool,
    "LocalResponseNorm": lambda op, w, x: F.local_response_norm(x, op.size),
    "ChannelShuffle": lambda op, w, x: F.channel_shuffle(x, op.groups),
    "FractionalMaxPool": _fractional,
    "BlurPool": _blur,
    "GlobalPool": _global_pool,
    "ChannelConv": _channel_conv,
    "Linear": lambda op, w, x: F.linear(x, w["weight"], w.get("bias")),
    "Dropout": lambda op, w, x: x,
    "Flatten": lambda op, w, x: x.flatten(1),
    "Parameter": lambda op, w: w[""],
    "Add": lambda op, w, a, b: a + b,
    "Mul": lambda op, w, a, b: a * b,
    "Cat": lambda op, w, *xs: torch.cat(xs, 1),
}


def torch_result(program: Scope, state: Weights, images: Tensor) -> Tensor:
    values = {id(program.inputs[0]): images}
    for path, step in program.walk():
        own = {
            name.removeprefix(path).removeprefix("."): tensor
            for name, tensor in state.items()
            if name == path or name.startswith(f"{path}.")
        }
        inputs = (values[id(value)] for value in step.inputs)
        values[id(step.output)] = TORCH[type(step.op).__name__](step.op, own, *inputs)
    return values[id(program.output)]


def tensors(op: Op, *inputs: Shape) -> dict[str, tuple[int, ...]]:
    """The shapes of an op's tensors, as torch's modules have them."""
    match op:
        case ops.Conv():
            shapes = {"weight": (op.channels, inputs[0][0] // op.groups, op.kernel, op.kernel)}
            return shapes | ({"bias": (op.channels,)} if op.bias else {})
        case ops.BatchNorm():
            return dict.fromkeys(("weight", "bias", "running_mean", "running_var"), inputs[0][:1])
        case ops.Linear():
            shapes = {"weight": (op.features, inputs[0][0])}
            return shapes | ({"bias": (op.features,)} if op.bias else {})
        case ops.ChannelConv():
            return {"weight": (1, 1, op.kernel, 1)}
        case ops.Parameter():
            return {"": ()}
    return {}


def random_state(program: Scope) -> Weights:
    generator = torch.Generator().manual_seed(1)
    state = {}
    for path, step in program.walk():
        for name, shape in tensors(step.op, *(value.shape for value in step.inputs)).items():
            tensor = torch.randn(shape, generator=generator)
            positive = tensor.abs() + 0.3
            state[f"{path}.{name}".rstrip(".")] = positive if name == "running_var" else tensor
    return state


# -- random programs around each op ----------------------------------------------------------------

# Runtimes lay out maps whose channels fill a register differently: both kinds must occur.
channels = st.sampled_from([1, 2, 3, 5, 8, 16])
sides = st.integers(1, 19)
maps = st.builds(lambda c, h, w: Shape((c, h, w)), channels, sides, sides)
modes = st.sampled_from(["max", "average"])
functions = st.sampled_from([*ACTIVATIONS[1:], *GATES]).map(
    lambda word: ops.Act(word, 0.2) if word == "leaky_relu" else ops.Act(word)
)


def alone(shape: Shape, op: Op) -> Scope:
    """The program of one op."""
    tape = Tape("test", 2, shape)
    tape.root.output = tape.record(op, "stem.op", tape.root.inputs[0])
    return tape.root


@st.composite
def convs(draw: st.DrawFn) -> Scope:
    groups = draw(st.sampled_from([1, 1, 2, 8]))
    inside, outside = (groups * draw(st.integers(1, 3)) for _ in range(2))
    op = ops.Conv(
        outside,
        kernel=draw(st.integers(1, 5)),
        stride=draw(st.integers(1, 3)),
        padding=draw(st.integers(0, 3)),
        groups=groups,
        bias=draw(st.booleans()),
    )
    return alone(Shape((inside, draw(sides), draw(sides))), op)


def second_operand(tape: Tape, kind: str, x: Value) -> Value:
    match kind:
        case "scalar":
            return tape.parameter("weight", 1.0)
        case "channels":
            return tape.global_pool(x, "max", keep_map=True)
    return tape.act("sigmoid", x)


@st.composite
def products(draw: st.DrawFn) -> Scope:
    tape = Tape("test", 2, draw(maps))
    x = tape.root.inputs[0]
    kind = draw(st.sampled_from(["scalar", "channels", "equal"]))
    tape.root.output = tape.mul(x, second_operand(tape, kind, x))
    return tape.root


@st.composite
def parameters(draw: st.DrawFn) -> Scope:
    tape = Tape("test", 2, draw(maps))
    x = tape.root.inputs[0]
    scaled = [tape.mul(x, tape.parameter(label, 0.5)) for label in ("alpha", "beta")]
    tape.root.output = tape.cat(*scaled)
    return tape.root


@st.composite
def sums(draw: st.DrawFn) -> Scope:
    tape = Tape("test", 2, draw(maps))
    x = tape.root.inputs[0]
    if draw(st.booleans()):
        x = tape.flatten(x)
    tape.root.output = tape.add(x, tape.act("hard_swish", x))
    return tape.root


@st.composite
def joins(draw: st.DrawFn) -> Scope:
    tape = Tape("test", 2, draw(maps))
    x = tape.root.inputs[0]
    parts = [tape.conv(f"part{i}", x, i + 1) for i in range(draw(st.integers(1, 3)))]
    if draw(st.booleans()):
        parts = [tape.flatten(part) for part in parts]
    tape.root.output = tape.cat(*parts)
    return tape.root


@st.composite
def linears(draw: st.DrawFn) -> Scope:
    tape = Tape("test", 2, draw(maps))
    x = tape.flatten(tape.root.inputs[0])
    tape.root.output = tape.linear("head", x, draw(st.integers(1, 9)), draw(st.booleans()))
    return tape.root


pools = st.builds(
    ops.Pool, modes, st.integers(1, 5), st.integers(1, 4), st.integers(0, 2), st.booleans()
)
fractional = st.builds(
    ops.FractionalMaxPool,
    st.one_of(st.sampled_from([1.44, 1.5, 2.0]), st.floats(1.01, 2)),
    st.booleans(),
)
vectors = st.builds(lambda c: Shape((c, 1, 1)), st.integers(1, 20))

PROGRAMS: dict[str, st.SearchStrategy[Scope]] = {
    "Conv": convs(),
    "BatchNorm": st.builds(alone, maps, st.just(ops.BatchNorm())),
    "Act": st.builds(alone, maps, functions),
    "Pool": st.builds(alone, maps, pools),
    "AdaptivePool": st.builds(alone, maps, st.builds(ops.AdaptivePool, modes, st.integers(1, 22))),
    "LocalResponseNorm": st.builds(
        alone, maps, st.builds(ops.LocalResponseNorm, st.sampled_from([1, 3, 5]))
    ),
    "ChannelShuffle": st.builds(alone, maps, st.builds(ops.ChannelShuffle, st.integers(1, 4))),
    "FractionalMaxPool": st.builds(alone, maps, fractional),
    "BlurPool": st.builds(alone, maps, st.builds(ops.BlurPool, st.integers(1, 3))),
    "GlobalPool": st.builds(alone, maps, st.builds(ops.GlobalPool, modes, st.booleans())),
    # An even kernel makes one channel too many in torch, and so has no meaning to compare.
    "ChannelConv": st.builds(
        alone, vectors, st.builds(ops.ChannelConv, st.sampled_from([1, 3, 5]))
    ),
    "Linear": linears(),
    "Dropout": st.builds(alone, maps, st.just(ops.Dropout(0.5))),
    "Flatten": st.builds(alone, maps, st.just(ops.Flatten())),
    "Parameter": parameters(),
    "Add": sums(),
    "Mul": products(),
    "Cat": joins(),
}


def drawn(data: st.DataObject, name: str) -> Scope:
    """A program of the op; fields that do not fit the map are drawn anew."""
    try:
        return data.draw(PROGRAMS[name])
    except InvalidDesign:
        reject()


def test_every_op_has_a_rule() -> None:
    assert set(ONNX_OPS) == set(ops.OPS)


def test_every_op_is_tested() -> None:
    assert set(PROGRAMS) == set(TORCH) == set(ops.OPS)


@pytest.mark.parametrize("name", sorted(ops.OPS))
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_onnx_runtime_equals_torch(
    name: str, data: st.DataObject, run_onnx: Any, error: Any
) -> None:
    program = drawn(data, name)
    state = random_state(program)
    images = torch.randn(
        data.draw(st.sampled_from([1, 3])),
        *program.inputs[0].shape,
        generator=torch.Generator().manual_seed(0),
    )
    images *= 4  # beyond the bends of the hard activations
    ours = run_onnx(program_to_onnx(program, state), images.numpy())
    assert error(ours, torch_result(program, state, images)) < TOLERANCE


# -- where runtimes are known to differ ------------------------------------------------------------


@pytest.mark.parametrize("mode", ["max", "average"])
@pytest.mark.parametrize("ceil_mode", [False, True])
def test_pool_windows_end_where_torch_ends_them(
    mode: ops.PoolMode, ceil_mode: bool, run_onnx: Any, error: Any
) -> None:
    """Small kernels, strides and paddings, on sizes that leave every remainder on each axis."""
    sizes = [(4, 9), (5, 8), (6, 7), (11, 10)]
    compared = 0
    for kernel, stride, padding in itertools.product((2, 3), (1, 2, 3, 4), (0, 1)):
        for height, width in sizes:
            op = ops.Pool(mode, kernel, stride, padding, ceil_mode)
            try:
                program = alone(Shape((8, height, width)), op)
            except InvalidDesign:
                continue
            # All negative: a border of zeros, or a count that includes it, shows.
            images = -1 - torch.rand(1, 8, height, width)
            ours = run_onnx(program_to_onnx(program, {}), images.numpy())
            assert error(ours, torch_result(program, {}, images)) < TOLERANCE, (op, height, width)
            compared += 1
    assert compared > 50


@pytest.mark.parametrize(
    ("size", "side", "kinds"),
    [
        (8, 4, ["MaxPool"]),
        (7, 2, ["MaxPool"]),  # windows of 4 that share the middle row
        (9, 1, ["MaxPool"]),
        (8, 3, ["Gather", "ReduceMax"] * 2),
        (2, 5, ["Gather", "ReduceMax"] * 2),
    ],
)
def test_adaptive_pool_is_a_plain_pool_where_regions_are_windows(
    size: int, side: int, kinds: list[str]
) -> None:
    model = program_to_onnx(alone(Shape((2, size, size)), ops.AdaptivePool("max", side)), {})
    assert [node.op_type for node in model.graph.node] == kinds


def test_grids_in_one_scope_keep_their_own_regions(run_onnx: Any, error: Any) -> None:
    """The levels of a pyramid have one path; what each gathers must not be another's."""
    tape = Tape("test", 2, Shape((2, 7, 11)))
    x = tape.root.inputs[0]
    tape.root.output = tape.cat(
        *(tape.flatten(tape.adaptive_pool("max", x, side)) for side in (5, 3, 5))
    )
    images = torch.randn(2, 2, 7, 11)
    model = program_to_onnx(tape.root, {})
    ours = run_onnx(model, images.numpy())
    assert error(ours, torch_result(tape.root, {}, images)) == 0
    # Rows and columns for 5 and for 3: the second grid of 5 shares the first one's.
    assert len(model.graph.initializer) == 4


def test_a_network_may_do_nothing(run_onnx: Any) -> None:
    """An op that leaves no node, as the whole program: the output still has its own name."""
    images = np.ones((2, 1, 2, 2), np.float32)
    program = alone(Shape((1, 2, 2)), ops.Dropout(0.5))
    assert (run_onnx(program_to_onnx(program, {}), images) == images).all()


def test_the_output_may_be_read_within(run_onnx: Any) -> None:
    """It takes the output's name where it is computed and where it is read."""
    tape = Tape("test", 2, Shape((2, 3, 3)))
    tape.root.output = tape.relu(tape.root.inputs[0])
    tape.act("sigmoid", tape.root.output)
    images = np.random.default_rng(0).standard_normal((2, 2, 3, 3), np.float32)
    assert (run_onnx(program_to_onnx(tape.root, {}), images) == images.clip(0)).all()
