"""torch, eager, on this machine's first GPU."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dse.devices.base import Processor, Ready, Taken
from dse.network import Network, read_network


class TorchCuda:
    """Measures the emitted module in float32, images on the GPU, to the end of its computing."""

    name = "torch-cuda"
    processor: Processor = "cuda"
    libraries = ("torch",)

    def absent(self) -> str | None:
        import torch

        return None if torch.cuda.is_available() else "torch finds no CUDA GPU here"

    def pack(self, network: Network) -> bytes:
        return network.to_json().encode()

    @contextmanager
    def ready(self, packed: bytes, *, batch: int, threads: int) -> Iterator[Ready]:
        """Raises InvalidValue where torch finds no GPU; `threads` command it, one is enough."""
        import torch

        from dse.runtime.load import build
        from dse.runtime.train import pick_device

        device = pick_device("cuda")
        torch.set_num_threads(threads)
        network = read_network(json.loads(packed))
        model = build(network).to(device).eval()
        images = torch.rand(batch, *network.input, device=device)
        event: Any = torch.cuda.Event  # untyped
        began, ended = event(enable_timing=True), event(enable_timing=True)

        def call() -> None:
            model(images)
            torch.cuda.synchronize()

        def taken() -> Taken:
            # The GPU has nothing to do when the first event is recorded, so that what it waits for
            # the commands of later layers is in its time, as it is in an application.
            torch.cuda.synchronize()
            started = time.perf_counter()
            began.record()
            model(images)
            ended.record()
            ended.synchronize()
            return Taken(1e3 * (time.perf_counter() - started), began.elapsed_time(ended))

        with torch.inference_mode():
            yield Ready(call, taken, f"torch {torch.__version__}, {torch.cuda.get_device_name()}")
