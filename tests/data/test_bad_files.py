"""Folders as people have them: every kind of file, decoded or named with the reason."""

from __future__ import annotations

import os
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dse.data import load_dataset
from dse.data.audit import Finding, audit
from dse.data.audit.originals import read_originals
from dse.data.decode import decode_file

from .conftest import MakeFolder, noise

RAMP = np.linspace(0, 255, 16, dtype=np.uint8)[None, :].repeat(16, axis=0)
DEEP = RAMP.astype(np.uint16) * 257
OPAQUE = np.full_like(DEEP, 65535)
COLOURS = np.stack([RAMP, 255 - RAMP, RAMP // 2], axis=2)


def write_png16(path: Path, *channels: np.ndarray, colour_type: int) -> None:
    """A PNG file of 16 bits a channel, which Pillow reads but does not write in colour."""
    pixels = np.stack(channels, axis=2).astype(">u2")
    lines = b"".join(b"\0" + line.tobytes() for line in pixels)

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 16, colour_type, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(lines))
        + chunk(b"IEND", b"")
    )


def decoded(path: Path) -> np.ndarray:
    pixels = decode_file(path, path.name, 16)
    assert isinstance(pixels, np.ndarray), pixels
    return pixels


def test_16_bits_are_scaled_whatever_the_channels(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    write_png16(path, DEEP, colour_type=0)
    np.testing.assert_array_equal(decoded(path), RAMP)
    write_png16(path, DEEP, OPAQUE, colour_type=4)
    np.testing.assert_array_equal(decoded(path), RAMP)
    write_png16(path, *(COLOURS[..., k].astype(np.uint16) * 257 for k in range(3)), colour_type=2)
    np.testing.assert_array_equal(decoded(path), COLOURS)
    assert [one and one.mode for one in read_originals(tmp_path, ["deep.png"])] == ["16-bit colour"]


def test_8_bits_widened_to_32_stay_as_they_are(tmp_path: Path) -> None:
    Image.fromarray(RAMP.astype(np.int32)).save(tmp_path / "wide.tif")
    np.testing.assert_array_equal(decoded(tmp_path / "wide.tif"), RAMP)


def test_gray_with_a_transparent_level_is_laid_on_black(tmp_path: Path) -> None:
    Image.fromarray(np.full((16, 16), 200, np.uint8)).save(tmp_path / "key.png", transparency=200)
    assert decoded(tmp_path / "key.png").max() == 0


@pytest.mark.parametrize("suffix", ["gif", "tif"])
def test_the_first_of_several_frames_is_taken(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"film.{suffix}"
    Image.fromarray(RAMP).save(path, save_all=True, append_images=[Image.fromarray(255 - RAMP)])
    np.testing.assert_array_equal(decoded(path), RAMP)
    (one,) = read_originals(tmp_path, [path.name])
    assert one is not None
    assert one.frames == 2


def test_cmyk_jpeg(tmp_path: Path) -> None:
    image = Image.new("RGB", (16, 16), (250, 10, 10)).convert("CMYK")
    image.save(tmp_path / "print.jpg", quality=95)
    assert np.abs(decoded(tmp_path / "print.jpg").astype(int) - (250, 10, 10)).max() <= 6


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "tif", "webp", "bmp"])
def test_a_cut_file_is_skipped_in_silence(make_folder: MakeFolder, suffix: str) -> None:
    folder = make_folder("a", "b")
    path = folder / "a" / f"cut.{suffix}"
    Image.fromarray(noise(9, 40, 40)).save(path)
    path.write_bytes(path.read_bytes()[:200])
    with warnings.catch_warnings(action="error"):
        data = load_dataset(folder, image_size=8)
    (skipped,) = data.skipped
    assert skipped.file == f"a/cut.{suffix}"
    assert "\n" not in skipped.reason


