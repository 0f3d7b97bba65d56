"""One image file to 8-bit pixels of the wanted size, and many of them at once."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from dse.data.dataset import Skipped

if TYPE_CHECKING:
    from dse.data.dataset import Integers, Pixels

VERSION = 2
"""Part of the cache key: raise it whenever the same file would give other pixels."""

SUFFIXES = frozenset(
    "." + name
    for name in (
        *("jpg", "jpeg", "jpe", "jfif", "png", "webp", "bmp", "gif", "tif", "tiff"),
        *("pgm", "ppm", "pnm", "pbm"),
    )
)

Progress = Callable[[int, int], None]
"""Called with the images done so far and their total."""


@dataclass(frozen=True, eq=False)
class Decoded:
    """Pixels of the files that could be read: `kept` are their positions in the list asked for."""

    images: Pixels
    kept: Integers
    skipped: tuple[Skipped, ...]


def decode_files(
    root: Path, files: Sequence[str], size: int, progress: Progress | None = None
) -> Decoded:
    """Decode `files` (relative to `root`) to size x size pixels, in parallel.

    The result is grayscale if every image is gray in content, RGB otherwise. A file that cannot be
    decoded is reported in `skipped` and does not stop the rest.
    """

    def attempt(file: str) -> Pixels | Skipped:
        return decode_file(root / file, file, size)

    results: list[Pixels | Skipped] = []
    # Pillow lets go of the interpreter lock while it decodes, so threads are enough. What it warns
    # of (odd EXIF data, large pictures) either does not matter or ends in a skipped file.
    with (
        warnings.catch_warnings(action="ignore", category=UserWarning),
        warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning),
        ThreadPoolExecutor(max_workers=min(16, os.cpu_count() or 1)) as pool,
    ):
        for result in pool.map(attempt, files):
            results.append(result)
            if progress is not None:
                progress(len(results), len(files))
    kept = [i for i, result in enumerate(results) if not isinstance(result, Skipped)]
    pixels = [result for result in results if not isinstance(result, Skipped)]
    skipped = tuple(result for result in results if isinstance(result, Skipped))
    if any(image.ndim == 3 for image in pixels):
        pixels = [i if i.ndim == 3 else np.repeat(i[:, :, None], 3, axis=2) for i in pixels]
    images = np.stack(pixels) if pixels else np.zeros((0, size, size), dtype=np.uint8)
    return Decoded(images, np.asarray(kept, dtype=np.int64), skipped)


def decode_file(path: Path, name: str, size: int) -> Pixels | Skipped:
    """Pixels of one file, (size, size) if gray in content, else (size, size, 3)."""
    try:
        if path.stat().st_size == 0:
            return Skipped(name, "empty file")
        with Image.open(path) as image:
            # A JPEG can be decoded at a half, quarter or eighth; twice the size leaves Lanczos
            # enough to work with. Other formats ignore this.
            image.draft(None, (2 * size, 2 * size))
            return to_pixels(ImageOps.exif_transpose(image), size)
    except UnidentifiedImageError:
        return Skipped(name, "not an image in a known format")
    except FileNotFoundError:
        return Skipped(name, "no such file")
    except PermissionError:
        return Skipped(name, "permission denied")
    except Exception as fault:
        # Pillow's decoders raise nearly anything on damaged bytes (OSError, SyntaxError,
        # struct.error, IndexError, DecompressionBombError): one bad file must not end a run.
        return Skipped(name, f"cannot be decoded: {str(fault) or type(fault).__name__}")


def to_pixels(image: Image.Image, size: int) -> Pixels:
    """Resize to size x size with Lanczos, as 8-bit gray (S, S) or RGB (S, S, 3).

    Not padded to keep the aspect: bars would tell where an image came from. Of several frames the
    first is taken. Alpha is composited on black, 16-bit gray is scaled to 8 bits, and RGB with
    equal channels becomes gray. Raises ValueError for 32-bit pixels, whose range is unknown.
    """
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        return _wide_to_pixels(image, size)
    if image.mode in ("1", "L") and not image.has_transparency_data:
        return _resized(image.convert("L"), size)
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if image.getchannel("A").getextrema() != (255, 255):
            black = Image.new("RGBA", image.size, (0, 0, 0, 255))
            image = Image.alpha_composite(black, image)
    pixels = _resized(image.convert("RGB"), size)
    gray = pixels[:, :, 0]
    if (pixels[:, :, 1] == gray).all() and (pixels[:, :, 2] == gray).all():
        return np.ascontiguousarray(gray)
    return pixels


def resize_stack(images: Pixels, size: int) -> Pixels:
    """The same images at size x size: uint8, (N, H, W) or (N, H, W, 3)."""
    if images.shape[1:3] == (size, size):
        return images
    return np.stack([_resized(Image.fromarray(image), size) for image in images])


def _resized(image: Image.Image, size: int) -> Pixels:
    return np.asarray(image.resize((size, size), Image.Resampling.LANCZOS), dtype=np.uint8)


def _wide_to_pixels(image: Image.Image, size: int) -> Pixels:
    values = np.asarray(image, dtype=np.float32)
    # Pillow before 11 opens 16-bit PNG as "I": the values, not the mode, say what it is.
    if image.mode == "F" or values.min() < 0 or values.max() > 65535:
        raise ValueError("32-bit pixels of unknown range")
    resized = Image.fromarray(values).resize((size, size), Image.Resampling.LANCZOS)
    # 65535 / 255 = 257. Where 32 bits hold no more than 255, 8 were widened: at 16 bits, too, next
    # to nothing would be seen of them.
    step = 1 if image.mode == "I" and values.max() <= 255 else 257
    # Lanczos overshoots at edges.
    return np.clip(np.rint(np.asarray(resized) / step), 0, 255).astype(np.uint8)
