"""What torch says of an emitted module: the other side of every comparison."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from dse.ir import Value, ops
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
    return int(counter.get_total_flops()) // 2


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


def interpreted(network: Network, model: nn.Module, batch: Tensor) -> Tensor:
    """The scores that the network's program gives with the weights of `model`, op by op.

    This is the meaning of each op, written down a second time and without the emitted code.
    """
    program = network.lower()
    state = model.state_dict()
    values: dict[Value, Tensor] = {program.inputs[0]: batch}
    for path, step in program.walk():
        # Of an op that is a whole node the state lies under the node's own name.
        own = {k.removeprefix(f"{path}."): v for k, v in state.items() if k.startswith(f"{path}.")}
        if isinstance(step.op, ops.Parameter):
            own = {"value": state[path]}
        values[step.output] = _computed(step.op, own, [values[value] for value in step.inputs])
    return values[program.output]


def _computed(op: Any, state: dict[str, Tensor], x: list[Tensor]) -> Tensor:
    match type(op).__name__:
        case "Conv":
            bias = state.get("bias") if op.bias else None
            return F.conv2d(x[0], state["weight"], bias, op.stride, op.padding, 1, op.groups)
        case "BatchNorm":
            mean, var = state["running_mean"], state["running_var"]
            return F.batch_norm(x[0], mean, var, state["weight"], state["bias"])
        case "Act":
            return _activated(op, x[0])
        case "Pool" if op.mode == "max":
            return F.max_pool2d(x[0], op.kernel, op.stride, op.padding, ceil_mode=op.ceil_mode)
        case "Pool" if op.count_padding:
            padded = F.pad(x[0], (op.padding,) * 4)
            return F.avg_pool2d(padded, op.kernel, op.stride, ceil_mode=op.ceil_mode)
        case "Pool":
            sums, counts = (
                F.avg_pool2d(v, op.kernel, op.stride, op.padding, op.ceil_mode, divisor_override=1)
                for v in (x[0], torch.ones_like(x[0]))
            )
            return sums / counts
        case "AdaptivePool":
            pooled = [_by_grid(op, _by_grid(op, v).transpose(2, 3)).transpose(2, 3) for v in x]
            return pooled[0]
        case "LocalResponseNorm":
            half = op.size // 2
            energy = F.pad(x[0] ** 2, (0, 0, 0, 0, half, half)).unfold(1, op.size, 1).sum(-1)
            return x[0] / (1 + 1e-4 / op.size * energy) ** 0.75
        case "ChannelShuffle":
            batch, channels, *size = x[0].shape
            dealt = x[0].reshape(batch, op.groups, channels // op.groups, *size)
            return dealt.transpose(1, 2).reshape(x[0].shape)
        case "FractionalMaxPool":
            return _by_regions(op, _by_regions(op, x[0]).transpose(2, 3)).transpose(2, 3)
        case "BlurPool":
            row = torch.tensor([0.25, 0.5, 0.25])
            kernel = torch.outer(row, row).repeat(x[0].shape[1], 1, 1, 1)
            padded = F.pad(x[0], (1, 1, 1, 1), mode="reflect")
            return F.conv2d(padded, kernel, stride=op.stride, groups=x[0].shape[1])
        case "GlobalPool":
            flat = x[0].flatten(2)
            pooled = flat.amax(2) if op.mode == "max" else flat.mean(2)
            return pooled[:, :, None, None] if op.keep_map else pooled
        case "ChannelConv":
            weight = state["weight"].reshape(1, 1, -1)
            line = F.conv1d(x[0].flatten(2).transpose(1, 2), weight, padding=op.kernel // 2)
            return line.transpose(1, 2)[..., None]
        case "Linear":
            return F.linear(x[0], state["weight"], state.get("bias"))
        case "Dropout":
            return x[0]
        case "Flatten":
            return x[0].flatten(1)
        case "Parameter":
            return state["value"]
        case "Add":
            return torch.add(*x)
        case "Mul":
            return torch.mul(*x)
        case "Cat":
            return torch.cat(x, dim=1)
        case name:
            raise NotImplementedError(f"say here what {name} means")


def _activated(op: Any, x: Tensor) -> Tensor:
    match op.function:
        case "relu":
            return x.clamp(min=0)
        case "relu6":
            return x.clamp(0, 6)
        case "leaky_relu":
            return torch.where(x > 0, x, x * op.slope)
        case "silu":
            return x / (1 + torch.exp(-x))
        case "sigmoid":
            return 1 / (1 + torch.exp(-x))
        case "hard_sigmoid":
            return (x + 3).clamp(0, 6) / 6
        case "hard_swish":
            return x * (x + 3).clamp(0, 6) / 6
        case name:
            raise NotImplementedError(f"say here what {name} means")


def _by_grid(op: ops.AdaptivePool, x: Tensor) -> Tensor:
    """Maxima or averages of the rows of each cell of a grid."""
    rows = x.shape[2]
    cells = [x[:, :, i * rows // op.size : -(-(i + 1) * rows // op.size)] for i in range(op.size)]
    pooled = [cell.amax(2) if op.mode == "max" else cell.mean(2) for cell in cells]
    return torch.stack(pooled, dim=2)


def _by_regions(op: ops.FractionalMaxPool, x: Tensor) -> Tensor:
    """Maxima of the rows of each region."""
    edges = op.edges(x.shape[2])
    regions = [x[:, :, a : b + op.overlap] for a, b in pairwise(edges)]
    return torch.stack([region.amax(2) for region in regions], dim=2)


def randomised(model: nn.Module, seed: int = 0) -> nn.Module:
    """Weights and statistics unlike those of a fresh module: each shows in the output."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 2, generator=generator)
            elif tensor.dim() > 1:
                tensor.normal_(0, (2 / tensor[0].numel()) ** 0.5, generator=generator)
            elif tensor.is_floating_point():
                tensor.uniform_(0.2, 1.2, generator=generator)
    return model
