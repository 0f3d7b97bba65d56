"""torch, eager, on this machine's first GPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from dse.devices.base import Latency, Processor, Ready
from dse.devices.timing import timed
from dse.network import Network


class TorchCuda:
    """Measures the emitted module in float32, image on the GPU, to the end of its computing."""

    name = "torch-cuda"
    processor: Processor = "cuda"

    def latency(self, network: Network) -> Latency:
        with self.ready(network) as ready:
            return timed(ready.call, ready.note)

    @contextmanager
    def ready(self, network: Network) -> Iterator[Ready]:
        """Raises InvalidValue where torch finds no GPU."""
        from dse.runtime.load import build
        from dse.runtime.train import pick_device

        device = pick_device("cuda")
        model = build(network).to(device).eval()
        image = torch.rand(1, *network.input, device=device)

        def call() -> None:
            model(image)
            torch.cuda.synchronize()

        with torch.inference_mode():
            yield Ready(call, f"torch {torch.__version__}, {torch.cuda.get_device_name()}")
