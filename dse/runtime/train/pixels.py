"""A part of a data set on its device: one uint8 tensor, made into batches of floats on the fly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dse.errors import InvalidValue
from dse.runtime.train.part import Part

# ITU-R 601 luma in 16-bit fixed point: the integers of Pillow's convert("L"), so that an RGB image
# made gray here equals one made gray when it was decoded.
_LUMA = np.array([19595, 38470, 7471], dtype=np.uint32)


@dataclass(frozen=True, eq=False)
class Pixels:
    """Images of a part on a device.

    `values` is uint8 (N, H, W, C) with the channels last, because a gather of rows then yields the
    layout convolutions are fastest in; `labels` is int64 (N,). Grayscale keeps C = 1 and is
    expanded only when a batch goes into the network, after the augmentation.
    """

    values: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return int(self.labels.shape[0])


@dataclass(frozen=True)
class Normalisation:
    """Mean and standard deviation of each channel of the network's input, pixels being 0 to 1."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def apply(self, images: Tensor) -> Tensor:
        """Float pixels in 0 to 255, (B, C, H, W), to zero mean and unit deviation, channels last.

        One channel is expanded to as many as the network takes.
        """
        # As one multiply and one add; gray images share one mean and deviation in all channels.
        channels = images.shape[1]
        std = torch.tensor(self.std[:channels], device=images.device)
        mean = torch.tensor(self.mean[:channels], device=images.device)
        scale, offset = (1 / (255 * std)).view(-1, 1, 1), (-mean / std).view(-1, 1, 1)
        images = torch.addcmul(offset, images, scale).expand(-1, len(self.mean), -1, -1)
        return images.contiguous(memory_format=torch.channels_last)


def on_device(part: Part, *, classes: int, channels: int, device: torch.device) -> Pixels:
    """Move a part to a device, in the channels that a network of `channels` inputs needs.

    Grayscale suits any network; RGB one of 3 channels, or, as luma, of 1. Raises InvalidValue for
    other channels and for labels outside 0 to `classes` - 1.
    """
    lowest, highest = int(part.labels.min()), int(part.labels.max())
    if lowest < 0 or highest >= classes:
        wrong = lowest if lowest < 0 else highest
        raise InvalidValue(f"labels must be 0 to {classes - 1} for {classes} classes, got {wrong}")
    images = _in_channels(part, channels)
    return Pixels(
        torch.from_numpy(np.ascontiguousarray(images)).to(device),
        torch.from_numpy(part.labels.astype(np.int64)).to(device),
    )


def normalisation(pixels: Pixels, channels: int) -> Normalisation:
    """Mean and standard deviation of the pixels, for a network of `channels` inputs.

    Exact, from the counts of the 256 values. A constant channel gets one grey level as deviation.
    """
    levels = np.arange(256) / 255
    means, deviations = [], []
    for channel in pixels.values.cpu().unbind(dim=-1):
        share = torch.bincount(channel.flatten(), minlength=256).numpy() / channel.numel()
        mean = float(share @ levels)
        means.append(mean)
        deviations.append(max(float(share @ (levels - mean) ** 2) ** 0.5, 1 / 255))
    copies = channels // len(means)
    return Normalisation(tuple(means * copies), tuple(deviations * copies))


def _in_channels(part: Part, channels: int) -> NDArray[np.uint8]:
    """Images as (N, H, W, 1), or as (N, H, W, 3) where they are RGB and the network takes that."""
    if part.grayscale:
        if channels < 1:
            raise InvalidValue(f"a network takes at least one channel, got {channels}")
        return part.images[..., None]
    if channels == 3:
        return part.images
    if channels == 1:
        return ((part.images @ _LUMA + 0x8000) >> 16).astype(np.uint8)[..., None]
    raise InvalidValue(f"RGB images need a network of 3 channels, or of 1, got {channels}")
