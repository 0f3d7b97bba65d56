"""What a network is fed: pixels, normalisation, batches, augmentation."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
import torch
from PIL import Image

from dse.errors import InvalidValue
from dse.recipes import Augment, recipe
from dse.runtime.train import Part
from dse.runtime.train.augment import Augmenter
from dse.runtime.train.batches import TrainingBatches, plain_batches, steps_of
from dse.runtime.train.pixels import Normalisation, Pixels, normalisation, on_device

CPU = torch.device("cpu")
DRAW = np.random.default_rng(0)
GRAY = Part(DRAW.integers(0, 256, (23, 8, 10), dtype=np.uint8), np.arange(23) % 4)
COLOUR = Part(DRAW.integers(0, 256, (23, 8, 10, 3), dtype=np.uint8), np.arange(23) % 4)
EVERYTHING = Augment(
    horizontal_flip=True,
    shift=0.2,
    rotate_degrees=15,
    zoom=0.2,
    brightness=0.2,
    contrast=0.2,
    erase=0.5,
)
NEUTRAL = Normalisation((0.0,), (1.0,))


def pixels_of(part: Part, channels: int = 3) -> Pixels:
    return on_device(part, classes=4, channels=channels, device=CPU)


def augmenter(augment: Augment, seed: int = 0) -> Augmenter:
    return Augmenter(augment, torch.Generator().manual_seed(seed))


def test_gray_fills_every_channel_of_the_network() -> None:
    pixels = pixels_of(GRAY)
    images, labels = next(plain_batches(pixels, normalisation(pixels, 3), 5))
    assert images.shape == (5, 3, 8, 10)
    assert torch.equal(images[:, 0], images[:, 1])
    assert torch.equal(images[:, 0], images[:, 2])
    assert labels.tolist() == GRAY.labels[:5].tolist()


def test_rgb_to_one_channel_is_pillows_luma() -> None:
    expected = np.stack(
        [np.asarray(Image.fromarray(image).convert("L")) for image in COLOUR.images]
    )
    assert np.array_equal(pixels_of(COLOUR, channels=1).values[..., 0].numpy(), expected)


def test_the_training_part_is_normalised_to_zero_mean_and_unit_deviation() -> None:
    pixels = pixels_of(COLOUR)
    normal = normalisation(pixels, 3)
    assert normal.mean == pytest.approx((COLOUR.images / 255).mean(axis=(0, 1, 2)))
    assert normal.std == pytest.approx((COLOUR.images / 255).std(axis=(0, 1, 2)))
    images = torch.cat([images for images, _ in plain_batches(pixels, normal, 7)])
    assert torch.allclose(images.mean(dim=(0, 2, 3)), torch.zeros(3), atol=1e-5)
    assert torch.allclose(images.std(dim=(0, 2, 3), correction=0), torch.ones(3), atol=1e-5)
    assert images.is_contiguous(memory_format=torch.channels_last)


def test_a_constant_image_is_normalised_to_finite_numbers() -> None:
    pixels = pixels_of(Part(np.full((2, 4, 4), 100, np.uint8), np.array([0, 1])))
    images, _ = next(plain_batches(pixels, normalisation(pixels, 3), 2))
    assert torch.allclose(images, torch.zeros(2, 3, 4, 4), atol=1e-3)


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (np.zeros((2, 4, 4)), np.zeros(2, int), "images must be uint8"),
        (np.zeros((2, 4, 4, 2), np.uint8), np.zeros(2, int), r"\(N, H, W, 3\), got uint8"),
        (np.zeros((2, 4, 4), np.uint8), np.zeros(3, int), "one for each image"),
        (np.zeros((2, 4, 4), np.uint8), np.zeros(2), "labels must be integers"),
        (np.zeros((0, 4, 4), np.uint8), np.zeros(0, int), "at least one image"),
    ],
)
def test_a_part_says_what_it_must_be(images: np.ndarray, labels: np.ndarray, message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        Part(images, labels)


def test_channels_that_do_not_fit_and_labels_out_of_range_are_named() -> None:
    with pytest.raises(
        InvalidValue, match="RGB images need a network of 3 channels, or of 1, got 4"
    ):
        pixels_of(COLOUR, channels=4)
    with pytest.raises(InvalidValue, match="labels must be 0 to 2 for 3 classes, got 3"):
        on_device(GRAY, classes=3, channels=3, device=CPU)


@pytest.mark.parametrize("batch_size", [2, 3, 5, 7, 11, 22, 23, 100])
@pytest.mark.parametrize("images", [2, 3, 4, 5, 23])
def test_batches_cover_the_part_once_and_never_hold_one_image(images: int, batch_size: int) -> None:
    part = Part(GRAY.images[:images], np.arange(images))
    pixels = on_device(part, classes=images, channels=1, device=CPU)
    changed = recipe("quick", batch_size=batch_size)
    batches = TrainingBatches(pixels, NEUTRAL, changed, seed=0)
    labels = [labels.tolist() for _, labels in batches.epoch()]
    assert len(labels) == batches.steps == steps_of(images, batch_size)
    assert sorted(chain.from_iterable(labels)) == list(range(images))
    sizes = [len(batch) for batch in labels]
    assert min(sizes) >= 2
    assert max(sizes) - min(sizes) <= 1
    # An odd image out has to go somewhere: only batches of two grow for it.
    assert max(sizes) <= max(batch_size, 3)


def test_each_epoch_has_its_own_order_and_a_seed_repeats_them() -> None:
    def orders() -> list[list[int]]:
        part = Part(GRAY.images, np.arange(23))
        pixels = on_device(part, classes=23, channels=1, device=CPU)
        batches = TrainingBatches(pixels, NEUTRAL, recipe("quick"), seed=3)
        return [torch.cat([labels for _, labels in batches.epoch()]).tolist() for _ in range(2)]

    first, second = orders()
    assert first != second
    assert orders() == [first, second]


@pytest.mark.parametrize("part", [GRAY, COLOUR], ids=["gray", "rgb"])
def test_augmentation_keeps_shape_type_and_labels(part: Part) -> None:
    labelled = Part(part.images, np.arange(23))
    pixels = on_device(labelled, classes=23, channels=3, device=CPU)
    untouched = pixels.values.clone()
    changed = recipe("quick", augment=EVERYTHING, batch_size=8)
    normal = normalisation(pixels, 3)
    plain, _ = next(plain_batches(pixels, normal, 23))
    for images, labels in TrainingBatches(pixels, normal, changed, seed=0).epoch():
        assert images.shape == (len(labels), 3, 8, 10)
        assert images.dtype == torch.float32
        assert images.is_contiguous(memory_format=torch.channels_last)
        assert torch.isfinite(images).all()
        assert not torch.equal(images, plain[labels])
    assert torch.equal(pixels.values, untouched)


def test_without_augmentation_images_arrive_as_they_are_with_their_labels() -> None:
    labelled = Part(COLOUR.images, np.arange(23))
    pixels = on_device(labelled, classes=23, channels=3, device=CPU)
    normal = normalisation(pixels, 3)
    plain, _ = next(plain_batches(pixels, normal, 23))
    still = recipe("quick", augment=None, batch_size=8)
    for images, labels in TrainingBatches(pixels, normal, still, seed=0).epoch():
        assert torch.equal(images, plain[labels])


def test_a_flip_mirrors_about_half_of_the_images_and_only_mirrors() -> None:
    images = pixels_of(COLOUR).values
    index = torch.arange(23).repeat(20)
    flipped = augmenter(Augment(horizontal_flip=True)).gather(images, index)
    same = (flipped == images[index]).flatten(1).all(dim=1)
    mirrored = (flipped == images[index].flip(2)).flatten(1).all(dim=1)
    assert (same ^ mirrored).all()
    assert 0.35 < mirrored.float().mean() < 0.65


def test_a_shift_moves_by_whole_pixels_within_reach_and_repeats_the_edge() -> None:
    image = pixels_of(GRAY).values[:1]
    reach = 2
    padded = np.pad(image[0, :, :, 0].numpy(), reach, mode="edge")
    possible = {
        padded[y : y + 8, x : x + 10].tobytes(): (y - reach, x - reach)
        for y in range(2 * reach + 1)
        for x in range(2 * reach + 1)
    }
    moved = augmenter(Augment(shift=0.2)).gather(image, torch.zeros(400, dtype=torch.int64))
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
    fixed = augmenter(Augment(rotate_degrees=90))
    fixed._between = lambda count: torch.ones(count)  # type: ignore[method-assign]
    turned = fixed.resample(bar)
    expected = torch.zeros(1, 1, 21, 41)
    expected[..., 6:15, 20] = 1.0
    assert torch.allclose(turned, expected, atol=1e-4)


def test_zoom_scales_a_disc_by_its_limits() -> None:
    y, x = torch.meshgrid(torch.arange(41.0) - 20, torch.arange(41.0) - 20, indexing="ij")
    disc = ((x**2 + y**2) < 100).float().view(1, 1, 41, 41).repeat(60, 1, 1, 1)
    areas = augmenter(Augment(zoom=0.3)).resample(disc).sum(dim=(1, 2, 3)) / disc[0].sum()
    assert 0.45 < areas.min() < 0.65  # 0.7 squared is 0.49
    assert 1.45 < areas.max() < 1.75  # 1.3 squared is 1.69


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
