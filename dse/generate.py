"""Write a network's files: source, design, and on request the ONNX graph with weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.atomic import write_atomically
from dse.emit import emit
from dse.errors import DataError
from dse.network import Network

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Generated:
    """The files of one network, and how its ONNX graph compares with torch.

    Attributes:
        python: the standalone module.
        design: the network as JSON.
        onnx: the graph with its weights, if asked for.
        check: ``max_abs_error`` and more, of ONNX Runtime against torch on random input.
    """

    python: Path
    design: Path
    onnx: Path | None = None
    check: dict[str, Any] | None = None

    def document(self) -> dict[str, Any]:
        """As `dse generate --json` prints it."""
        return {
            "python": str(self.python),
            "design": str(self.design),
            "onnx": None if self.onnx is None else str(self.onnx),
            "check": self.check,
        }

    def files(self) -> list[str]:
        """The paths that were written."""
        return [str(path) for path in (self.python, self.design, self.onnx) if path is not None]


def generate(
    network: Network,
    folder: Path,
    *,
    onnx: bool = False,
    module: nn.Module | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Generated:
    """Write ``NAME.py`` and ``NAME.json`` into `folder`, and ``NAME.onnx`` if `onnx` is set.

    Args:
        network: what to write.
        folder: made if absent.
        onnx: export the graph too and check it against torch; needs torch.
        module: takes the weights from here; without it they are freshly initialised.
        metadata: kept in the ONNX file.

    Raises:
        DataError: the folder cannot be written.
    """
    stem = folder / network.module_name
    python, design = stem.with_suffix(".py"), stem.with_suffix(".json")
    try:
        write_atomically(python, emit(network))
        write_atomically(design, network.to_json())
    except OSError as error:
        place = error.filename2 or error.filename or folder
        reason = (error.strerror or str(error)).lower()
        raise DataError(f"{place}: cannot be written: {reason}") from None
    if not onnx:
        return Generated(python, design)
    from dse.runtime.load import build
    from dse.runtime.onnx import export_onnx

    path = stem.with_suffix(".onnx")
    checked = export_onnx(network, module or build(network), path, metadata=metadata)
    return Generated(
        python, design, path, {"max_abs_error": checked.max_abs_error, "opset": checked.opset}
    )


def stale(network: Network, folder: Path) -> list[Path]:
    """The files of `network` in `folder` that are absent or not what would be generated now."""
    stem = folder / network.module_name
    wanted = {stem.with_suffix(".py"): emit(network), stem.with_suffix(".json"): network.to_json()}
    return [
        path
        for path, text in wanted.items()
        if not path.is_file() or path.read_bytes() != text.encode()
    ]
