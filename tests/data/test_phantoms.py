"""The drawings that stand in for chest X-rays."""

from __future__ import annotations

import numpy as np
import pytest

from dse.data import Dataset, load_dataset
from dse.data.phantoms import make_phantoms
from dse.errors import InvalidValue


@pytest.fixture(scope="module")
def phantoms() -> Dataset:
    return make_phantoms(size=64)


def test_what_they_are(phantoms: Dataset) -> None:
    assert phantoms.name == "covid"
    assert phantoms.synthetic
    assert "synthetic" in phantoms.note
    assert phantoms.classes == ("covid", "normal", "pneumonia")
    assert phantoms.images.shape == (900, 64, 64)
    assert phantoms.images.dtype == np.uint8
    assert np.bincount(phantoms.labels).tolist() == [300, 300, 300]


def test_patients_have_one_to_three_images_of_one_class_in_one_fold(phantoms: Dataset) -> None:
    assert phantoms.groups is not None
    assert phantoms.folds is not None
    seen = set()
    for patient in np.unique(phantoms.groups):
        rows = phantoms.groups == patient
        seen.add(int(rows.sum()))
        assert len(set(phantoms.labels[rows].tolist())) == 1
        assert len(set(phantoms.folds[rows].tolist())) == 1
    assert seen == {1, 2, 3}


def test_folds_are_even(phantoms: Dataset) -> None:
    assert phantoms.folds is not None
    assert phantoms.test_folds == (0, 1, 2, 3, 4)
    for fold in range(5):
        counts = np.bincount(phantoms.labels[phantoms.folds == fold], minlength=3)
        assert (abs(counts - 60) <= 2).all()


def test_no_two_images_are_alike(phantoms: Dataset) -> None:
    assert len({image.tobytes() for image in phantoms.images}) == 900


def test_a_seed_gives_the_same_images_again() -> None:
    first, again, other = (make_phantoms(size=32, seed=s, per_class=20) for s in (1, 1, 2))
    assert first.digest == again.digest
    np.testing.assert_array_equal(first.images, again.images)
    assert first.digest != other.digest


def test_brightness_and_contrast_do_not_tell_the_class(phantoms: Dataset) -> None:
    for measure in (phantoms.images.mean(axis=(1, 2)), phantoms.images.std(axis=(1, 2))):
        means = [measure[phantoms.labels == label].mean() for label in range(3)]
        assert max(means) - min(means) < 0.35 * measure.std()


def test_a_thumbnail_is_not_enough(phantoms: Dataset) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    thumbnails = phantoms.images.reshape(900, 8, 8, 8, 8).mean(axis=(2, 4)).reshape(900, 64)
    split = phantoms.splits()
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
    model.fit(thumbnails[split.train], phantoms.labels[split.train])
    accuracy = model.score(thumbnails[split.test], phantoms.labels[split.test])
    assert 0.36 < accuracy < 0.68


def test_each_class_has_its_kind_of_patches() -> None:
    from dse.data.phantoms.opacities import draw_patches

    labels = np.repeat([0, 1, 2], 200)
    patches = draw_patches(np.random.default_rng(0), labels)
    used = (patches.strength > 0).sum(axis=1)
    assert set(used[labels == 1]) == {0}
    assert set(used[labels == 2]) == {1, 2}
    assert used[labels == 0].min() >= 4
    covid = patches.strength[labels == 0] > 0
    sides = np.where(covid, patches.side[labels == 0], 0)
    assert ((sides == 1).any(axis=1) & (sides == -1).any(axis=1)).all()


def test_too_few_for_the_folds() -> None:
    with pytest.raises(InvalidValue, match="at least 15"):
        make_phantoms(per_class=14)


@pytest.mark.parametrize("size", [8, 32, 97])
def test_any_size(size: int) -> None:
    data = make_phantoms(size=size, per_class=15)
    assert data.images.shape == (45, size, size)
    assert data.images.std() > 20


def test_they_stand_in_for_covid_and_say_how_to_get_real_images() -> None:
    data = load_dataset("covid", image_size=16)
    assert data.synthetic
    assert "--data-dir" in data.note
