"""Devices: where latency comes from. A new runtime is a file and a line here."""

from __future__ import annotations

from importlib import import_module

from dse.devices.base import Latency, Ready, Runtime
from dse.errors import UnknownName

_DEVICES = {
    "onnxruntime-cpu": ("dse.devices.onnxruntime_cpu", "OnnxRuntimeCpu"),
    "torch-cpu": ("dse.devices.torch_cpu", "TorchCpu"),
    "torch-cpu-compiled": ("dse.devices.torch_cpu_compiled", "TorchCpuCompiled"),
    "torch-cuda": ("dse.devices.torch_cuda", "TorchCuda"),
}
# By name only: listing devices must not import the runtimes.


def device_names() -> tuple[str, ...]:
    """The devices that `find_device` knows."""
    return tuple(_DEVICES)


def find_device(name: str) -> Runtime:
    """A device by its name.

    Raises:
        UnknownName: there is none.
    """
    if name not in _DEVICES:
        raise UnknownName("device", name, _DEVICES)
    module, cls = _DEVICES[name]
    device: Runtime = getattr(import_module(module), cls)()
    return device


__all__ = ["Latency", "Ready", "Runtime", "device_names", "find_device"]
