"""torch, eager, on this machine's processor, one thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from dse.devices.base import Latency, Processor, Ready
from dse.devices.timing import timed
from dse.network import Network


class TorchCpu:
    """Measures the emitted module as it is."""

    name = "torch-cpu"
    processor: Processor = "cpu"

    def latency(self, network: Network) -> Latency:
        with self.ready(network) as ready:
            return timed(ready.call, ready.note)

    @contextmanager
    def ready(self, network: Network) -> Iterator[Ready]:
        from dse.runtime.load import build

        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            model = build(network).eval()
            image = torch.rand(1, *network.input)
            with torch.inference_mode():
                yield Ready(lambda: model(image), f"torch {torch.__version__}, 1 thread")
        finally:
            torch.set_num_threads(threads)
