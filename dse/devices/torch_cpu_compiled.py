"""torch.compile on this machine's processor."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from dse.devices.base import Processor, Ready
from dse.devices.timing import threads_note, timed_by_processor
from dse.errors import InvalidValue
from dse.network import Network, read_network


class TorchCpuCompiled:
    """Measures the emitted module, compiled for the batch by torch's own compiler."""

    name = "torch-cpu-compiled"
    processor: Processor = "cpu"
    libraries = ("torch",)

    def absent(self) -> str | None:
        from torch._inductor.cpp_builder import get_cpp_compiler
        from torch._inductor.exc import InvalidCxxCompiler

        try:
            get_cpp_compiler()
        except InvalidCxxCompiler:
            return "torch.compile needs a C++ compiler, and neither CXX nor PATH has one"
        return None

    def pack(self, network: Network) -> bytes:
        return network.to_json().encode()

    @contextmanager
    def ready(self, packed: bytes, *, batch: int, threads: int) -> Iterator[Ready]:
        """Raises InvalidValue where the compiler is missing or fails."""
        import torch
        from torch._dynamo.exc import TorchDynamoException
        from torch._inductor import config

        from dse.runtime.load import build

        if reason := self.absent():
            raise InvalidValue(reason)
        config.compile_threads = 1  # no pool of compiling processes beside what is measured
        torch.set_num_threads(threads)
        network = read_network(json.loads(packed))
        model = torch.compile(build(network).eval(), dynamic=False)
        images = torch.rand(batch, *network.input)

        def call() -> object:
            return model(images)

        with torch.inference_mode():
            try:
                call()
            except TorchDynamoException as error:
                reason = str(error).strip().partition("\n")[0]
                raise InvalidValue(f"torch.compile fails on {network.name}: {reason}") from None
            note = f"torch {torch.__version__}, compiled, {threads_note(threads)}"
            yield Ready(call, timed_by_processor(call), note)
