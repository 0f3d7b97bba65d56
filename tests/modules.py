"""What torch says of an emitted module: the other side of every comparison."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from dse.network import Network
from dse.runtime.load import build


def built(network: Network, seed: int = 0) -> nn.Module:
    """The network's module in evaluation mode, with reproducible weights."""
    torch.manual_seed(seed)
    return build(network).eval()


def on_meta(network: Network) -> nn.Module:
    """The network's module without memory for its weights."""
    with torch.device("meta"):
        return build(network).eval()


def images(network: Network, count: int = 2, device: str = "cpu") -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(count, *network.input, generator=generator).to(device)


def counted_macs(network: Network) -> int:
    """Half of what torch's own counter finds for one image, on the meta device."""
    model = on_meta(network)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.empty(1, *network.input, device="meta"))
    return counter.get_total_flops() // 2


def output_shapes(model: nn.Module, batch: Tensor) -> dict[str, tuple[int, ...]]:
    """The shape that each submodule gives for one image, by its path."""
    found: dict[str, tuple[int, ...]] = {}

    def note(path: str) -> Any:
        def hook(module: nn.Module, inputs: Any, output: Tensor) -> None:
            found[path] = tuple(output.shape[1:])

        return hook

    handles = [m.register_forward_hook(note(path)) for path, m in model.named_modules() if path]
    with torch.no_grad():
        model(batch)
    for handle in handles:
        handle.remove()
    return found


def trainable(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def running_statistics(model: nn.Module) -> int:
    return sum(b.numel() for n, b in model.named_buffers() if n.endswith(("_mean", "_var")))
