"""The formats of exported files. A new one is a file with `pack` and `unpack`, and a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dse.errors import DataError, InvalidValue, UnknownName
from dse.network import Network

if TYPE_CHECKING:
    from torch import nn

Array = NDArray[Any]

ONNX, INT8 = "onnx", "int8"

FRESH = {"weights": "fresh, not trained"}
"""What an export says whose weights are random."""

_FORMATS = {
    ONNX: (".onnx", "dse.runtime.export.onnx"),
    INT8: (".int8.onnx", "dse.runtime.export.onnx"),
    "torch-export": (".pt2", "dse.runtime.export.torch_export"),
    "torchscript": (".ts.pt", "dse.runtime.export.torchscript"),
    "executorch": (".pte", "dse.runtime.export.executorch"),
    "litert": (".tflite", "dse.runtime.export.litert"),
}
# By name only: the formats must be listed without the packages that write them.


@dataclass(frozen=True, eq=False)
class Opened:
    """An exported file, loaded by the runtime that it is for.

    Attributes:
        run: from images, float32 (N, C, H, W), to scores (N, classes).
        metadata: what the file says of itself.
        weights: the tensors by their names in the state dict; None where the file keeps others.
        batch: the only number of images that it takes at once; None if it takes any.
        opset: of an ONNX file.
    """

    run: Callable[[Array], Array]
    metadata: Mapping[str, str]
    weights: Mapping[str, Any] | None = None
    batch: int | None = None
    opset: int | None = None

    def scores(self, images: Array, batch: int = 64) -> Array:
        """Scores of any number of images, a few at a time."""
        size = self.batch or batch
        parts = [self.run(images[i : i + size]) for i in range(0, len(images), size)]
        return np.concatenate(parts)


def format_names() -> tuple[str, ...]:
    """The formats that `dse generate` writes."""
    return tuple(_FORMATS)


def suffix_of(name: str) -> str:
    """How names of files of a format end.

    Raises:
        UnknownName: there is no such format.
    """
    if name not in _FORMATS:
        raise UnknownName("format", name, _FORMATS)
    return _FORMATS[name][0]


def pack(name: str, module: nn.Module, network: Network, metadata: Mapping[str, str]) -> bytes:
    """A module of a network, in evaluation mode, as a file of a format other than ONNX.

    Raises:
        MissingExtra: the package that writes it is not installed.
    """
    content: bytes = import_module(_FORMATS[name][1]).pack(module, network, metadata)
    return content


def unpack(name: str, content: bytes) -> Opened:
    """A file of a format, opened by the runtime that it is for.

    Raises:
        DataError: it is damaged or of another format.
        InvalidValue: dse did not write it.
        MissingExtra: the package that runs it is not installed.
    """
    opened: Opened = import_module(_FORMATS[name][1]).unpack(content)
    if "digest" not in opened.metadata:
        raise InvalidValue("names no design of dse to hold it against")
    return opened


def open_file(path: Path) -> Opened:
    """An exported file, whose name says of which format it is; see `unpack` for what it raises."""
    name = format_of(path)
    try:
        return unpack(name, path.read_bytes())
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DataError(f"{path}: the file cannot be read: {reason}") from None
    except (DataError, InvalidValue) as error:
        raise type(error)(f"{path}: {error}") from None


def format_of(path: Path) -> str:
    """The format of a file, by its name.

    Raises:
        InvalidValue: files of no format are called so.
    """
    fitting = [name for name, (suffix, _) in _FORMATS.items() if path.name.endswith(suffix)]
    if not fitting:
        suffixes = ", ".join(suffix for suffix, _ in _FORMATS.values())
        raise InvalidValue(f"an exported file ends in one of {suffixes}, got {path}")
    return max(fitting, key=lambda name: len(_FORMATS[name][0]))
