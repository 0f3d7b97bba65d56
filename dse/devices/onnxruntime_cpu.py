"""ONNX Runtime on this machine's processor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

import numpy as np

from dse.devices.base import Processor, Ready
from dse.devices.timing import threads_note, timed_by_processor
from dse.errors import InvalidValue
from dse.network import Network

_ERRORS_ONLY = 3
"""ONNX Runtime's log severity: its warnings are advice to its developers."""


class OnnxRuntimeCpu:
    """Measures the exported graph, as it would be deployed."""

    name = "onnxruntime-cpu"
    processor: Processor = "cpu"
    libraries = ("onnxruntime",)

    def absent(self) -> str | None:
        missing = find_spec("onnxruntime") is None
        return "the package onnxruntime is not installed" if missing else None

    def pack(self, network: Network) -> bytes:
        from dse.devices.weights import constant_weights
        from dse.runtime.onnx import to_onnx

        graph: bytes = to_onnx(network, constant_weights(network.lower())).SerializeToString()
        return graph

    @contextmanager
    def ready(self, packed: bytes, *, batch: int, threads: int) -> Iterator[Ready]:
        """Takes any ONNX file of one input of images.

        Raises:
            InvalidValue: it is none, or takes batches of another size.
        """
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = _ERRORS_ONLY
        try:
            session = onnxruntime.InferenceSession(
                packed, options, providers=["CPUExecutionProvider"]
            )
            [taken] = session.get_inputs()
            images, *sides = taken.shape
            shape = (batch, *map(int, sides))
        except Exception as error:
            # ONNX Runtime has a class of exception for each of its status codes, and no base class.
            raise InvalidValue(f"not an ONNX file of images: {_first_line(error)}") from None
        if isinstance(images, int) and images != batch:
            raise InvalidValue(f"the ONNX file takes batches of {images}, got {batch}")
        feed = {taken.name: np.random.default_rng(0).random(shape, dtype=np.float32)}

        def call() -> object:
            return session.run(None, feed)

        note = f"onnxruntime {onnxruntime.__version__}, {threads_note(threads)}"
        yield Ready(call, timed_by_processor(call), note)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
