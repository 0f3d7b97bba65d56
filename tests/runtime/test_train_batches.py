"""What a network is fed: pixels, normalisation, batches."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from dse.errors import InvalidValue
from dse.recipes import Augment, recipe
from dse.runtime.train import Part
from dse.runtime.train.batches import TrainingBatches, plain_batches, steps_of
from dse.runtime.train.pixels import Normalisation, Pixels, normalisation, on_device

CPU = torch.device("cpu")
DRAW = np.random.default_rng(0)
GRAY = Part(DRAW.integers(0, 256, (23, 8, 10), dtype=np.uint8), np.arange(23) % 4)
COLOUR = Part(DRAW.integers(0, 256, (23, 8, 10, 3), dtype=np.uint8), np.arange(23) % 4)
EVERYTHING = Augment(
    horizontal_flip=True,
    vertical_flip=True,
    shift=0.2,
    rotate_degrees=15,
    zoom=0.2,
    shear_degrees=10,
    warp=0.1,
    brightness=0.2,
    contrast=0.2,
    erase=0.5,
)
NEUTRAL = Normalisation((0.0,), (1.0,))


def pixels_of(part: Part, channels: int = 3) -> Pixels:
    return on_device(part, classes=4, channels=channels, device=CPU)


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


VARIED = recipe("quick", augment=EVERYTHING, batch_size=8, balance="sampling")


def two_epochs(batches: TrainingBatches) -> list[Tensor]:
    return [tensor for _ in range(2) for batch in batches.epoch() for tensor in batch]


def test_a_state_gives_the_same_batches_again() -> None:
    pixels = pixels_of(GRAY)
    batches = TrainingBatches(pixels, normalisation(pixels, 3), VARIED, seed=0)
    first = two_epochs(batches)
    state = batches.state()
    following = two_epochs(batches)
    assert not torch.equal(following[0], first[0])
    batches.restore(state)
    again = two_epochs(batches)
    other = TrainingBatches(pixels, normalisation(pixels, 3), VARIED, seed=9)
    other.restore(state)
    for one, two, three in zip(following, again, two_epochs(other), strict=True):
        assert torch.equal(one, two)
        assert torch.equal(one, three)


def test_batches_neither_read_nor_write_the_global_random_state() -> None:
    pixels = pixels_of(GRAY)
    drawn = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        drawn.append(two_epochs(TrainingBatches(pixels, NEUTRAL, VARIED, seed=0)))
        after = torch.rand(3)
        torch.manual_seed(seed)
        assert torch.equal(torch.rand(3), after)
    for one, two in zip(*drawn, strict=True):
        assert torch.equal(one, two)


def test_balanced_sampling_shows_each_class_as_often_with_its_own_images() -> None:
    labels = np.array([0] * 18 + [1] * 4 + [3])
    pixels = pixels_of(Part(GRAY.images, labels))
    batches = TrainingBatches(
        pixels, NEUTRAL, recipe("quick", augment=None, balance="sampling"), seed=0
    )
    of_image = {
        image.tobytes(): int(label) for image, label in zip(GRAY.images, labels, strict=True)
    }
    seen = []
    for _ in range(100):
        for images, shown in batches.epoch():
            seen += shown.tolist()
            raw = (images[:, 0] * 255).round().to(torch.uint8).numpy()
            assert [of_image[image.tobytes()] for image in raw] == shown.tolist()
    assert len(seen) == 100 * len(labels)
    shares = np.bincount(seen, minlength=4) / len(seen)
    assert shares == pytest.approx([1 / 3, 1 / 3, 0, 1 / 3], abs=0.04)
