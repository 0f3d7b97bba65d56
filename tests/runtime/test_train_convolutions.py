"""Convolutions computed another way: the same numbers, gradients and weights."""

from __future__ import annotations

import copy
import os
import subprocess
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from dse.presets import load_preset
from dse.runtime.load import build
from dse.runtime.train import fit
from dse.runtime.train.convolutions import Depthwise, Full, fast_convolutions
from tests.trainings import CLASSES, SHORT, TRAIN, VAL

CPU = torch.device("cpu")


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[nn.Conv2d, Tensor]:
    """Any convolution without dilation, and images that it takes."""
    channels = draw(st.integers(1, 4))
    groups = draw(st.sampled_from([1, channels]))
    kernel = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    padding = (draw(st.integers(0, kernel[0] // 2)), draw(st.integers(0, kernel[1] // 2)))
    size = [draw(st.integers(max(1, k - 2 * p), 7)) for k, p in zip(kernel, padding, strict=True)]
    module = nn.Conv2d(
        channels,
        channels * draw(st.integers(1, 3)),
        kernel,
        stride=draw(st.tuples(st.integers(1, 2), st.integers(1, 2))),
        padding=padding,
        groups=groups,
        bias=draw(st.booleans()),
    )
    images = torch.rand(draw(st.integers(1, 3)), channels, *size)
    return module.to(memory_format=torch.channels_last), images


def results(model: nn.Module, images: Tensor) -> list[Tensor]:
    """Output, and the gradients of images and parameters for a fixed one of the output."""
    images = images.clone(memory_format=torch.channels_last).requires_grad_()
    model.zero_grad()
    y = model(images)
    y.backward(torch.linspace(-1, 1, y.numel()).view_as(y))
    assert images.grad is not None
    return [y.detach(), images.grad, *(p.grad.clone() for p in model.parameters())]


@given(convolutions())
def test_numbers_and_gradients_are_those_of_torch(case: tuple[nn.Conv2d, Tensor]) -> None:
    module, images = case
    # Some of torch's own are not safe with oneDNN, see below.
    with torch.backends.mkldnn.flags(enabled=False):
        plain = results(module, images)
    with fast_convolutions(module, CPU):
        fast = results(module, images)
    for ours, theirs in zip(fast, plain, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-4, rtol=1e-4)
    assert fast[0].shape == plain[0].shape


@pytest.mark.parametrize("groups", [1, 6])
@pytest.mark.parametrize(
    ("size", "kernel", "multiplier"), [(16, 3, 2), (8, 3, 1), (4, 5, 1), (2, 3, 2), (1, 3, 4)]
)
def test_outputs_are_channels_last(size: int, kernel: int, multiplier: int, groups: int) -> None:
    module = nn.Conv2d(6, 6 * multiplier, kernel, padding=kernel // 2, groups=groups)
    images = torch.rand(2, 6, size, size).contiguous(memory_format=torch.channels_last)
    with fast_convolutions(module, CPU):
        y = module(images)
    assert y.is_contiguous(memory_format=torch.channels_last)


def test_what_is_asked_for_in_inference_first_can_be_trained_with_after() -> None:
    module = nn.Conv2d(7, 7, (5, 3), padding=(2, 1), groups=7)
    images = torch.rand(1, 7, 2, 3)
    with fast_convolutions(module, CPU):
        with torch.inference_mode():
            module(images)
        assert len(results(module, images)) == 4


_CHECKED = """
import torch
from torch import nn
from dse.runtime.train.convolutions import fast_convolutions

torch.set_num_threads(1)
for channels in range(1, 12):
    module = nn.Conv2d(channels, 8, 1, stride=2, bias=False).to(memory_format=torch.channels_last)
    for _ in range(3):
        images = torch.randn(64, channels, 32, 32).contiguous(memory_format=torch.channels_last)
        with fast_convolutions(module, torch.device("cpu")):
            y = module(images.requires_grad_())
            y.backward(torch.ones_like(y))
"""


def test_narrow_strided_convolutions_keep_to_their_memory() -> None:
    checked = {"LD_PRELOAD": "libc_malloc_debug.so.0", "GLIBC_TUNABLES": "glibc.malloc.check=3"}
    env = {**os.environ, **checked}
    if subprocess.run([sys.executable, "-c", ""], env=env, capture_output=True).stderr:
        pytest.skip("needs glibc's checks of memory, libc_malloc_debug")
    done = subprocess.run([sys.executable, "-c", _CHECKED], env=env, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def test_only_plain_modules_change_and_only_meanwhile() -> None:
    class Own(nn.Conv2d):
        pass

    model = nn.ModuleDict(
        {
            "depthwise": nn.Conv2d(4, 8, 3, groups=4),
            "full": nn.Conv2d(4, 8, 3, stride=2, padding=1),
            "grouped": nn.Conv2d(4, 8, 1, groups=2),
            "dilated": nn.Conv2d(4, 4, 3, groups=4, dilation=2),
            "same": nn.Conv2d(4, 4, 3, groups=4, padding="same"),
            "reflect": nn.Conv2d(4, 4, 3, groups=4, padding=1, padding_mode="reflect"),
            "own": Own(4, 4, 3, groups=4),
        }
    )
    before = {name: type(module) for name, module in model.items()}
    names = list(model.state_dict())
    with fast_convolutions(model, CPU):
        changed = {n: type(m) for n, m in model.items() if type(m) is not before[n]}
        assert changed == {"depthwise": Depthwise, "full": Full}
        assert list(model.state_dict()) == names
        twin = copy.deepcopy(model)
        assert type(twin["depthwise"]) is Depthwise
        assert twin["depthwise"].weight is not model["depthwise"].weight
    assert {name: type(module) for name, module in model.items()} == before
    with fast_convolutions(model, torch.device("cuda")):
        assert {name: type(module) for name, module in model.items()} == before


@pytest.mark.parametrize("name", ["hybrid-mobilenet", "mobilenet-v3-small", "efficientnet-b0"])
def test_a_network_computes_the_same(name: str) -> None:
    model = build(load_preset(name, input="3x32x32", classes=CLASSES)).eval()
    images = torch.rand(16, 3, 32, 32)
    with torch.no_grad():
        # Fresh weights let the signal fade to nothing; statistics of a batch keep it up.
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.train()
        plain = model(images)
        with fast_convolutions(model, CPU):
            fast = model(images)
    assert plain.abs().max() > 1e-3
    assert torch.allclose(plain, fast, atol=1e-3 * float(plain.abs().max()))


def test_a_training_leaves_plain_modules() -> None:
    model = nn.Sequential(
        nn.Conv2d(3, 6, 3, groups=3), nn.AdaptiveAvgPool2d(1), nn.Conv2d(6, 3, 1), nn.Flatten()
    )
    seen: list[type] = []

    def report(epoch: int, metrics: object) -> None:
        seen[:] = [type(module) for module in model]

    fit(model, TRAIN, VAL, SHORT, classes=CLASSES, report=report)
    assert seen == [Depthwise, nn.AdaptiveAvgPool2d, Full, nn.Flatten]
    assert [type(module) for module in model] == [
        nn.Conv2d,
        nn.AdaptiveAvgPool2d,
        nn.Conv2d,
        nn.Flatten,
    ]
