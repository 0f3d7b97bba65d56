"""Write a network's files: source, design, and on request exports with weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.atomic import write_atomically
from dse.emit import emit
from dse.errors import DataError, InvalidValue
from dse.network import Network

if TYPE_CHECKING:
    from torch import nn

    from dse.runtime.export.examples import Examples
    from dse.runtime.export.int8 import Quantised
    from dse.runtime.export.preprocessing import Preprocessing
    from dse.runtime.export.write import Exported
    from dse.runtime.weights import Loaded


@dataclass(frozen=True)
class Generated:
    """The files of one network, and how its exports compare with torch.

    Attributes:
        python: the standalone module.
        design: the network as JSON.
        onnx: the graph with its weights, if asked for.
        check: ``max_abs_error`` and more, of ONNX Runtime against torch on random input.
        predict: the script beside the ONNX file that says what it makes of images.
        int8: the quantised ONNX file, and how it compares with `onnx`.
        exports: files of other formats.
        weights: those that were loaded, under the names of the module.
        loaded: what they are of.
    """

    python: Path
    design: Path
    onnx: Path | None = None
    check: dict[str, Any] | None = None
    predict: Path | None = None
    int8: tuple[Path, Quantised] | None = None
    exports: tuple[Exported, ...] = ()
    weights: Path | None = None
    loaded: Loaded | None = None

    def document(self) -> dict[str, Any]:
        """As `dse generate --json` prints it."""
        return {
            "python": str(self.python),
            "design": str(self.design),
            "onnx": None if self.onnx is None else str(self.onnx),
            "check": self.check,
            "predict": None if self.predict is None else str(self.predict),
            "int8": self.int8_document(),
            "exports": [each.document() for each in self.exports],
            "weights": None if self.weights is None else str(self.weights),
            "loaded": None if self.loaded is None else self.loaded.document(),
        }

    def int8_document(self) -> dict[str, Any] | None:
        """The quantised file beside the other, as a document."""
        if self.int8 is None:
            return None
        path, beside = self.int8
        return {"path": str(path), **beside.document()}

    def files(self) -> list[str]:
        """The paths that were written."""
        int8 = None if self.int8 is None else self.int8[0]
        exports = (each.path for each in self.exports)
        paths = (self.python, self.design, self.weights, self.onnx, int8, *exports, self.predict)
        return [str(path) for path in paths if path is not None]


def generate(
    network: Network,
    folder: Path,
    *,
    formats: Sequence[str] = (),
    opset: int | None = None,
    module: nn.Module | None = None,
    weights: Path | None = None,
    preprocessing: Preprocessing | None = None,
    examples: Examples | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Generated:
    """Write ``NAME.py`` and ``NAME.json`` into `folder`, ``NAME.safetensors`` if there are
    `weights`, and a file for each of the `formats`, checked against torch.

    Args:
        network: what to write.
        folder: made if absent.
        formats: of exports, see `format_names`; they need torch. ``onnx`` comes with
            ``predict.py``, ``int8`` with ``onnx``.
        opset: version of the operators in ONNX files; None is the default.
        module: takes the weights from here; without it they are freshly initialised.
        weights: or from this file, whose names need not be ours; needs torch.
        preprocessing: that of the weights' training, kept in the exports.
        examples: images for ``int8``.
        metadata: what else to keep in the exports.

    Raises:
        DataError: the folder cannot be written, or the weights cannot be read.
        InvalidValue: the weights are not of this network, the opset cannot say it, or there are no
            examples for int8.
        UnknownName: there is no such format.
        MissingExtra: the package that writes a format is not installed.
    """
    _check(formats, opset, examples)
    stem = folder / network.module_name
    notes = dict(metadata or {})
    loaded = None
    if weights is not None:
        from dse.runtime.load import build
        from dse.runtime.weights import load_weights

        module = build(network)
        loaded = load_weights(module, network, weights)
        notes = {"weights": weights.name, **notes}
    files = Generated(stem.with_suffix(".py"), stem.with_suffix(".json"), loaded=loaded)
    try:
        if formats:  # first: what cannot be exported leaves nothing behind
            exports = _export(network, module, stem, formats, opset, preprocessing, examples, notes)
            files = replace(files, **exports)
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
    return files


def _export(
    network: Network,
    module: nn.Module | None,
    stem: Path,
    formats: Sequence[str],
    opset: int | None,
    preprocessing: Preprocessing | None,
    examples: Examples | None,
    notes: dict[str, str],
) -> dict[str, Any]:
    """Write the exports; the fields of `Generated` that say what was written."""
    from dse.runtime.export.formats import FRESH, INT8, ONNX
    from dse.runtime.export.int8 import int8_path, write_int8
    from dse.runtime.export.predictor import write_predictor
    from dse.runtime.export.preprocessing import described
    from dse.runtime.export.write import write_export
    from dse.runtime.load import build
    from dse.runtime.onnx import OPSET, export_onnx

    if module is None:
        module, notes = build(network), {**FRESH, **notes}
    notes = {**described(network, preprocessing), **notes}
    made: dict[str, Any] = {}
    if {ONNX, INT8} & set(formats):
        path = stem.with_suffix(".onnx")
        checked = export_onnx(network, module, path, metadata=notes, opset=opset or OPSET)
        made["onnx"] = path
        made["check"] = {"max_abs_error": checked.max_abs_error, "opset": checked.opset}
        made["predict"] = write_predictor(path)
        if INT8 in formats:
            assert examples is not None, "checked at the beginning"
            int8, state = int8_path(path), module.state_dict()
            made["int8"] = (
                int8,
                write_int8(network, state, int8, path, examples, notes, checked.opset),
            )
    others = dict.fromkeys(name for name in formats if name not in (ONNX, INT8))
    made["exports"] = tuple(write_export(name, network, module, stem, notes) for name in others)
    return made


def _check(formats: Sequence[str], opset: int | None, examples: Examples | None) -> None:
    """See that what is asked for goes together, before anything is written."""
    from dse.runtime.export.formats import INT8, ONNX, suffix_of
    from dse.runtime.onnx.opset import check_opset

    for name in formats:
        suffix_of(name)
    if INT8 in formats and examples is None:
        raise InvalidValue("int8 needs images that set its ranges: give a data set")
    if opset is not None:
        if not {ONNX, INT8} & set(formats):
            asked = f", got {', '.join(formats)}" if formats else ""
            raise InvalidValue(f"an opset is of an ONNX file: ask for onnx or int8 too{asked}")
        check_opset(opset, quantised=INT8 in formats)


def stale(network: Network, folder: Path) -> list[Path]:
    """The files of `network` in `folder` that are absent or not what would be generated now."""
    stem = folder / network.module_name
    wanted = {stem.with_suffix(".py"): emit(network), stem.with_suffix(".json"): network.to_json()}
    return [
        path
        for path, text in wanted.items()
        if not path.is_file() or path.read_bytes() != text.encode()
    ]
