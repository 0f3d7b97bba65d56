"""A training on disk: two files for each saved epoch, and a pointer to the pair that counts.

The pair is written under names of its own epoch and forced to the disk; only then is the pointer
moved to it, in one step, and the pair before removed. Whenever the process ends, even by SIGKILL,
the pointer names a pair that is whole.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from safetensors.torch import load as from_safetensors
from safetensors.torch import save as to_safetensors
from torch import Tensor

from dse.atomic import atomically
from dse.errors import DataError, InvalidValue

POINTER = "checkpoint.json"


@dataclass(frozen=True, eq=False)
class Saved:
    """A training after an epoch.

    `weights` are the model's parameters and buffers. `state` is all else that its next epoch
    depends on, of tensors, numbers, strings, lists and dictionaries.
    """

    epoch: int
    weights: dict[str, Tensor]
    state: dict[str, Any]


class Checkpoint:
    """The folder in which one training is kept.

    Args:
        folder: made where it is missing.
        identity: which training it is, a digest for each thing that makes it this one; the words
            appear in messages.
    """

    def __init__(self, folder: Path, identity: dict[str, str]) -> None:
        self.folder = folder
        self.identity = identity

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes out of the folder.

        Raises:
            InvalidValue: one is in it.
            DataError: the folder cannot be made or written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / ".lock", timeout=0)
            lock.acquire()
        except Timeout:
            raise InvalidValue(
                f"one process at a time may train in a checkpoint folder: {self.folder} is in use"
            ) from None
        except OSError as error:
            raise DataError(
                f"the checkpoint folder {self.folder} cannot be written: {error.strerror or error}"
            ) from None
        try:
            yield
        finally:
            lock.release()

    def load(self) -> Saved | None:
        """What was saved last; None where nothing was.

        Raises:
            InvalidValue: the folder holds another training.
            DataError: what it holds cannot be read.
        """
        try:
            text = (self.folder / POINTER).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._damaged(error) from None
        try:
            pointer = json.loads(text)
            theirs, epoch = dict(pointer["identity"]), int(pointer["epoch"])
        except (ValueError, KeyError, TypeError) as error:
            raise self._damaged(error) from None
        differ = [word for word, digest in self.identity.items() if theirs.get(word) != digest]
        if differ:
            raise InvalidValue(
                f"a checkpoint folder is of one training: that in {self.folder} differs in its "
                f"{' and '.join(differ)}; name another folder, or remove that one"
            )
        weights, state = self._pair(epoch)
        self._remove_all_but(weights, state)
        try:
            return Saved(
                epoch,
                from_safetensors(weights.read_bytes()),
                torch.load(state, map_location="cpu", weights_only=True),
            )
        except Exception as error:
            # Damaged bytes make torch's reader raise nearly anything.
            raise self._damaged(error) from None

    def save(self, saved: Saved) -> None:
        """Keep this epoch in place of the one kept before.

        Raises:
            DataError: it cannot be written, for one because the disk is full; what was saved
                before is still there, and whole.
        """
        weights, state = self._pair(saved.epoch)
        try:
            # Through memory: written by their libraries, a full disk is an error of any kind.
            _write(weights, to_safetensors({n: _plain(t) for n, t in saved.weights.items()}))
            buffer = io.BytesIO()
            torch.save(saved.state, buffer)
            _write(state, buffer.getbuffer())
            _flush_names(self.folder)
            with atomically(self.folder / POINTER) as draft:
                pointer = {"epoch": saved.epoch, "identity": self.identity}
                _write(draft, json.dumps(pointer, indent=2).encode())
        except OSError as error:
            with suppress(OSError):
                for path in (weights, state):
                    path.unlink(missing_ok=True)
            raise DataError(
                f"the checkpoint of epoch {saved.epoch} cannot be written to {self.folder}: "
                f"{error.strerror or error}; what was saved before is whole, and training goes on "
                "from there"
            ) from None
        with suppress(OSError):
            _flush_names(self.folder)
        self._remove_all_but(weights, state)

    def _pair(self, epoch: int) -> tuple[Path, Path]:
        stem = f"epoch-{epoch}"
        return self.folder / f"{stem}.safetensors", self.folder / f"{stem}.pt"

    def _remove_all_but(self, *kept: Path) -> None:
        """Remove the epochs before, and what a killed process left half done."""
        for pattern in ("epoch-*.safetensors", "epoch-*.pt", f".{POINTER}.*.draft"):
            for path in self.folder.glob(pattern):
                if path not in kept:
                    with suppress(OSError):  # it is in nobody's way
                        path.unlink()

    def _damaged(self, error: Exception) -> DataError:
        reason = str(error).partition("\n")[0] or type(error).__name__
        return DataError(f"the checkpoint in {self.folder} cannot be read: {reason}")


def _plain(tensor: Tensor) -> Tensor:
    """A contiguous copy on the CPU: what the format holds, without memory shared between names."""
    return tensor.detach().cpu().clone(memory_format=torch.contiguous_format)


def _write(path: Path, content: bytes | memoryview) -> None:
    """Write a file and wait until it is on the disk."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush_names(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where the system can do that."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
