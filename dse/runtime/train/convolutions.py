"""Convolutions that torch computes slowly on a processor, computed another way while one trains.

The numbers are the same but for rounding, and so are the weights: the modules are the network's
own, which get another `forward` for as long as it trains.

Measured forward and backward with one thread, 32 images, torch 2.13 (oneDNN 3.12): a depthwise
convolution with two filters a channel (delta 2) took 2.5 to 6 times as long as two with one, on
maps of 4x4 to 16x16; one on a map smaller than its kernel 4 to 40 times as long as the sums
written out; a 1x1 convolution of 2048 or 1024 channels on maps of 1x1 or 2x2 2.5 to 3.7 times as
long as a matrix product. A step of hybrid-mobilenet (delta 2) at 32x32 takes a third of the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_SMALL = 16
"""Pixels of a map on which there is nothing to gain from a convolution's own algorithms."""


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
        single = module.kernel_size == module.stride == (1, 1) and module.padding == (0, 0)
        if single and module.groups == 1:
            yield module, Pointwise
        plain = module.dilation == (1, 1) and not isinstance(module.padding, str)
        if plain and module.groups == module.in_channels > 1:
            yield module, Depthwise


class Pointwise(nn.Conv2d):
    """A 1x1 convolution, on small maps as the product of matrices that it is."""

    def forward(self, x: Tensor) -> Tensor:
        count, channels, height, width = x.shape
        if height * width > _SMALL:
            return super().forward(x)
        rows = x.permute(0, 2, 3, 1).reshape(-1, channels)
        y = F.linear(rows, self.weight.flatten(1), self.bias)
        return y.view(count, height, width, -1).permute(0, 3, 1, 2)


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
        assert not isinstance(self.padding, str)
        paths, rows, columns = _paths(
            (height, width), self.kernel_size, self.stride, (self.padding[0], self.padding[1])
        )
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


@lru_cache(maxsize=64)
def _paths(
    size: tuple[int, int],
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[int, int],
) -> tuple[Tensor, int, int]:
    """Which weight of a kernel leads from which pixel to which, 0 or 1: (from x to, weights).

    Beside it, height and width of the output.
    """
    height, width = size
    rows = (height + 2 * padding[0] - kernel[0]) // stride[0] + 1
    columns = (width + 2 * padding[1] - kernel[1]) // stride[1] + 1
    with torch.inference_mode(False):  # it is kept for trainings, whoever asks first
        single = torch.eye(height * width).view(-1, 1, height, width)
        paths = F.unfold(single, kernel, padding=padding, stride=stride)
    return paths.transpose(1, 2).reshape(-1, kernel[0] * kernel[1]), rows, columns
