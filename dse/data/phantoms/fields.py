"""Shapes on a grid, for a batch of images at once: arrays are float32 (B, S, S)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    # float32; spelled loosely because numpy's stubs call many float32 results float64.
    Field = NDArray[np.floating[Any]]


def column(values: np.ndarray) -> Field:
    """One number per image, (B,), shaped to act on whole images, (B, 1, 1)."""
    return values.astype(np.float32)[:, None, None]


def step(distance: Field, softness: float | Field) -> Field:
    """0 to 1 as a signed distance passes zero, over five times `softness`."""
    # A cubic: a sigmoid costs most of the drawing time.
    t = np.clip(distance / (5 * softness) + 0.5, 0, 1)
    softened: Field = t * t * (3 - 2 * t)
    return softened


def bump(distance: Field, width: float | Field) -> Field:
    """A Gaussian ridge of height 1 where the distance is 0."""
    ridge: Field = np.exp(-0.5 * np.square(distance / width))
    return ridge


def clouds(rng: np.random.Generator, number: int, cells: int, size: int) -> Field:
    """Smooth noise of unit variance with about `cells` bumps a side, (number, size, size)."""
    grid = rng.standard_normal((number, cells + 2, cells + 2), dtype=np.float32)
    spread = _spread(cells + 2, size)
    smooth: Field = spread @ grid @ spread.T
    return smooth


def blurred(images: Field, width: float) -> Field:
    """Gaussian blur of `width` pixels."""
    size = images.shape[1]
    at = np.arange(size, dtype=np.float32)
    kernel = np.exp(-0.5 * np.square((at[:, None] - at[None, :]) / max(width, 1e-3)))
    kernel /= kernel.sum(axis=1, keepdims=True)
    smooth: Field = kernel @ images @ kernel.T
    return smooth


@lru_cache(maxsize=32)
def _spread(cells: int, size: int) -> Field:
    """Weights (size, cells) of cubic-like interpolation, with rows of unit length."""
    at = np.linspace(0.5, cells - 1.5, size, dtype=np.float32)
    weights = np.exp(-0.5 * np.square((at[:, None] - np.arange(cells, dtype=np.float32)) / 0.6))
    normalised: Field = weights / np.sqrt(np.square(weights).sum(axis=1, keepdims=True))
    return normalised
