"""Convolutions that torch computes slowly on a processor, or not safely, computed another way while
one trains.

The numbers are the same but for rounding, and so are the weights: the modules are the network's
own, which get another `forward` for as long as it trains.

Measured forward and backward with one thread, 32 images, torch 2.13 (oneDNN 3.12): a depthwise
convolution with two filters a channel (delta 2) took 2.5 to 6 times as long as two with one, on
maps of 4x4 to 16x16; one on a map smaller than its kernel 4 to 40 times as long as the sums
written out; a 3x3 convolution of 128 to 512 channels to a map of 1x1 or 2x2 1.5 to 6 times, and a
1x1 one of 1024 channels 2.5 to 3.7 times as long as a product of matrices. At 32x32 a step of
hybrid-mobilenet (delta 2) took 2.8 times as long, of mobilenet-v1, mobilenet-v2, efficientnet-b0
and resnet-18 1.9 to 2.6 times.

Not safe, in the same version, on processors with AVX2: a 1x1 convolution with a stride of 2 to 7
channels, channels last, writes beyond its memory, and sooner or later the process aborts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_SMALL = 16
"""Pixels of a map of which few belong to each weight, so that weights are what time is spent on."""

_NARROW = 8
"""Channels below which a 1x1 convolution with a stride is not safe."""


@contextmanager
def fast_convolutions(model: nn.Module, device: torch.device) -> Iterator[None]:
    """Compute the convolutions of a model in the ways that are fast on `device`, in the context."""
    changed = [] if device.type != "cpu" else list(_kinds(model))
    for module, kind in changed:
        module.__class__ = kind
    try:
        yield
    finally:
        for module, _ in changed:
            module.__class__ = nn.Conv2d


def _kinds(model: nn.Module) -> Iterator[tuple[nn.Conv2d, type[nn.Conv2d]]]:
    for module in model.modules():
        # A subclass may compute anything.
        if type(module) is not nn.Conv2d or module.padding_mode != "zeros":
            continue
        if module.dilation == (1, 1) and not isinstance(module.padding, str):
            if module.groups == 1:
                yield module, Full
            elif module.groups == module.in_channels:
                yield module, Depthwise


class Full(nn.Conv2d):
    """A convolution of all channels, to a small map, and where torch's own is not safe, as a
    product of its patches and weights.
    """

    def forward(self, x: Tensor) -> Tensor:
        rows, columns = _size(self, x)
        height, width = self.kernel_size
        safe = height * width > 1 or max(self.stride) == 1 or self.in_channels >= _NARROW
        if safe and rows * columns > (_SMALL if height * width == 1 else _SMALL // 4):
            return super().forward(x)
        assert not isinstance(self.padding, str)
        above, left = self.padding
        x = F.pad(x, (left, left, above, above)).permute(0, 2, 3, 1)
        down, right = self.stride
        patches = [
            x[:, i : i + down * (rows - 1) + 1 : down, j : j + right * (columns - 1) + 1 : right]
            for i in range(height)
            for j in range(width)
        ]
        weight = self.weight.permute(0, 2, 3, 1).flatten(1)
        return F.linear(torch.cat(patches, dim=3), weight, self.bias).permute(0, 3, 1, 2)


class Depthwise(nn.Conv2d):
    """A depthwise convolution with one filter a channel, as often as there are filters a channel.

    On maps smaller than the kernel it is written out: a sum over the pixels of the input, each
    times what of the kernel leads from it to each pixel of the output.
    """

    def forward(self, x: Tensor) -> Tensor:
        multiplier = self.out_channels // self.in_channels
        height, width = x.shape[2:]
        short = height < self.kernel_size[0] or width < self.kernel_size[1]
        if short and height * width <= _SMALL:
            results = self._written_out(x, multiplier)
        elif multiplier > 1:
            results = [
                F.conv2d(
                    x, self.weight[i::multiplier], None, self.stride, self.padding, 1, self.groups
                ).permute(0, 2, 3, 1)
                for i in range(multiplier)
            ]
        else:
            return super().forward(x)
        # The filters of a channel are neighbours. Channels last, as the input is.
        y = torch.stack(results, dim=4).flatten(3)
        if self.bias is not None:
            y = y + self.bias
        return y.permute(0, 3, 1, 2)

    def _written_out(self, x: Tensor, multiplier: int) -> list[Tensor]:
        """The output of the first filter of each channel, of the second...: (B, H, W, C) each."""
        count, channels, height, width = x.shape
        rows, columns = _size(self, x)
        assert not isinstance(self.padding, str)
        paths = _paths((height, width), self.kernel_size, self.stride, self.padding)
        pixels = x.permute(0, 2, 3, 1).reshape(count, height * width, 1, channels).unbind(1)
        results = []
        for i in range(multiplier):
            kernel = self.weight[i::multiplier].flatten(1)
            weights = (paths @ kernel.t()).view(height * width, rows * columns, channels)
            y = pixels[0] * weights[0]
            for pixel, weight in zip(pixels[1:], weights.unbind(0)[1:], strict=True):
                y = torch.addcmul(y, pixel, weight)
            results.append(y.view(count, rows, columns, channels))
        return results


def _size(module: nn.Conv2d, x: Tensor) -> tuple[int, int]:
    """Height and width of what a convolution makes of `x`."""
    assert not isinstance(module.padding, str)
    height, width = (
        (side + 2 * padding - kernel) // stride + 1
        for side, padding, kernel, stride in zip(
            x.shape[2:], module.padding, module.kernel_size, module.stride, strict=True
        )
    )
    return height, width


@lru_cache(maxsize=64)
def _paths(
    size: tuple[int, int],
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[int, ...],
) -> Tensor:
    """Which weight of a kernel leads from which pixel to which, 0 or 1: (from x to, weights)."""
    with torch.inference_mode(False):  # it is kept for trainings, whoever asks first
        single = torch.eye(size[0] * size[1]).view(-1, 1, *size)
        paths = F.unfold(single, kernel, padding=padding, stride=stride)
        return paths.transpose(1, 2).reshape(-1, kernel[0] * kernel[1])
