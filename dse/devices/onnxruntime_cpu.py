"""ONNX Runtime on this machine's processor, one thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from dse.devices.base import Latency, Processor, Ready
from dse.devices.timing import timed
from dse.network import Network


class OnnxRuntimeCpu:
    """Measures the exported graph, as it would be deployed."""

    name = "onnxruntime-cpu"
    processor: Processor = "cpu"

    def latency(self, network: Network) -> Latency:
        with self.ready(network) as ready:
            return timed(ready.call, ready.note)

    @contextmanager
    def ready(self, network: Network) -> Iterator[Ready]:
        import onnxruntime

        from dse.runtime.load import build
        from dse.runtime.onnx import to_onnx
        from dse.runtime.onnx.check import open_session

        graph = to_onnx(network, build(network).state_dict()).SerializeToString()
        session = open_session(graph)
        image = np.random.default_rng(0).random((1, *network.input), dtype=np.float32)
        feed = {session.get_inputs()[0].name: image}
        note = f"onnxruntime {onnxruntime.__version__}, 1 thread"
        yield Ready(lambda: session.run(None, feed), note)
