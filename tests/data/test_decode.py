"""Every kind of file that a folder of images may hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dse.data import Skipped
from dse.data.decode import decode_file, decode_files, resize_stack, to_pixels

from .conftest import noise

RAMP = np.linspace(0, 255, 16, dtype=np.uint8)[None, :].repeat(16, axis=0)


def test_gray_stays_as_it_is() -> None:
    np.testing.assert_array_equal(to_pixels(Image.fromarray(RAMP), 16), RAMP)


def test_rgb_stays_as_it_is() -> None:
    colours = noise(0, 16, 16, 3)
    np.testing.assert_array_equal(to_pixels(Image.fromarray(colours), 16), colours)


def test_rgb_with_equal_channels_is_gray() -> None:
    image = Image.fromarray(RAMP).convert("RGB")
    np.testing.assert_array_equal(to_pixels(image, 16), RAMP)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bits_are_scaled_to_8(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"deep.{suffix}"
    Image.fromarray(RAMP.astype(np.uint16) * 257).save(path)
    np.testing.assert_array_equal(decode_file(path, "deep", 16), RAMP)


def test_16_bits_held_in_32_are_scaled_too() -> None:
    image = Image.fromarray(RAMP.astype(np.int32) * 257)
    assert image.mode == "I"
    np.testing.assert_array_equal(to_pixels(image, 16), RAMP)


def test_32_bits_of_unknown_range_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "float.tif"
    Image.fromarray(RAMP.astype(np.float32)).save(path)
    result = decode_file(path, "float.tif", 16)
    assert isinstance(result, Skipped)
    assert "32-bit" in result.reason


def test_palette_gives_its_colours() -> None:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 200, 100, 50])
    assert (to_pixels(image, 8) == (200, 100, 50)).all()


def test_one_bit_is_black_and_white() -> None:
    image = Image.fromarray(RAMP > 127)
    assert image.mode == "1"
    np.testing.assert_array_equal(to_pixels(image, 16), np.where(RAMP > 127, 255, 0))


def test_cmyk_becomes_rgb() -> None:
    pixels = to_pixels(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), 8)
    assert (pixels == (255, 0, 0)).all()


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_alpha_is_laid_on_black(mode: str) -> None:
    image = Image.fromarray(np.full((8, 8), 200, np.uint8)).convert(mode)
    image.putalpha(Image.new("L", (8, 8), 128))
    pixels = to_pixels(image, 8)
    assert pixels.shape == (8, 8)
    assert abs(int(pixels[4, 4]) - 100) <= 1


def test_opaque_alpha_changes_nothing() -> None:
    image = Image.fromarray(RAMP).convert("LA")
    np.testing.assert_array_equal(to_pixels(image, 16), RAMP)


def test_transparent_palette_is_laid_on_black(tmp_path: Path) -> None:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 200, 100, 50])
    image.save(tmp_path / "clear.gif", transparency=1)
    pixels = decode_file(tmp_path / "clear.gif", "clear.gif", 8)
    assert isinstance(pixels, np.ndarray)
    assert pixels.max() == 0


def test_palette_with_degrees_of_transparency(tmp_path: Path) -> None:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 200, 200, 200])
    image.save(tmp_path / "veil.png", transparency=bytes([255, 128]))
    pixels = decode_file(tmp_path / "veil.png", "veil.png", 8)
    assert isinstance(pixels, np.ndarray)
    assert abs(int(pixels.flat[0]) - 100) <= 1


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # Turn by 90 degrees clockwise to view.
    Image.fromarray(RAMP).save(tmp_path / "turned.png", exif=exif)
    pixels = decode_file(tmp_path / "turned.png", "turned.png", 16)
    np.testing.assert_array_equal(pixels, np.rot90(RAMP, k=-1))


def test_aspect_is_not_kept_and_nothing_is_padded() -> None:
    pixels = to_pixels(Image.new("L", (40, 10), 90), 8)
    np.testing.assert_array_equal(pixels, np.full((8, 8), 90))


def test_large_jpeg_in_draft_mode_shows_the_same_picture(tmp_path: Path) -> None:
    smooth = Image.fromarray(RAMP).resize((640, 640), Image.Resampling.BICUBIC)
    smooth.save(tmp_path / "large.jpg", quality=95)
    pixels = decode_file(tmp_path / "large.jpg", "large.jpg", 32)
    expected = to_pixels(smooth, 32)
    assert isinstance(pixels, np.ndarray)
    assert np.abs(pixels.astype(int) - expected.astype(int)).max() <= 6


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "empty"), (b"no image at all", "known format")],
)
def test_useless_files_are_named(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "bad.png").write_bytes(content)
    result = decode_file(tmp_path / "bad.png", "bad.png", 8)
    assert isinstance(result, Skipped)
    assert result.file == "bad.png"
    assert reason in result.reason


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_truncated_files_are_named(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"cut.{suffix}"
    Image.fromarray(noise(0, 64, 64)).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    result = decode_file(path, path.name, 8)
    assert isinstance(result, Skipped)
    assert "cannot be decoded" in result.reason


def test_one_colour_image_makes_the_set_rgb(tmp_path: Path) -> None:
    Image.fromarray(RAMP).save(tmp_path / "gray.png")
    Image.fromarray(noise(1, 16, 16, 3)).save(tmp_path / "colour.png")
    (tmp_path / "bad.png").write_bytes(b"")
    steps: list[tuple[int, int]] = []
    files = ["gray.png", "bad.png", "colour.png"]
    decoded = decode_files(tmp_path, files, 16, lambda done, total: steps.append((done, total)))
    assert decoded.images.shape == (2, 16, 16, 3)
    assert decoded.kept.tolist() == [0, 2]
    assert [s.file for s in decoded.skipped] == ["bad.png"]
    np.testing.assert_array_equal(decoded.images[0], RAMP[:, :, None].repeat(3, axis=2))
    assert steps == [(1, 3), (2, 3), (3, 3)]


def test_resize_stack_keeps_channels() -> None:
    assert resize_stack(noise(0, 2, 8, 8), 12).shape == (2, 12, 12)
    assert resize_stack(noise(0, 2, 8, 8, 3), 12).shape == (2, 12, 12, 3)
