"""What disease adds: dense focal consolidation, or ground glass in many peripheral patches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dse.data.phantoms.fields import clouds, column, step

if TYPE_CHECKING:
    from dse.data.phantoms.anatomy import Chest
    from dse.data.phantoms.fields import Field

MOST = 9
"""Patches an image can have; unused ones have strength 0."""


@dataclass(frozen=True, eq=False)
class Patches:
    """Where and how strong, each (B, MOST), in lung coordinates.

    `side` is -1 or 1; `across` runs from 0 at the mediastinum to 1 at the flank, `down` from 0 at
    the apex to 1 at the diaphragm; `radius` is in image half-widths, `strength` in attenuation.
    `grain` (B,) is how broken up the patches look, `edge` (B,) how soft they end.
    """

    side: np.ndarray
    across: np.ndarray
    down: np.ndarray
    radius: np.ndarray
    stretch: np.ndarray
    strength: np.ndarray
    grain: np.ndarray
    edge: np.ndarray

    def taken(self, of: np.ndarray) -> Patches:
        """The patches of these patients, one row per image."""
        return Patches(*(getattr(self, name)[of] for name in self.__dataclass_fields__))


def draw_patches(rng: np.random.Generator, labels: np.ndarray) -> Patches:
    """Patches of patients whose classes are 0 covid, 1 normal, 2 pneumonia."""
    number = len(labels)
    shape = (number, MOST)
    covid, focal = (labels == 0)[:, None], (labels == 2)[:, None]
    rank = np.arange(MOST)[None, :]

    many = rng.integers(4, MOST + 1, (number, 1))
    few = 1 + (rng.random((number, 1)) < 0.3)
    used = np.where(covid, rank < many, np.where(focal, rank < few, False))

    # Covid takes both sides in turn; a consolidation any side, the second often the other one.
    first = np.where(rng.random((number, 1)) < 0.5, 1, -1)
    side = np.where(rank % 2 == 0, first, -first)
    # Multi-scale: radii spread evenly in the logarithm.
    small = 0.075 * np.exp(rng.uniform(0, 1.0, shape))
    large = rng.uniform(0.17, 0.27, shape)
    across = np.where(covid, rng.beta(3.0, 1.1, shape), rng.uniform(0.25, 0.8, shape))
    down = np.where(covid, rng.beta(2.2, 1.2, shape), rng.uniform(0.15, 0.92, shape))
    strength = np.where(covid, rng.uniform(0.16, 0.30, shape), rng.uniform(0.32, 0.48, shape))
    return Patches(
        side=side,
        across=across,
        down=down,
        radius=np.where(covid, small, large),
        stretch=rng.uniform(0.7, 1.4, shape),
        strength=strength * used,
        grain=np.where(covid[:, 0], rng.uniform(0.5, 0.9, number), rng.uniform(0.1, 0.3, number)),
        edge=np.where(covid[:, 0], rng.uniform(0.24, 0.4, number), rng.uniform(0.12, 0.3, number)),
    )


def draw_opacities(
    rng: np.random.Generator, patches: Patches, chest: Chest, x: Field, y: Field
) -> Field:
    """Attenuation that the patches add, (B, S, S): only where there is lung to fill."""
    number, size = x.shape[0], x.shape[1]
    # One noise field bends every border, another breaks up the inside.
    warp = 0.30 * clouds(rng, number, 7, size) + 0.16 * clouds(rng, number, 15, size)
    fine = clouds(rng, number, 24, size)
    grain, edge = column(patches.grain), column(patches.edge)
    clear = np.ones_like(x)
    for k in range(MOST):
        rows = np.flatnonzero(patches.strength[:, k])
        if not len(rows):
            break
        across, down = column(patches.across[rows, k]), column(patches.down[rows, k])
        radius, stretch = column(patches.radius[rows, k]), column(patches.stretch[rows, k])
        top, base = chest.top[rows], chest.base[rows]
        at_x = chest.gap[rows] + chest.width[rows] * (0.15 + 1.85 * across)
        at_y = top + (base - top) * (0.10 + 0.78 * down)
        away_x = (x[rows] - column(patches.side[rows, k]) * at_x) * stretch
        away = np.hypot(away_x, (y[rows] - at_y) / stretch) / radius
        # Overlapping patches fill the lung up rather than add without end.
        filling = step(1 - away + warp[rows], edge[rows])
        clear[rows] *= 1 - column(patches.strength[rows, k]) * filling
    filled = (1 - clear) * (1 + grain * 0.5 * np.clip(fine, -2, 2))
    added: Field = (1.15 * filled * chest.lungs).astype(np.float32)
    return added
