"""torch, eager, on this machine's processor, one thread."""

from __future__ import annotations

import torch

from dse.devices.base import Latency
from dse.devices.timing import timed
from dse.network import Network


class TorchCpu:
    """Measures the emitted module as it is."""

    name = "torch-cpu"

    def latency(self, network: Network) -> Latency:
        from dse.runtime.load import build

        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            model = build(network).eval()
            image = torch.rand(1, *network.input)
            with torch.inference_mode():
                return timed(lambda: model(image), f"torch {torch.__version__}, 1 thread")
        finally:
            torch.set_num_threads(threads)
