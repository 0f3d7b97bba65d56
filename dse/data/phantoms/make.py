"""A data set of synthetic chest X-rays: patients, poses, exposures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dse.data.dataset import Dataset, assemble
from dse.data.phantoms.anatomy import draw_build, draw_chest
from dse.data.phantoms.fields import blurred, clouds, column
from dse.data.phantoms.opacities import Patches, draw_opacities, draw_patches
from dse.data.splits import apportion
from dse.errors import InvalidValue

if TYPE_CHECKING:
    from dse.data.dataset import Pixels
    from dse.data.phantoms.fields import Field

CLASSES = ("covid", "normal", "pneumonia")
PER_CLASS = 300
FOLDS = 5
CHUNK = 50
"""Images drawn at a time: small enough for the processor's cache."""


def make_phantoms(
    *, size: int = 64, seed: int = 0, per_class: int = PER_CLASS, advice: str = ""
) -> Dataset:
    """Phantoms of the classes covid, normal and pneumonia, one to three images a patient.

    Images of a patient share build and disease and differ in pose, breath and exposure. Five folds
    by patient. Exposure is drawn regardless of class, so that neither brightness nor contrast tells
    the classes apart: the shape and place of opacities must be seen. The same seed gives the same
    images. `advice` ends the note, say on how to get real images.

    Raises InvalidValue for fewer than 15 images a class, which five folds cannot divide by patient.
    """
    if per_class < 3 * FOLDS:
        raise InvalidValue(f"per_class must be at least {3 * FOLDS}, got {per_class}")
    rng = np.random.default_rng([seed, 20200])
    patient = np.concatenate([_visits(rng, per_class) + label * per_class for label in range(3)])
    _, of = np.unique(patient, return_inverse=True)
    labels = np.repeat(np.arange(3, dtype=np.int64), per_class)
    label_of_patient = labels[np.unique(of, return_index=True)[1]]

    build = draw_build(rng, len(label_of_patient))
    patches = draw_patches(rng, label_of_patient)
    images = np.concatenate(
        [
            _expose(rng, {name: v[rows] for name, v in build.items()}, patches.taken(rows), size)
            for rows in np.split(of, range(CHUNK, len(of), CHUNK))
        ]
    )
    groups = np.asarray([f"phantom-{number:04d}" for number in of])
    note = "synthetic chest phantoms, not patients: no accuracy on them says anything of disease"
    return assemble(
        "covid",
        images,
        labels,
        CLASSES,
        groups=groups,
        folds=apportion(labels, groups, [1 / FOLDS] * FOLDS, seed),
        synthetic=True,
        note=f"{note}; {advice}" if advice else note,
    )


def _visits(rng: np.random.Generator, images: int) -> np.ndarray:
    """The patient number of each image, from 0: 1 to 3 images each."""
    sizes = rng.choice([1, 2, 3], p=[0.5, 0.3, 0.2], size=images)
    return np.repeat(np.arange(images), sizes)[:images]


def _expose(
    rng: np.random.Generator, build: dict[str, np.ndarray], patches: Patches, size: int
) -> Pixels:
    number = len(build["lung_top"])

    def vary(low: float, high: float) -> np.ndarray:
        return column(rng.uniform(low, high, number))

    # Pose: turned, shifted, nearer or further, seldom quite straight.
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    turn, zoom = vary(-0.10, 0.10), vary(0.86, 1.12)
    u = (axis[None, None, :] - vary(-0.10, 0.10)) * zoom * vary(0.94, 1.08)
    v = (axis[None, :, None] - vary(-0.12, 0.08)) * zoom
    x, y = u * np.cos(turn) - v * np.sin(turn), u * np.sin(turn) + v * np.cos(turn)
    # A slightly rotated patient shows one lung wider than the other.
    x = x + vary(-0.05, 0.05) * (1 - np.square(x)) + 0.012 * clouds(rng, number, 3, size)

    chest = draw_chest(rng, build, x, y, depth=vary(-0.07, 0.07))
    picture: Field = chest.attenuation + draw_opacities(rng, patches, chest, x, y)
    # Scatter: broad unevenness that is nobody's disease, and a veil over all or one side.
    picture += 0.06 * clouds(rng, number, 3, size) + vary(-0.10, 0.10) * x
    picture = blurred(picture, 0.004 * size)

    mean = picture.mean(axis=(1, 2), keepdims=True)
    spread = picture.std(axis=(1, 2), keepdims=True)
    picture = (picture - mean) / spread * vary(0.17, 0.27) + vary(0.42, 0.62)
    picture = np.clip(picture, 0, 1) ** vary(0.8, 1.3)
    grain = vary(0.006, 0.03) * rng.standard_normal(picture.shape, dtype=np.float32)
    exposed: Pixels = np.rint(np.clip(picture + grain, 0, 1) * 255).astype(np.uint8)
    return exposed
