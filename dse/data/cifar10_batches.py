"""The official CIFAR-10 batches: pickles, read without running any code of theirs."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.data.arrays import join_parts
from dse.errors import DataError

if TYPE_CHECKING:
    from dse.data.dataset import Dataset, Integers, Pixels

TRAIN_BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))
TEST_BATCH = "test_batch"


class _ArraysOnly(pickle.Unpickler):
    """Admits what rebuilding a numpy array takes, and nothing else that a pickle might call."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("numpy", "ndarray"):
            return np.ndarray
        if (module, name) == ("numpy", "dtype"):
            return np.dtype
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            # The official files name a module that numpy 2 moved; an array's __reduce__ knows it.
            return np.empty(0).__reduce__()[0]
        if (module, name) == ("_codecs", "encode"):
            return _latin1
        raise pickle.UnpicklingError(f"{module}.{name} is not allowed here")


def _latin1(text: str, encoding: str) -> bytes:
    """How protocol 2 spells bytes."""
    return text.encode("latin1")


def load_batches(folder: Path, *, size: int, name: str, classes: tuple[str, ...]) -> Dataset:
    """data_batch_1 to data_batch_5 as training part, test_batch as test part.

    Raises DataError for a missing, damaged or unexpected batch.
    """
    train = [_read(folder / batch) for batch in TRAIN_BATCHES]
    return join_parts(
        (np.concatenate([x for x, _ in train]), np.concatenate([y for _, y in train])),
        _read(folder / TEST_BATCH),
        classes,
        size=size,
        name=name,
        note="CIFAR-10, official python batches",
        place=folder,
    )


def _read(path: Path) -> tuple[Pixels, Integers]:
    try:
        batch = _ArraysOnly(io.BytesIO(path.read_bytes()), encoding="bytes").load()
        batch = {(k.decode() if isinstance(k, bytes) else k): v for k, v in batch.items()}
        data, labels = batch["data"], np.asarray(batch["labels"], dtype=np.int64)
        if data.dtype != np.uint8 or data.shape != (len(labels), 3 * 32 * 32):
            raise ValueError(f"data is {data.dtype} {data.shape} for {len(labels)} labels")
    except Exception as fault:
        # A damaged pickle can raise nearly anything; whatever it is, the batch is unusable.
        raise DataError(f"a CIFAR-10 batch must be a pickle of arrays: {fault}, {path}") from None
    # Stored plane by plane: red, green, blue.
    return np.ascontiguousarray(data.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)), labels
