"""Write a network's files: source, design, and on request the ONNX graph with weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.atomic import write_atomically
from dse.emit import emit
from dse.errors import DataError
from dse.network import Network

if TYPE_CHECKING:
    from torch import nn

    from dse.runtime.weights import Loaded


@dataclass(frozen=True)
class Generated:
    """The files of one network, and how its ONNX graph compares with torch.

    Attributes:
        python: the standalone module.
        design: the network as JSON.
        onnx: the graph with its weights, if asked for.
        check: ``max_abs_error`` and more, of ONNX Runtime against torch on random input.
        weights: those that were loaded, under the names of the module.
        loaded: what they are of.
    """

    python: Path
    design: Path
    onnx: Path | None = None
    check: dict[str, Any] | None = None
    weights: Path | None = None
    loaded: Loaded | None = None

    def document(self) -> dict[str, Any]:
        """As `dse generate --json` prints it."""
        return {
            "python": str(self.python),
            "design": str(self.design),
            "onnx": None if self.onnx is None else str(self.onnx),
            "check": self.check,
            "weights": None if self.weights is None else str(self.weights),
            "loaded": None if self.loaded is None else self.loaded.document(),
        }

    def files(self) -> list[str]:
        """The paths that were written."""
        paths = (self.python, self.design, self.weights, self.onnx)
        return [str(path) for path in paths if path is not None]


def generate(
    network: Network,
    folder: Path,
    *,
    onnx: bool = False,
    module: nn.Module | None = None,
    weights: Path | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Generated:
    """Write ``NAME.py`` and ``NAME.json`` into `folder`, ``NAME.safetensors`` if there are
    `weights`, and ``NAME.onnx`` if `onnx` is set.

    Args:
        network: what to write.
        folder: made if absent.
        onnx: export the graph too and check it against torch; needs torch.
        module: takes the weights from here; without it they are freshly initialised.
        weights: or from this file, whose names need not be ours; needs torch.
        metadata: kept in the ONNX file.

    Raises:
        DataError: the folder cannot be written, or the weights cannot be read.
        InvalidValue: the weights are not of this network.
    """
    stem = folder / network.module_name
    loaded = None
    if weights is not None:
        from dse.runtime.load import build
        from dse.runtime.weights import load_weights

        module = build(network)
        loaded = load_weights(module, network, weights)
    files = Generated(stem.with_suffix(".py"), stem.with_suffix(".json"), loaded=loaded)
    try:
        write_atomically(files.python, emit(network))
        write_atomically(files.design, network.to_json())
        if module is not None and loaded is not None:
            from dse.runtime.weights import save_weights

            files = replace(files, weights=stem.with_suffix(".safetensors"))
            save_weights(module, stem.with_suffix(".safetensors"))
    except OSError as error:
        place = error.filename2 or error.filename or folder
        reason = (error.strerror or str(error)).lower()
        raise DataError(f"{place}: cannot be written: {reason}") from None
    if not onnx:
        return files
    from dse.runtime.load import build
    from dse.runtime.onnx import export_onnx

    path = stem.with_suffix(".onnx")
    checked = export_onnx(network, module or build(network), path, metadata=metadata)
    check = {"max_abs_error": checked.max_abs_error, "opset": checked.opset}
    return replace(files, onnx=path, check=check)


def stale(network: Network, folder: Path) -> list[Path]:
    """The files of `network` in `folder` that are absent or not what would be generated now."""
    stem = folder / network.module_name
    wanted = {stem.with_suffix(".py"): emit(network), stem.with_suffix(".json"): network.to_json()}
    return [
        path
        for path, text in wanted.items()
        if not path.is_file() or path.read_bytes() != text.encode()
    ]
