"""Pictures with detail, copies of them, and data sets of such."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageEnhance

from dse.data import Dataset
from dse.data.dataset import assemble


def scene(seed: int, size: int = 64) -> np.ndarray:
    """A gray picture that looks like no other: blobs of all sizes, as in photographs."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((size, size))
    for cells in (3, 6, 12, 24):
        grid = Image.fromarray(rng.standard_normal((cells, cells)).astype(np.float32))
        picture += np.asarray(grid.resize((size, size), Image.Resampling.BICUBIC))
    low, high = picture.min(), picture.max()
    return np.rint((picture - low) / (high - low) * 255).astype(np.uint8)


def resaved(pixels: np.ndarray, quality: int = 40) -> np.ndarray:
    """Through a JPEG file of low quality."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def resized(pixels: np.ndarray) -> np.ndarray:
    """Through half the size."""
    size = pixels.shape[0]
    small = Image.fromarray(pixels).resize((size // 2, size // 2), Image.Resampling.LANCZOS)
    return np.asarray(small.resize((size, size), Image.Resampling.BICUBIC))


def faded(pixels: np.ndarray) -> np.ndarray:
    """With less contrast, and darker."""
    picture = ImageEnhance.Contrast(Image.fromarray(pixels)).enhance(0.5)
    return np.asarray(ImageEnhance.Brightness(picture).enhance(0.8))


def data_of_scenes(
    images: list[np.ndarray],
    *,
    labels: list[int] | None = None,
    groups: list[str] | None = None,
    folds: list[int] | None = None,
    files: bool = True,
    synthetic: bool = False,
) -> Dataset:
    """A data set of these pictures, of two classes in turn."""
    chosen = [i % 2 for i in range(len(images))] if labels is None else labels
    return assemble(
        "scenes",
        np.stack(images),
        np.asarray(chosen, dtype=np.int64),
        ("cat", "dog"),
        groups=None if groups is None else np.asarray(groups),
        folds=None if folds is None else np.asarray(folds, dtype=np.int64),
        synthetic=synthetic,
        note="",
        files=tuple(f"{'cd'[k]}/{i}.png" for i, k in enumerate(chosen)) if files else None,
    )
