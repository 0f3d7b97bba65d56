"""The emitted modules beside the same networks written by hand: are they as fast to run?"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.handwritten import MobileNet, SPPCovidNet, SqueezeNet
from benchmarks.text import ms, table
from benchmarks.timing import side_by_side
from dse.presets import load_preset
from dse.runtime.load import build

_NETWORKS = {"spp-covid-net": SPPCovidNet, "squeezenet-1.1": SqueezeNet, "mobilenet-v1": MobileNet}
_BATCH = 8
_SIDE = 128
_ROUNDS = 21


def main() -> None:
    """Forward alone, and forward with backward, on equal weights and images."""
    torch.set_num_threads(1)
    print(
        f"emitted modules beside handwritten ones: ms for {_BATCH} images of {_SIDE}x{_SIDE}, one"
    )
    print("thread; a ratio above 1 says that the emitted module is the slower one\n")
    rows = []
    for name, handwritten in _NETWORKS.items():
        pools = {"pools": 4} if name == "spp-covid-net" else {}
        emitted = build(load_preset(name, input=f"3x{_SIDE}x{_SIDE}", **pools))
        model = handwritten() if not pools else _with_four_pools()
        _copy(emitted, model)
        torch.manual_seed(0)
        images = torch.rand(_BATCH, 3, _SIDE, _SIDE)
        labels = torch.arange(_BATCH) % 3
        rows.append(
            (name, *_forward(emitted, model, images), *_train(emitted, model, images, labels))
        )
    header = ("network", "outputs", "emitted", "by hand", "ratio")
    table((*header, "trained: emitted", "by hand", "ratio"), rows)


def _with_four_pools() -> nn.Module:
    """The handwritten network for images half as large: Table I, without the first pool."""
    model = SPPCovidNet()
    del model.features[1]
    return model


def _copy(source: nn.Module, target: nn.Module) -> None:
    """Copy weights in the order of the layers."""
    values = list(source.state_dict().values())
    target.load_state_dict(dict(zip(target.state_dict(), values, strict=True)))


def _forward(emitted: nn.Module, model: nn.Module, images: Tensor) -> tuple[str, str, str, str]:
    emitted.eval()
    model.eval()
    with torch.inference_mode():
        same = torch.equal(emitted(images), model(images))
        close = torch.allclose(emitted(images), model(images), atol=1e-5)
        runs = {"emitted": lambda: emitted(images), "by hand": lambda: model(images)}
        times = side_by_side(runs, _ROUNDS)
    verdict = "identical" if same else "equal to 1e-5" if close else "DIFFERENT"
    return (
        verdict,
        ms(times.median("emitted")),
        ms(times.median("by hand")),
        f"{times.ratio(*runs)}",
    )


def _train(
    emitted: nn.Module, model: nn.Module, images: Tensor, labels: Tensor
) -> tuple[str, str, str]:
    def step(network: nn.Module) -> None:
        network.zero_grad(set_to_none=True)
        F.cross_entropy(network(images), labels).backward()

    emitted.train()
    model.train()
    runs = {"emitted": lambda: step(emitted), "by hand": lambda: step(model)}
    times = side_by_side(runs, _ROUNDS)
    return ms(times.median("emitted")), ms(times.median("by hand")), f"{times.ratio(*runs)}"
