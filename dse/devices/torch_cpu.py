"""torch, eager, on this machine's processor."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from dse.devices.base import Processor, Ready
from dse.devices.timing import threads_note, timed_by_processor
from dse.network import Network, read_network


class TorchCpu:
    """Measures the emitted module as it is."""

    name = "torch-cpu"
    processor: Processor = "cpu"
    libraries = ("torch",)

    def absent(self) -> str | None:
        return None

    def pack(self, network: Network) -> bytes:
        return network.to_json().encode()

    @contextmanager
    def ready(self, packed: bytes, *, batch: int, threads: int) -> Iterator[Ready]:
        import torch

        from dse.runtime.load import build

        torch.set_num_threads(threads)
        network = read_network(json.loads(packed))
        model = build(network).eval()
        images = torch.rand(batch, *network.input)

        def call() -> object:
            return model(images)

        with torch.inference_mode():
            note = f"torch {torch.__version__}, {threads_note(threads)}"
            yield Ready(call, timed_by_processor(call), note)
