"""Every op's rules are torch's: equal shapes where torch accepts, an error where it must not."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from dse.emit.expressions import has_macros
from dse.errors import InvalidDesign
from dse.ir import Op, Shape, ops

small = st.integers(1, 5)
counts = st.sampled_from([1, 2, 4, 6])
modes: st.SearchStrategy[ops.PoolMode] = st.sampled_from(["max", "average"])
sizes = st.integers(1, 14)
maps = st.builds(lambda c, h, w: Shape((c, h, w)), st.sampled_from([1, 2, 4, 6]), sizes, sizes)

DRAWN: dict[str, st.SearchStrategy[Op]] = {
    "Conv": st.builds(
        ops.Conv,
        st.sampled_from([1, 2, 4, 6]),
        small,
        small,
        st.integers(0, 3),
        small,
        st.booleans(),
    ),
    "BatchNorm": st.just(ops.BatchNorm()),
    "Pool": st.builds(
        ops.Pool,
        st.sampled_from(["max", "average"]),
        small,
        small,
        st.integers(0, 2),
        st.booleans(),
    ),
    "AdaptivePool": st.builds(ops.AdaptivePool, st.sampled_from(["max", "average"]), small),
    "BlurPool": st.builds(ops.BlurPool, small),
    "GlobalPool": st.builds(ops.GlobalPool, st.sampled_from(["max", "average"]), st.booleans()),
    "Flatten": st.just(ops.Flatten()),
}


def _pool(op: Any, x: Tensor) -> Tensor:
    function = F.max_pool2d if op.mode == "max" else F.avg_pool2d
    return function(x, op.kernel, op.stride, op.padding, ceil_mode=op.ceil_mode)


TORCH: dict[str, Callable[[Any, Tensor], Tensor]] = {
    "Conv": lambda op, x: nn.Conv2d(
        x.shape[1],
        op.channels,
        op.kernel,
        op.stride,
        op.padding,
        groups=op.groups,
        bias=op.bias,
        device="meta",
    )(x),
    "BatchNorm": lambda op, x: nn.BatchNorm2d(x.shape[1], device="meta").eval()(x),
    "Pool": _pool,
    "AdaptivePool": lambda op, x: F.adaptive_avg_pool2d(x, op.size),
    "BlurPool": lambda op, x: F.conv2d(
        F.pad(x, (1, 1, 1, 1), mode="reflect"),
        x.new_empty(x.shape[1], 1, 3, 3),
        stride=op.stride,
        groups=x.shape[1],
    ),
    "GlobalPool": lambda op, x: x.mean(dim=(2, 3), keepdim=op.keep_map),
    "Flatten": lambda op, x: x.flatten(1),
}


@pytest.mark.parametrize("name", sorted(TORCH))
@settings(max_examples=120)
@given(data=st.data())
def test_shape_is_torchs(name: str, data: st.DataObject) -> None:
    op, shape = data.draw(DRAWN[name]), data.draw(maps)
    try:
        ours = op.shape(shape)
    except InvalidDesign:
        assume(False)
    assert tuple(TORCH[name](op, torch.empty(1, *shape, device="meta")).shape[1:]) == tuple(ours)


@pytest.mark.parametrize("name", ["BlurPool", "Conv"])
@settings(max_examples=120)
@given(data=st.data())
def test_what_we_refuse_torch_refuses(name: str, data: st.DataObject) -> None:
    """Not so pooling: torch's ceil mode lets a window hang over its map, which we refuse."""
    op, shape = data.draw(DRAWN[name]), data.draw(maps)
    try:
        op.shape(shape)
    except InvalidDesign:
        with pytest.raises((RuntimeError, ValueError)):
            TORCH[name](op, torch.empty(1, *shape, device="meta"))


@settings(max_examples=120)
@given(op=DRAWN["Pool"], shape=maps)
def test_pooling_that_torch_refuses_is_refused(op: Op, shape: Shape) -> None:
    try:
        _pool(op, torch.empty(1, *shape, device="meta"))
    except RuntimeError:
        with pytest.raises(InvalidDesign):
            op.shape(shape)


@settings(max_examples=60)
@given(op=DRAWN["Conv"], shape=maps)
def test_parameters_of_a_convolution_are_torchs(op: ops.Conv, shape: Shape) -> None:
    assume(shape.channels % op.groups == 0 and op.channels % op.groups == 0)
    layer = nn.Conv2d(
        shape.channels, op.channels, op.kernel, groups=op.groups, bias=op.bias, device="meta"
    )
    assert op.params(shape) == sum(p.numel() for p in layer.parameters())


@given(st.integers(1, 9), st.integers(1, 9), st.booleans())
def test_parameters_of_a_linear_layer_are_torchs(inside: int, out: int, bias: bool) -> None:
    layer = nn.Linear(inside, out, bias=bias)
    assert ops.Linear(out, bias).params(Shape((inside,))) == sum(
        p.numel() for p in layer.parameters()
    )


