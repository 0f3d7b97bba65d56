"""Static quantisation to int8 by ONNX Runtime, and what it costs and gives.

Weights are quantised channel by channel, to 7 of the 8 bits: on processors without instructions
for products of bytes (x86 before AVX-VNNI) ONNX Runtime adds pairs of them in 16 bits, which
overflows on 8. Measured on such a processor with MobileNetV2 trained on chest X-rays, 75 % of the
predictions agreed with float32's with 8 bits, 97 % with 7, and as fast. Ranges are the least and
the greatest value seen; percentiles and entropy gave no better scores, and took longer.
"""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.atomic import atomically
from dse.devices.machine import cpu_name
from dse.devices.timing import repeat, timed_by_processor, warm_up
from dse.network import Network
from dse.runtime.export.examples import Examples
from dse.runtime.export.formats import Array, suffix_of
from dse.runtime.onnx import to_onnx
from dse.runtime.onnx.check import open_session
from dse.runtime.onnx.opset import check_opset

if TYPE_CHECKING:
    import onnx
    import onnxruntime

_BATCH = 16
_ROUNDS = 8
_MILLISECONDS = 40.0


@dataclass(frozen=True)
class Quantised:
    """An int8 file beside the float32 one of the same weights.

    Attributes:
        bytes, float32_bytes: sizes of the files.
        accuracy, float32_accuracy: on the validation part, which a network that was trained on all
            but the test part has seen: the difference counts, not the height.
        agreement: share of these images to which both give the same class.
        images: how many these are.
        ms, float32_ms: processor time of one image on one thread, the median of interleaved
            repeats.
        machine: the processor that was measured.
        calibration: how many images of which data set's training part set the ranges.
    """

    bytes: int
    float32_bytes: int
    accuracy: float
    float32_accuracy: float
    agreement: float
    images: int
    ms: float
    float32_ms: float
    machine: str
    calibration: str

    def document(self) -> dict[str, Any]:
        """As `dse generate --json` prints it."""
        return asdict(self)

    def __str__(self) -> str:
        factor = self.float32_ms / self.ms
        speed = f"{factor:.2f} times as fast" if factor >= 1 else f"{1 / factor:.2f} times as slow"
        return (
            f"int8 beside float32: {self.bytes:,} bytes ({self.bytes / self.float32_bytes:.0%} of "
            f"{self.float32_bytes:,}); accuracy {self.accuracy:.3f} "
            f"({self.accuracy - self.float32_accuracy:+.3f}), the same class for "
            f"{self.agreement:.1%} of {self.images} validation images; {self.ms:.3f} ms for "
            f"{self.float32_ms:.3f} ms of {self.machine}, {speed}"
        )


def write_int8(
    network: Network,
    state: Mapping[str, Any],
    path: Path,
    float32: Path,
    examples: Examples,
    metadata: Mapping[str, str],
    opset: int,
) -> Quantised:
    """Write weights of a network as an int8 ONNX file, and compare it with the float32 one.

    Args:
        network: what to write.
        state: its weights, by their names in the state dict.
        path: of the file to be written.
        float32: the file of the same weights in float32.
        examples: images that set the ranges, and those to compare on.
        metadata: what to note in the file, beside the comparison.
        opset: version of the operators.

    Raises:
        InvalidValue: the opset cannot say it.
    """
    from onnx import helper

    check_opset(opset, quantised=True)
    model = to_onnx(network, state, metadata=metadata, opset=opset, folded=True)
    calibration = f"{len(examples.calibration)} images of the training part of {examples.dataset}"
    about = {
        "quantisation": "static int8, QDQ, weights per channel",
        "calibration": calibration,
        "quantised_from": float32.name,
    }
    known = {entry.key: entry.value for entry in model.metadata_props} | about
    quantised = _quantise(model, examples.calibration)
    quantised.producer_name = model.producer_name  # else onnxruntime.quantization's
    quantised.producer_version = model.producer_version
    helper.set_model_props(quantised, known)
    result = _compared(quantised.SerializeToString(), float32.read_bytes(), examples, calibration)
    helper.set_model_props(
        quantised, {**known, "beside_float32": json.dumps(result.document(), ensure_ascii=False)}
    )
    with atomically(path) as draft:
        draft.write_bytes(quantised.SerializeToString())
    return result


def int8_path(float32: Path) -> Path:
    """Where the int8 file of an ONNX file lies: beside it."""
    return float32.with_name(float32.name.removesuffix(suffix_of("onnx")) + suffix_of("int8"))


def _quantise(model: onnx.ModelProto, images: Array) -> onnx.ModelProto:
    import onnx
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    batches = [{"image": images[i : i + _BATCH]} for i in range(0, len(images), _BATCH)]

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.rest = iter(batches)

        def get_next(self) -> dict[str, Array] | None:
            return next(self.rest, None)

    logger = logging.getLogger()
    before = logger.level
    logger.setLevel(logging.ERROR)  # it advises to preprocess, which `folded` has done
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "int8.onnx"
            quantize_static(
                model,
                path,
                Reader(),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                reduce_range=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
            )
            return onnx.load(path)
    finally:
        logger.setLevel(before)


def _compared(int8: bytes, float32: bytes, examples: Examples, calibration: str) -> Quantised:
    sessions = open_session(int8), open_session(float32)
    ours, theirs = (_classes(session, examples.images) for session in sessions)
    ms, float32_ms = _milliseconds(sessions, examples.images[:1])
    return Quantised(
        bytes=len(int8),
        float32_bytes=len(float32),
        accuracy=float((ours == examples.labels).mean()),
        float32_accuracy=float((theirs == examples.labels).mean()),
        agreement=float((ours == theirs).mean()),
        images=len(examples.labels),
        ms=ms,
        float32_ms=float32_ms,
        machine=cpu_name(),
        calibration=calibration,
    )


def _classes(session: onnxruntime.InferenceSession, images: Array) -> Array:
    parts = [
        session.run(None, {"image": images[i : i + _BATCH]})[0].argmax(axis=1)
        for i in range(0, len(images), _BATCH)
    ]
    return np.concatenate(parts)


def _milliseconds(
    sessions: tuple[onnxruntime.InferenceSession, ...], image: Array
) -> tuple[float, ...]:
    feed = {"image": image}
    calls = [timed_by_processor(partial(session.run, None, feed)) for session in sessions]
    for call in calls:
        warm_up(call)
    counted: list[list[float]] = [[] for _ in calls]
    for _ in range(_ROUNDS):
        for times, call in zip(counted, calls, strict=True):
            times.extend(taken.processor for taken in repeat(call, _MILLISECONDS))
    return tuple(float(np.median(times)) for times in counted)
