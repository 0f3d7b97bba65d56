"""A profile of a made-up machine, whose times follow a rule that the tests know."""

from __future__ import annotations

import random
from collections import Counter
from functools import cache
from itertools import islice
from math import prod

from dse.devices.specimens import chains, designs
from dse.latency.kernel import Kernel
from dse.latency.kernels import network_kernels
from dse.latency.layout import Layout
from dse.latency.profile import KernelTime, NetworkTime, Profile
from dse.network import Network

LAYOUT = Layout()
PROFILER_US, BASE_MS = 5.0, 0.02


def true_us(kernel: Kernel) -> float:
    """Microseconds of a kernel: a roofline with a bend, some kinds slower than others, whole blocks
    of filters.
    """
    filters = kernel.output[0]
    computed = -(-filters // LAYOUT.block) * LAYOUT.block if kernel.blocked else filters
    macs = kernel.macs * computed / filters / (9000 if kernel.kind == "conv" else 6000)
    moved = (kernel.input_bytes + kernel.output_bytes + kernel.weight_bytes) / 8000
    return 1.0 + macs * (1 + 4 / computed) + moved + 1e-4 * prod(kernel.output)


def true_ms(network: Network) -> float:
    """Milliseconds of a network."""
    kernels = [kernel for part in network_kernels(network, LAYOUT) for kernel in part]
    return BASE_MS + sum(true_us(kernel) for kernel in kernels) / 1000


@cache
def specimens(seed: int, count: int) -> tuple[Network, ...]:
    """Designs of the shipped spaces."""
    return tuple(islice(designs(random.Random(seed), 4e8), count))


@cache
def made_up(cpu: str = "Made-up 3000") -> Profile:
    """The profile of the machine, measured without noise but for what the profiler adds."""
    parts = [*specimens(1, 40), *islice(chains(random.Random(2), 4e8), 60)]
    kernels = {k for n in parts for part in network_kernels(n, LAYOUT) for k in part}
    return Profile(
        name="made-up",
        device="onnxruntime-cpu",
        cpu=cpu,
        cores=4,
        system="Linux x86_64",
        libraries={"onnxruntime": "1.0"},
        threads=1,
        dtype="float32",
        date="2026-01-01T00:00:00+00:00",
        layout=LAYOUT,
        rounds=3,
        profiler_us=PROFILER_US,
        kernels=tuple(
            KernelTime(kernel, true_us(kernel) + PROFILER_US, 0.01, 3)
            for kernel in sorted(kernels, key=repr)
        ),
        networks=tuple(_timed(network) for network in specimens(3, 24)),
    )


def _timed(network: Network) -> NetworkTime:
    counted = Counter(k for part in network_kernels(network, LAYOUT) for k in part)
    return NetworkTime(network.digest, true_ms(network), 0.01, 3, tuple(counted.items()))
