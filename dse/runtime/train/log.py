"""The course of a training as scalars that TensorBoard shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from dse.errors import DataError

FILE_NAME = "events.out.tfevents.dse"
"""TensorBoard reads any file with "tfevents" in its name."""

_TAGS = {
    "train_loss": "loss/train",
    "loss": "loss/validation",
    "accuracy": "accuracy/validation",
    "balanced_accuracy": "balanced_accuracy/validation",
}


@dataclass(frozen=True)
class Row:
    """What is logged of one epoch: when it ended, in seconds since 1970, and scalars by tag."""

    epoch: int
    time: float
    scalars: dict[str, float]


def scalars_of(measured: Mapping[str, float], images_per_second: float) -> dict[str, float]:
    """The scalars of an epoch by their tags, from its row in `Fitted.history` and its speed.

    Those of single classes, as `recall.0`, make one group to a metric: `recall/0`.
    """
    tagged = {
        _TAGS.get(name, name.replace(".", "/")): value
        for name, value in measured.items()
        if name != "epoch"
    }
    return {**tagged, "images_per_second": images_per_second}


@contextmanager
def logged(folder: Path | None, rows: Sequence[Row]) -> Iterator[Callable[[Row], None]]:
    """Write an event file to `folder`, beginning with `rows`; gives a function that adds one.

    The file takes the place of an earlier training's, or of an earlier part of this one, so that
    each step is there once. Without a folder, nothing is written.

    Raises:
        DataError: the log cannot be written, for one because the disk is full.
    """
    if folder is None:
        yield lambda row: None
        return
    # Not by `SummaryWriter`, which writes from a thread: a full disk ends that without a word.
    from tensorboardX import RecordWriter
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.summary import scalar

    def add(row: Row) -> None:
        with _said(folder):
            for tag, value in row.scalars.items():
                event = Event(wall_time=row.time, step=row.epoch, summary=scalar(tag, value))
                file.write(event.SerializeToString())
            file.flush()

    with _said(folder):
        folder.mkdir(parents=True, exist_ok=True)
        file = RecordWriter(str(folder / FILE_NAME))
    try:
        with _said(folder):
            file.write(Event(file_version="brain.Event:2").SerializeToString())
        for row in rows:
            add(row)
        yield add
    finally:
        with suppress(OSError):  # said already, by the writing that failed
            file.close()


@contextmanager
def _said(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(
            f"the log of the training cannot be written to {folder}: {error.strerror or error}"
        ) from None
