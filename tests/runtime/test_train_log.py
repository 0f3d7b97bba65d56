"""The event file of a training, read back."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.record_writer import masked_crc32c

from dse.errors import DataError
from dse.recipes import recipe
from dse.runtime.train import fit
from dse.runtime.train.log import FILE_NAME, Row, logged
from tests.trainings import CLASSES, TRAIN, VAL, network

THREE = recipe("quick", epochs=3, batch_size=50)
TAGS = {
    "loss/train": "train_loss",
    "loss/validation": "loss",
    "accuracy/validation": "accuracy",
    "balanced_accuracy/validation": "balanced_accuracy",
    "learning_rate": "learning_rate",
    **{
        f"{name}/{k}": f"{name}.{k}"
        for name in ("recall", "precision", "f1")
        for k in range(CLASSES)
    },
}


def events(folder: Path) -> list[Event]:
    """Read a TFRecord file: each record has its length and content, both with a checksum."""
    [path] = folder.glob("*tfevents*")
    content, found = path.read_bytes(), []
    while content:
        (length, checked) = struct.unpack("<QI", content[:12])
        body, (sum_,) = content[12 : 12 + length], struct.unpack("<I", content[12 + length :][:4])
        assert checked == masked_crc32c(content[:8])
        assert sum_ == masked_crc32c(body)
        found.append(Event.FromString(body))
        content = content[16 + length :]
    return found


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Steps and values by tag, in the order of the file."""
    first, *rest = events(folder)
    assert first.file_version == "brain.Event:2"
    found: dict[str, list[tuple[int, float]]] = {}
    for event in rest:
        [value] = event.summary.value
        found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found


def test_each_epoch_is_there_once_with_what_was_measured(tmp_path: Path) -> None:
    fitted = fit(network(), TRAIN, VAL, THREE, classes=CLASSES, log=tmp_path / "new" / "log")
    found = scalars(tmp_path / "new" / "log")
    assert found.keys() == TAGS.keys() | {"images_per_second"}
    for tag, name in TAGS.items():
        expected = [(row["epoch"], pytest.approx(row[name], rel=1e-6)) for row in fitted.history]
        assert found[tag] == expected
    assert all(speed > 0 for _, speed in found["images_per_second"])


def test_without_a_validation_part_there_is_nothing_of_one(tmp_path: Path) -> None:
    fit(network(), TRAIN, None, THREE, classes=CLASSES, log=tmp_path)
    assert scalars(tmp_path).keys() == {"loss/train", "learning_rate", "images_per_second"}


@pytest.mark.parametrize("same_place", [True, False])
def test_a_training_that_goes_on_repeats_and_loses_no_step(
    tmp_path: Path, same_place: bool
) -> None:
    first, second = tmp_path / "log", tmp_path / ("log" if same_place else "other")

    def stop(epoch: int, metrics: object) -> None:
        if epoch == 2:
            raise KeyboardInterrupt

    kept = tmp_path / "kept"
    with pytest.raises(KeyboardInterrupt):
        fit(
            network(),
            TRAIN,
            VAL,
            THREE,
            classes=CLASSES,
            checkpoint=kept,
            log=first,
            report=stop,
        )
    before = scalars(first)
    fit(network(), TRAIN, VAL, THREE, classes=CLASSES, checkpoint=kept, log=second)
    after = scalars(second)
    for tag, rows in after.items():
        assert [step for step, _ in rows] == [1, 2, 3]
        assert rows[:2] == before[tag]
    times = [event.wall_time for event in events(second)[1:]]
    assert times == sorted(times)


def test_the_log_of_an_earlier_training_is_replaced_and_other_files_are_not(
    tmp_path: Path,
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    for epochs in (3, 1):
        short = THREE.model_copy(update={"epochs": epochs})
        fit(network(), TRAIN, VAL, short, classes=CLASSES, log=tmp_path)
    assert [step for step, _ in scalars(tmp_path)["loss/train"]] == [1]
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
def test_a_full_disk_is_said(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).symlink_to("/dev/full")
    with (
        pytest.raises(DataError, match=r"the log .* cannot be written to .*: No space left"),
        logged(tmp_path, []) as add,
    ):
        add(Row(1, 0.0, {"loss/train": 1.0}))


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with (
        pytest.raises(DataError, match="the log of the training cannot be written"),
        logged(tmp_path / "file", []),
    ):
        pass
