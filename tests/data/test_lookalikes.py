"""Copies of a picture are found, likenesses are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dse.data.lookalikes as module
from dse.data import load_dataset
from dse.data.lookalikes import lookalikes, lookalikes_of

from .conftest import noise
from .pictures import data_of_scenes, faded, resaved, resized, scene


@pytest.mark.parametrize("copied", [resaved, resized, faded])
@pytest.mark.parametrize("size", [48, 64, 96])
def test_a_copy_is_found(copied: Callable[[np.ndarray], np.ndarray], size: int) -> None:
    images = [scene(i, size) for i in range(12)]
    found = lookalikes(np.stack([*images, copied(images[7])]))
    assert found.pairs.tolist() == [[7, 12]]
    assert found.judged.all()


def test_colour_does_not_matter() -> None:
    images = np.stack([scene(i) for i in range(6)] + [scene(2)])[..., None].repeat(3, axis=3)
    images[6] = images[6] * np.asarray([1.0, 0.8, 0.6])
    assert lookalikes(images).pairs.tolist() == [[2, 6]]


def test_other_pictures_in_the_same_frame_are_not_copies() -> None:
    """A common rough picture, as all chests have it, is not enough."""
    common = resized(resized(scene(0)[::8, ::8])).repeat(8, 0).repeat(8, 1)
    images = [(0.8 * common + 0.2 * scene(i)).astype(np.uint8) for i in range(1, 9)]
    found = lookalikes(np.stack(images))
    assert found.judged.all()
    assert found.pairs.tolist() == []


def test_identical_images_are_pairs_too() -> None:
    images = np.stack([scene(0), scene(1), scene(0), scene(0)])
    assert lookalikes(images).pairs.tolist() == [[0, 2], [0, 3], [2, 3]]


@given(st.integers(0, 2**31), st.integers(2, 40))
@settings(max_examples=15, deadline=None)
def test_the_search_misses_no_pair(seed: int, block: int) -> None:
    """Against every pair in full, with blocks far smaller than the set."""
    rng = np.random.default_rng(seed)
    kinds = [scene(seed + i, 32) for i in range(6)]
    pictures = [kinds[k] for k in rng.integers(0, 6, 40)]
    images = np.stack(
        [np.clip(one + rng.normal(0, 40 * rng.random(), one.shape), 0, 255) for one in pictures]
    ).astype(np.uint8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", block)
        found = lookalikes(images)
        spectrum = module._spectrum(images).astype(np.float64)
    detail = spectrum.copy()
    detail[:, : module.COARSE, : module.COARSE] = 0
    whole, fine = spectrum.reshape(40, -1), detail.reshape(40, -1)
    norms = np.linalg.norm(fine, axis=1)
    alike, alike_in_detail = whole @ whole.T, fine @ fine.T / np.outer(norms, norms)
    expected = {
        (a, b)
        for a in range(40)
        for b in range(a + 1, 40)
        if alike[a, b] >= module.ALIKE and alike_in_detail[a, b] >= module.ALIKE_IN_DETAIL
    }
    # Single precision may settle a tie otherwise.
    near = (abs(alike - module.ALIKE) < 1e-4) | (
        abs(alike_in_detail - module.ALIKE_IN_DETAIL) < 1e-4
    )
    got = set(map(tuple, found.pairs.tolist()))
    assert all(near[pair] for pair in expected ^ got)


@pytest.mark.parametrize(
    "images",
    [
        noise(0, 0, 32, 32),
        noise(0, 5, 8, 8),
        np.full((5, 32, 32), 77, dtype=np.uint8),
        np.stack([np.arange(32, dtype=np.uint8)[None, :].repeat(32, 0) * k for k in range(1, 6)]),
    ],
    ids=["none", "tiny", "blank", "smooth"],
)
def test_where_nothing_tells_a_copy_from_a_likeness(images: np.ndarray) -> None:
    found = lookalikes(images)
    assert found.pairs.shape == (0, 2)
    assert not found.judged.any()


def test_a_blank_image_among_others_is_left_out() -> None:
    images = np.stack([scene(0), np.full((64, 64), 9, np.uint8), scene(1), scene(1)])
    found = lookalikes(images)
    assert found.judged.tolist() == [True, False, True, True]
    assert found.pairs.tolist() == [[2, 3]]


def test_drawings_are_not_searched() -> None:
    images = [scene(0), scene(0)]
    assert len(lookalikes_of(data_of_scenes(images)).pairs) == 1
    assert len(lookalikes_of(data_of_scenes(images, synthetic=True)).pairs) == 0


def test_digits_are_alike_without_being_copies() -> None:
    assert len(lookalikes(load_dataset("digits").images).pairs) == 0


def test_the_known_near_duplicate_of_the_xrays(real_set: Callable[[str], Path]) -> None:
    data = load_dataset("covid", data_dir=real_set("covid-xray-128"))
    found = lookalikes(data.images)
    assert [[data.file_of(i)[6:14] for i in pair] for pair in found.pairs.tolist()] == [
        ["E63574A7", "F4341CE7"]
    ]