def test_names_of_any_kind(make_folder: MakeFolder) -> None:
    folder = make_folder("erste Klasse", "第二", 'c\'est l’autre, "la" troisième')
    Image.fromarray(noise(1, 9, 9)).save(folder / "erste Klasse" / "mit Leerzeichen & Komma,.PNG")
    data = load_dataset(folder, image_size=8)
    assert data.classes == ('c\'est l’autre, "la" troisième', "erste Klasse", "第二")
    assert data.files is not None
    assert "erste Klasse/mit Leerzeichen & Komma,.PNG" in data.files
    assert audit(data, folder).document()["images"] == 13


@pytest.mark.skipif(os.name != "posix", reason="only there names are bytes")
def test_names_that_are_no_text(make_folder: MakeFolder) -> None:
    folder = make_folder("a", "b")
    good, bad = (os.fsdecode(name) for name in (b"caf\xe9.png", b"\xff.png"))
    try:
        Image.fromarray(noise(1, 9, 9)).save(folder / "a" / good)
        (folder / "a" / bad).write_bytes(b"")
    except OSError:
        pytest.skip("this file system takes only text")
    for _ in range(2):  # the second time from the cache
        data = load_dataset(folder, image_size=8)
        assert [one.file for one in data.skipped] == [r"a/\xff.png"]
        assert r"a/caf\xe9.png" in [data.file_of(i) for i in range(9)]
    str(audit(data, folder).document()).encode("utf-8")


def checks(folder: Path, size: int = 16) -> dict[str, Finding]:
    found = audit(load_dataset(folder, image_size=size), folder)
    return {one.check: one for one in found.findings}


def test_an_audit_of_a_mixed_folder(make_folder: MakeFolder) -> None:
    folder = make_folder("a", "b", count=6)
    Image.fromarray(DEEP).save(folder / "a" / "deep.png")
    Image.fromarray(np.minimum(DEEP, 4095)).save(folder / "a" / "12bit.png")
    Image.fromarray(RAMP).convert("P").save(folder / "a" / "palette.gif")
    Image.fromarray(COLOURS).convert("CMYK").save(folder / "a" / "print.tif")
    Image.fromarray(RAMP > 99).save(folder / "a" / "bits.png")
    Image.fromarray(COLOURS).convert("RGBA").save(folder / "b" / "alpha.png")
    Image.new("L", (30, 20), 80).save(folder / "b" / "blank.png")
    Image.fromarray(noise(7, 20, 90)).save(folder / "b" / "long.png")
    (folder / "b" / "text.png").write_text("no picture")
    (folder / "b" / "empty.jpg").write_bytes(b"")
    (folder / "b" / "scan.dcm").write_bytes(b"DICM")
    (folder / "README.md").write_text("about")
    found = checks(folder)

    files = found["files"]
    assert files.verdict == "look"
    assert files.facts["read"] == 20
    assert files.facts["skipped"] == [
        {"file": "b/empty.jpg", "reason": "empty file"},
        {"file": "b/text.png", "reason": "not an image in a known format"},
    ]
    assert files.facts["other_formats"] == {".dcm": 1}
    assert found["formats"].facts["modes"] == {
        "8-bit gray": 14, "16-bit gray": 2, "palette": 1, "CMYK": 1, "1-bit": 1,
        "RGB with alpha": 1,
    }  # fmt: skip
    assert found["contrast"].facts["blank"] == ["b/blank.png"]
    assert found["contrast"].facts["nearly_black"] == ["a/12bit.png"]
    assert found["sizes"].facts["oblong"] == 1
    assert found["sizes"].facts["smaller_than_used"] == 12


def test_frames_and_colour_that_tells_the_class(make_folder: MakeFolder) -> None:
    folder = make_folder("gray", count=5)
    (folder / "colour").mkdir()
    for i in range(5):
        frames = [Image.fromarray(noise(50 + i + k, 12, 12, 3)) for k in (0, 20)]
        frames[0].save(folder / "colour" / f"{i}.tif", save_all=True, append_images=frames[1:])
    formats = checks(folder)["formats"]
    assert formats.verdict == "look"
    assert formats.facts["several_frames"] == 5
    assert formats.facts["gray_in_content"] == {"colour": 0.0, "gray": 1.0}
    assert "colour gives the class away" in formats.advice
