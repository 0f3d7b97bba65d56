"""What inferring one image takes: time, and where the machine says it, energy."""

from __future__ import annotations

from dataclasses import dataclass

from dse.devices.base import Latency
from dse.devices.energy import Energy
from dse.devices.measurer import Measurer
from dse.network import Network


@dataclass(frozen=True)
class Inference:
    """Time and energy of a network on a device; `energy` is None where it is not available."""

    device: str
    latency: Latency
    energy: Energy | None

    def __str__(self) -> str:
        energy = "energy not available"
        if self.energy is not None:
            energy = f"{self.energy.millijoules:.3g} mJ of {self.energy.note}"
        latency = self.latency
        return (
            f"{latency.median_ms:.3g} ms ({latency.low_ms:.3g} to {latency.high_ms:.3g}; 95th "
            f"percentile {latency.p95_ms:.3g}), {energy}; {self.device}: {latency.note}"
        )


def measure_inference(network: Network, device: str = "onnxruntime-cpu") -> Inference:
    """Infer single images of random content by a network with random weights, again and again.

    By default in the exported graph, by ONNX Runtime on one thread of the processor, as it would be
    deployed.

    Raises:
        UnknownName: there is no such device.
        InvalidValue: this machine lacks it.
    """
    with Measurer(device) as measurer:
        return Inference(device, measurer.latency(network), measurer.energy(network))