def test_batch_norm_has_two_trainable_and_two_running_values_a_channel() -> None:
    assert ops.BatchNorm().params(Shape((5, 2, 2))) == 10
    assert ops.BatchNorm().buffers(Shape((5, 2, 2))) == 10


@given(st.integers(1, 60), st.integers(101, 200), st.booleans())
def test_fractional_regions_cover_the_map_in_order(size: int, ratio: int, overlap: bool) -> None:
    op = ops.FractionalMaxPool(ratio / 100, overlap)
    assume(int(size / op.ratio) >= 1)
    edges = op.edges(size)
    assert len(edges) == op.shape(Shape((1, size, size))).height + 1
    assert edges[0] == 0
    assert edges[-1] == (size - 1 if overlap else size)
    assert all(a < b for a, b in pairwise(edges)) or size == 1


def test_sizes_of_the_papers_fractional_pools() -> None:
    size, seen = 32, []
    while size > 1:
        size = ops.FractionalMaxPool(1.44).shape(Shape((1, size, size))).height
        seen.append(size)
    assert seen == [22, 15, 10, 6, 4, 2, 1]


VECTOR = Shape((8,))
MAP = Shape((4, 6, 6))


@pytest.mark.parametrize(
    ("op", "inputs", "words"),
    [
        (ops.Conv(8), (VECTOR,), ["a convolution needs a feature map", "8 features"]),
        (ops.Conv(6, groups=4), (MAP,), ["groups must divide", "groups=4", "4 in", "6 out"]),
        (ops.Conv(8, groups=8), (MAP,), ["groups must divide", "groups=8", "4 in", "8 out"]),
        (ops.Conv(8, kernel=7), (MAP,), ["must fit the padded map", "kernel 7", "4x6x6"]),
        (ops.BatchNorm(), (VECTOR,), ["batch normalisation needs a feature map", "8"]),
        (ops.Pool("max", 3, 2, padding=2), (MAP,), ["at most half", "padding 2", "window 3"]),
        (ops.Pool("max", 7, 2), (MAP,), ["must fit the map", "window 7", "4x6x6"]),
        (ops.Pool("max", 2, 2), (VECTOR,), ["pooling needs a feature map", "8"]),
        (ops.AdaptivePool("max", 2), (VECTOR,), ["adaptive pooling needs a feature map", "8"]),
        (ops.FractionalMaxPool(1.5), (VECTOR,), ["fractional pooling needs a feature map"]),
        (ops.FractionalMaxPool(1.5), (Shape((4, 1, 6)),), ["at least one", "ratio 1.5", "4x1x6"]),
        (ops.BlurPool(), (Shape((4, 1, 6)),), ["needs at least 2x2", "4x1x6"]),
        (ops.BlurPool(), (VECTOR,), ["blur pooling needs a feature map"]),
        (ops.GlobalPool(), (VECTOR,), ["global pooling needs a feature map", "8"]),
        (ops.ChannelConv(3), (MAP,), ["needs a 1x1 map", "4x6x6"]),
        (ops.ChannelConv(3), (VECTOR,), ["a channel convolution needs a feature map"]),
        (ops.ChannelConv(4), (Shape((4, 1, 1)),), ["odd kernel", "4"]),
        (ops.Linear(3), (MAP,), ["a linear layer needs a vector", "4x6x6", "global_pool"]),
        (ops.Add(), (MAP, Shape((4, 6, 5))), ["add needs equal shapes", "4x6x6", "4x6x5"]),
        (ops.Mul(), (MAP, Shape((5, 1, 1))), ["multiply needs", "4x6x6", "5x1x1"]),
        (ops.Mul(), (Shape((4, 1, 1)), MAP), ["multiply needs", "4x1x1", "4x6x6"]),
        (ops.Cat(), (MAP, Shape((4, 6, 5))), ["concatenation needs maps of one size", "4x6x5"]),
        (ops.Cat(), (MAP, VECTOR), ["concatenation needs", "4x6x6 and 8"]),
    ],
)
def test_a_broken_rule_is_named_with_its_values(
    op: Op, inputs: tuple[Shape, ...], words: list[str]
) -> None:
    with pytest.raises(InvalidDesign) as caught:
        op.shape(*inputs)
    assert [word for word in words if word not in str(caught.value)] == []


@pytest.mark.parametrize("name", sorted(ops.OPS))
def test_every_op_has_its_macros(name: str) -> None:
    assert has_macros(ops.OPS[name])


@pytest.mark.parametrize("name", sorted(ops.OPS))
def test_every_setting_shows_in_the_signature(name: str) -> None:
    cls = ops.OPS[name]
    values = {f.name: f"<{f.name}>" for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    signature = cls(**values).signature()
    assert signature.startswith(f"{name}(")
    assert all(repr(value) in signature for value in values.values())
