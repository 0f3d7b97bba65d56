"""Peak activation memory as `Cost` has it beside what runtimes really allocate."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.text import table
from dse.cost import FLOAT_BYTES, cost
from dse.network import Network
from dse.presets import load_preset, preset_names

_LARGEST = 3e7
"""Parameters: of larger networks a session takes gigabytes."""
_BATCH = 4
"""Images where the system's own count is read, which is a quarter of a megabyte rough."""


def main() -> None:
    """Print each preset's peak, and the shares of it that runtimes take; each measurement is a
    process of its own.
    """
    print("activations at peak for one image, and what runtimes allocate, as parts of that\n")
    rows = []
    for name in preset_names():
        network = load_preset(name)
        spent = cost(network)
        if spent.params > _LARGEST:
            continue
        peak, image = spent.peak_activation_bytes, FLOAT_BYTES * network.input.size
        alive, block, eager = (_aside(way, name) for way in ("alive", "block", "eager"))
        rows.append(
            (
                name,
                f"{peak:,}",
                f"{alive / peak:.2f} to {(alive + image) / peak:.2f}",
                f"{block / peak:.2f}",
                f"{eager / peak:.2f}",
            )
        )
    table(("network", "Cost, bytes", "ONNX Runtime, with image", "its block", "eager torch"), rows)


def _aside(way: str, name: str) -> float:
    """Bytes for one image, measured in another process."""
    # Large tensors come from the system and go back to it, so that its count follows them.
    exact = {f"MALLOC_{key}_": "0" for key in ("TRIM_THRESHOLD", "TOP_PAD")}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.memory", way, name],
        env={**os.environ, **exact, "MALLOC_MMAP_THRESHOLD_": "16384"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return float(json.loads(done.stdout))


def alive(network: Network) -> float:
    """What ONNX Runtime has from the system at peak where it asks for each tensor by itself, beside
    the image, which its caller holds.
    """
    infer = _session(network, _BATCH, arena=False)
    return _risen(infer) / _BATCH


def block(network: Network) -> float:
    """The one block that ONNX Runtime plans for all activations once it has seen a size of image.

    It says so only where its arena has to grow for it: the arena is told to hold no more than was
    asked for.
    """
    import onnxruntime

    onnxruntime.set_default_logger_severity(1)
    place = onnxruntime.OrtMemoryInfo(
        "Cpu",
        onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR,
        0,
        onnxruntime.OrtMemType.DEFAULT,
    )
    as_asked = onnxruntime.OrtArenaCfg(0, 1, -1, -1)
    onnxruntime.create_and_register_allocator(place, as_asked)
    infer = _session(network, 1, arena=True)
    infer()
    said = _said(infer)
    return max(int(size) for size in re.findall(r"num_bytes: (\d+)", said))


def eager(network: Network) -> float:
    """What torch's profiler counts in the emitted module, and the image."""
    import torch
    from torch.autograd.profiler import profile

    from dse.runtime.load import build

    torch.set_num_threads(1)
    model, image = build(network).eval(), torch.rand(1, *network.input)
    with torch.inference_mode():
        model(image)
        with profile(profile_memory=True) as profiled:
            model(image)
    events = [e for e in profiled.kineto_results.events() if e.name() == "[memory]"]
    now = most = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        now += event.nbytes()
        most = max(most, now)
    return most + FLOAT_BYTES * network.input.size


def _session(network: Network, batch: int, *, arena: bool) -> Callable[[], object]:
    import numpy as np
    import onnxruntime

    from dse.devices.onnxruntime_cpu import OnnxRuntimeCpu

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.enable_cpu_mem_arena = options.enable_mem_pattern = arena
    if arena:
        options.add_session_config_entry("session.use_env_allocators", "1")
    session = onnxruntime.InferenceSession(OnnxRuntimeCpu().pack(network), options)
    feed = {session.get_inputs()[0].name: np.zeros((batch, *network.input), np.float32)}
    return lambda: session.run(None, feed)


def _risen(call: Callable[[], object]) -> int:
    """Bytes by which the process' memory rises in a call, at most; Linux alone says."""
    rises = []
    for _ in range(5):
        call()
        Path("/proc/self/clear_refs").write_text("5")  # the highest so far begins anew
        before = _status("VmRSS")
        call()
        rises.append(_status("VmHWM") - before)
    return sorted(rises)[len(rises) // 2]


def _status(key: str) -> int:
    found = re.search(rf"{key}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return 1024 * int(found[1])


def _said(call: Callable[[], object]) -> str:
    """What a call prints on stderr, by whatever library."""
    kept = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            call()
        finally:
            os.dup2(kept, 2)
        file.seek(0)
        return file.read().decode(errors="replace")


if __name__ == "__main__":
    _WAYS = {"alive": alive, "block": block, "eager": eager}
    print(json.dumps(_WAYS[sys.argv[1]](load_preset(sys.argv[2]))))
