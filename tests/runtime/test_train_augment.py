"""Random changes of training images: what each does, and that it does no more."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from dse.recipes import Augment
from dse.runtime.train.augment import Augmenter

DRAW = torch.Generator().manual_seed(0)
GRAY = torch.randint(0, 256, (23, 8, 10, 1), dtype=torch.uint8, generator=DRAW)
COLOUR = torch.randint(0, 256, (23, 8, 10, 3), dtype=torch.uint8, generator=DRAW)


def augmenter(augment: Augment, seed: int = 0) -> Augmenter:
    return Augmenter(augment, torch.Generator().manual_seed(seed))


def extreme(augment: Augment) -> Augmenter:
    """One that changes every image by the most that is allowed."""
    fixed = augmenter(augment)
    fixed._amounts = lambda largest, count, *shape: torch.full(  # type: ignore[method-assign]
        (count, *shape), float(largest)
    )
    return fixed


def disc(side: int = 41, radius: float = 10) -> Tensor:
    places = torch.arange(float(side)) - side // 2
    return ((places[:, None] ** 2 + places**2) < radius**2).float()[None, None]


def test_a_flip_mirrors_about_half_of_the_images_and_only_mirrors() -> None:
    images = COLOUR
    index = torch.arange(23).repeat(20)
    flipped = augmenter(Augment(horizontal_flip=True)).gather(images, index)
    same = (flipped == images[index]).flatten(1).all(dim=1)
    mirrored = (flipped == images[index].flip(2)).flatten(1).all(dim=1)
    assert (same ^ mirrored).all()
    assert 0.35 < mirrored.float().mean() < 0.65


def test_a_vertical_flip_turns_half_of_the_images_upside_down() -> None:
    index = torch.arange(23).repeat(20)
    flipped = augmenter(Augment(vertical_flip=True)).gather(COLOUR, index)
    same = (flipped == COLOUR[index]).flatten(1).all(dim=1)
    upside_down = (flipped == COLOUR[index].flip(1)).flatten(1).all(dim=1)
    assert (same ^ upside_down).all()
    assert 0.35 < upside_down.float().mean() < 0.65


@pytest.mark.parametrize("augment", [Augment(shift=0.2), Augment(crop_padding=2)])
def test_a_shift_moves_by_whole_pixels_within_reach_and_repeats_the_edge(
    augment: Augment,
) -> None:
    image = GRAY[:1]
    reach = 2
    padded = np.pad(image[0, :, :, 0].numpy(), reach, mode="edge")
    possible = {
        padded[y : y + 8, x : x + 10].tobytes(): (y - reach, x - reach)
        for y in range(2 * reach + 1)
        for x in range(2 * reach + 1)
    }
    moved = augmenter(augment).gather(image, torch.zeros(400, dtype=torch.int64))
    seen = {possible[one[:, :, 0].numpy().tobytes()] for one in moved}
    assert seen == set(possible.values())


def test_rotation_turns_by_at_most_the_angle_and_keeps_the_centre() -> None:
    side = 33
    column = torch.zeros(1, 1, side, side)
    column[..., side // 2] = 255.0
    turned = augmenter(Augment(rotate_degrees=30)).resample(column.repeat(50, 1, 1, 1))
    assert torch.allclose(turned[:, 0, side // 2, side // 2], torch.tensor(255.0))
    # Where the line crosses the top row gives the angle.
    across = turned[:, 0, 0].argmax(dim=1) - side // 2
    degrees = torch.rad2deg(torch.atan2(across.float(), torch.tensor(side // 2)))
    assert degrees.abs().max() <= 32
    assert degrees.min() < -15
    assert degrees.max() > 15


def test_a_quarter_turn_of_an_oblong_image_keeps_lengths() -> None:
    bar = torch.zeros(1, 1, 21, 41)
    bar[..., 10, 16:25] = 1.0
    turned = extreme(Augment(rotate_degrees=90)).resample(bar)
    expected = torch.zeros(1, 1, 21, 41)
    expected[..., 6:15, 20] = 1.0
    assert torch.allclose(turned, expected, atol=1e-4)


def test_zoom_scales_a_disc_by_its_limits() -> None:
    areas = augmenter(Augment(zoom=0.3)).resample(disc().repeat(60, 1, 1, 1)).sum(dim=(1, 2, 3))
    areas /= disc().sum()
    assert 0.45 < areas.min() < 0.65  # 0.7 squared is 0.49
    assert 1.45 < areas.max() < 1.75  # 1.3 squared is 1.69


def test_shear_slants_lines_along_both_axes_and_keeps_areas() -> None:
    side = 41
    for line, across in ((np.s_[..., side // 2], 0), (np.s_[..., side // 2, :], 1)):
        image = torch.zeros(1, 1, side, side)
        image[line] = 1.0
        sheared = augmenter(Augment(shear_degrees=20)).resample(image.repeat(80, 1, 1, 1))[:, 0]
        # Off the centre, and inside the image, the line has moved by at most the slant's tangent.
        row = sheared.select(1 + across, side // 2 - 10)
        moved = row.argmax(dim=1) - side // 2
        assert moved.abs().max() <= 5  # 10 tan(20 degrees) is 3.6; both slants together add to it
        assert moved.min() <= -3
        assert moved.max() >= 3
    areas = augmenter(Augment(shear_degrees=20)).resample(disc().repeat(40, 1, 1, 1))
    assert torch.allclose(areas.sum(dim=(1, 2, 3)), disc().sum(), rtol=0.03)


def test_a_warp_moves_each_corner_by_its_share_of_the_side() -> None:
    """By the most, to the lower right, all of them: that is a shift."""
    image = torch.rand(1, 1, 33, 65, generator=DRAW)
    moved = extreme(Augment(warp=0.125)).resample(image)
    assert torch.allclose(moved[..., 4:, 8:], image[..., :-4, :-8], atol=1e-4)
    turned = extreme(Augment(warp=0.125, rotate_degrees=180)).resample(image)
    assert torch.allclose(turned[..., :-4, :-8], image.flip(2, 3)[..., 4:, 8:], atol=1e-3)


def test_a_warp_changes_the_angle_of_view_and_bends_no_line() -> None:
    side, count = 64, 40
    x = torch.arange(float(side)).expand(count, 1, side, side)
    warped = [augmenter(Augment(warp=0.2)).resample(image)[:, 0] for image in (x, x.mT)]
    # Each pixel now holds the place it came from. In the middle, where nothing is mirrored in,
    # places along a line are on a line, but no longer equally far apart.
    uneven = 0
    for line in (np.s_[:, 30, 24:40], np.s_[:, 24:40, 30]):
        places = torch.stack([image[line] for image in warped], dim=2).double()
        off = torch.linalg.svdvals(places - places.mean(dim=1, keepdim=True))[:, 1]
        assert off.max() < 0.05
        steps = places.diff(dim=1).norm(dim=2)
        uneven += int((steps.amax(dim=1) / steps.amin(dim=1) > 1.05).sum())
    assert uneven > count / 2


def test_what_comes_in_from_beyond_an_edge_is_no_new_colour() -> None:
    """Neither black corners nor anything darker or lighter than the image."""
    images = torch.full((50, 3, 24, 24), 200.0)
    images[..., 8:16, 8:16] = 100.0
    strong = Augment(rotate_degrees=180, zoom=0.5, shear_degrees=30, warp=0.24)
    changed = augmenter(strong).resample(images)
    assert changed.min() >= 100 - 1e-3
    assert changed.max() <= 200 + 1e-3


def test_a_probability_leaves_the_rest_as_they_are() -> None:
    images = 255 * torch.rand(400, 1, 12, 12, generator=DRAW)
    turned = augmenter(Augment(rotate_degrees=40, probability=0.25)).resample(images)
    same = (turned - images).abs().amax(dim=(1, 2, 3)) < 0.01
    assert 0.68 < same.float().mean() < 0.82
    toned = augmenter(Augment(brightness=0.4, probability=0.25)).tone(images)
    same = (toned - images).abs().amax(dim=(1, 2, 3)) < 0.01
    assert 0.68 < same.float().mean() < 0.82


def test_brightness_shifts_the_mean_and_contrast_scales_the_spread() -> None:
    images = 100 + 10 * torch.randn(200, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    mean, std = images.mean(dim=(1, 2, 3)), images.std(dim=(1, 2, 3))
    brighter = augmenter(Augment(brightness=0.1)).tone(images)
    change = brighter.mean(dim=(1, 2, 3)) - mean
    assert -25.6 < change.min() < -20
    assert 20 < change.max() < 25.6
    assert torch.allclose(brighter.std(dim=(1, 2, 3)), std, rtol=1e-3)
    sharper = augmenter(Augment(contrast=0.5)).tone(images)
    ratio = sharper.std(dim=(1, 2, 3)) / std
    assert 0.49 < ratio.min() < 0.6
    assert 1.4 < ratio.max() < 1.51
    assert torch.allclose(sharper.mean(dim=(1, 2, 3)), mean, atol=0.01)


def test_tone_stays_within_the_range_of_pixels() -> None:
    images = torch.tensor([0.0, 255.0]).view(1, 1, 1, 2).repeat(50, 1, 1, 1)
    toned = augmenter(Augment(brightness=0.5, contrast=0.5)).tone(images)
    assert toned.min() == 0
    assert toned.max() == 255


def test_erasing_zeroes_one_rectangle_of_the_asked_share_of_images() -> None:
    images = torch.ones(400, 3, 20, 30)
    erased = augmenter(Augment(erase=0.25)).erased(images)
    gone = erased[:, 0] == 0
    assert torch.equal(gone[:, None].expand_as(erased), erased == 0)
    hit = gone.flatten(1).any(dim=1)
    assert 0.18 < hit.float().mean() < 0.32
    for hole in gone[hit]:
        rows, columns = hole.any(dim=1), hole.any(dim=0)
        assert torch.equal(hole, rows[:, None] & columns[None, :])
        assert 3 <= rows.sum() <= 11
        assert 5 <= columns.sum() <= 16


augments = st.builds(
    Augment,
    horizontal_flip=st.booleans(),
    vertical_flip=st.booleans(),
    crop_padding=st.integers(0, 30),
    rotate_degrees=st.floats(0, 180),
    zoom=st.floats(0, 0.9),
    shear_degrees=st.floats(0, 45),
    warp=st.floats(0, 0.24),
    brightness=st.floats(0, 1),
    contrast=st.floats(0, 1),
    probability=st.floats(0, 1),
    erase=st.floats(0, 1),
)


@given(augments, st.integers(1, 6), st.integers(2, 17), st.integers(2, 17), st.sampled_from([1, 3]))
def test_any_changes_keep_shape_and_range_and_follow_from_the_seed(
    augment: Augment, count: int, height: int, width: int, channels: int
) -> None:
    images = torch.randint(0, 256, (5, height, width, channels), dtype=torch.uint8, generator=DRAW)
    index = torch.randint(0, 5, (count,), generator=DRAW)

    def changed() -> Tensor:
        changes = augmenter(augment, seed=7)
        picked = changes.gather(images, index)
        assert picked.shape == (count, height, width, channels)
        assert set(picked.flatten().tolist()) <= set(images.flatten().tolist())
        floats = changes.tone(changes.resample(picked.permute(0, 3, 1, 2).float()))
        assert floats.min() >= -1e-3
        assert floats.max() <= 255 + 1e-3
        return changes.erased(floats)

    first = changed()
    assert first.shape == (count, channels, height, width)
    assert torch.equal(changed(), first)


@pytest.mark.slow
def test_moving_pixels_does_not_import_kornia() -> None:
    program = (
        "import sys, torch; from dse.recipes import recipe;"
        "from dse.runtime.train.augment import Augmenter;"
        "a = Augmenter(recipe('quick').augment, torch.Generator());"
        "x = a.gather(torch.zeros(2, 8, 8, 1, dtype=torch.uint8), torch.arange(2));"
        "a.erased(a.tone(a.resample(x.permute(0, 3, 1, 2).float())));"
        "sys.exit('kornia' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
