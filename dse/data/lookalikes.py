"""Pairs of images that show the same picture: resaved, resized, brightened, not merely similar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.data.decode import resize_stack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dse.data.dataset import Dataset, Flags, Integers, Pixels

    Floats = NDArray[np.floating[Any]]

SIDE = 32
"""Pictures are compared as gray thumbnails of this side."""
COARSE = 8
"""The lowest frequencies, this many along each axis, are the rough picture; the rest its detail."""
ALIKE = 0.925
"""The least correlation of two thumbnails that show the same picture."""
ALIKE_IN_DETAIL = 0.85
"""The least correlation of their details. Two chests, or two digits, agree in the rough picture.

Copies that were resaved or resized correlate by more than 0.95 in both ways, if they are not tiny;
two photographs of one scene by 0.93 and 0.86. The X-rays of two patients have come to 0.92 in all
and, others of them, to 0.87 in detail.
"""
LEAST_DETAIL = 0.02
"""The share of a thumbnail's variance that must be detail: below it nothing tells a copy from a
likeness, as in handwritten digits of 8x8 pixels.
"""
SMALLEST = 16
"""Images of fewer pixels a side have no detail to speak of."""
LUMA = np.asarray([0.299, 0.587, 0.114], dtype=np.float32)
BLOCK = 1024


@dataclass(frozen=True, eq=False)
class Lookalikes:
    """`pairs` (M, 2) are indices of images, the first below the second, in order.

    `judged` (N,) marks the images with enough detail to be compared.
    """

    pairs: Integers
    judged: Flags


def lookalikes_of(data: Dataset) -> Lookalikes:
    """The look-alikes of a data set; none of a synthetic one, whose drawings are alike by design
    and whose patients are known for certain.
    """
    if data.synthetic:
        return Lookalikes(np.zeros((0, 2), dtype=np.int64), np.zeros(len(data.labels), np.bool_))
    return lookalikes(data.images)


def lookalikes(images: Pixels) -> Lookalikes:
    """Find every pair of images (N, S, S) or (N, S, S, 3) that show the same picture.

    That is: their thumbnails correlate, and so does what is left of these without the rough
    picture. Brightness, contrast, colour, compression and scale do not matter; images that are
    cropped, mirrored or turned are not found. Identical images are pairs, too, if they have detail.

    No pair is missed by the search, which is blocked and quadratic, at 64 multiplications a pair:
    the rough picture and the energy of the detail bound the correlation of two thumbnails from
    above (Cauchy and Schwarz), and the few pairs that might do are compared in full.
    """
    number = len(images)
    nothing = np.zeros((0, 2), dtype=np.int64)
    if number == 0 or images.shape[1] < SMALLEST:
        return Lookalikes(nothing, np.zeros(number, dtype=np.bool_))
    spectrum = _spectrum(images)
    rough = np.zeros((SIDE, SIDE), dtype=np.bool_)
    rough[:COARSE, :COARSE] = True
    coarse, detail = spectrum[:, rough], spectrum[:, ~rough]
    energy = np.linalg.norm(detail, axis=1)
    judged = np.square(energy) >= LEAST_DETAIL
    if judged.mean() < 0.5:
        # A kind of image of which a few happen to have a little detail: noise, most likely.
        return Lookalikes(nothing, np.zeros_like(judged))
    chosen = np.flatnonzero(judged)
    # The mean, the first of the coarse frequencies, is not part of the picture: its place in the
    # bound is taken by the energy of the detail.
    coarse, detail, energy = coarse[chosen], detail[chosen], energy[chosen]
    bound = coarse.copy()
    bound[:, 0] = energy

    found = [nothing]
    for start in range(0, len(chosen), BLOCK):
        later = bound[start:]
        close = bound[start : start + BLOCK] @ later.T >= ALIKE
        # In one dimension this is ten times as fast as in two.
        first, second = np.divmod(np.flatnonzero(close), len(later))
        ahead = second > first
        first, second = first[ahead] + start, second[ahead] + start
        for part in np.array_split(np.arange(len(first)), len(first) // (64 * BLOCK) + 1):
            a, b = first[part], second[part]
            in_detail = np.einsum("pd,pd->p", detail[a], detail[b])
            alike = np.einsum("pd,pd->p", coarse[a], coarse[b]) + in_detail >= ALIKE
            same = alike & (in_detail >= ALIKE_IN_DETAIL * energy[a] * energy[b])
            found.append(np.stack([chosen[a[same]], chosen[b[same]]], axis=1))
    pairs = np.concatenate(found)
    return Lookalikes(pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))], judged)


def _spectrum(images: Pixels) -> Floats:
    """The cosine transform of each thumbnail without its mean, of unit length: (N, SIDE, SIDE)."""
    number = len(images)
    at = np.arange(SIDE)
    basis = np.cos(np.pi * at[:, None] * (at[None, :] + 0.5) / SIDE) * np.sqrt(2 / SIDE)
    basis[0] /= np.sqrt(2)
    basis = basis.astype(np.float32)
    spectrum = np.empty((number, SIDE, SIDE), dtype=np.float32)
    for start in range(0, number, BLOCK):
        small = resize_stack(images[start : start + BLOCK], SIDE).astype(np.float32)
        gray = (
            small
            if small.ndim == 3
            else small @ np.asarray([0.299, 0.587, 0.114], dtype=np.float32)
        )
        spectrum[start : start + BLOCK] = basis @ gray @ basis.T
    spectrum[:, 0, 0] = 0
    length = np.linalg.norm(spectrum.reshape(number, -1), axis=1)
    # One gray level over the whole thumbnail is noise; such an image has no picture.
    spectrum /= np.where(length < SIDE, np.inf, length)[:, None, None]
    return spectrum
