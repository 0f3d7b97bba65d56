"""Files of weights under other people's names, and what their models compute with them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from dse.network import Network
from tests.implementations import Maker
from tests.twins import images_of, record_torch

State = Mapping[str, Tensor]

ENDINGS = (".pth", ".safetensors")


def model_of(make: Maker, network: Network) -> nn.Module:
    """Another implementation with weights that leave none of them without effect.

    The eps of its batch normalisations is ours: no state dict says it.
    """
    torch.manual_seed(0)
    model: nn.Module = make(network)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 1e-5
    record_torch(model, images_of(network))
    return model.float()


def scores_of(model: nn.Module, network: Network) -> Tensor:
    """In double precision: what is left of a difference is of the weights."""
    with torch.no_grad():
        scores: Tensor = model.double().eval()(images_of(network))
    return scores.flatten(1)


def assert_same(a: Tensor, b: Tensor) -> None:
    """Equal up to rounding in double precision."""
    assert a.shape == b.shape
    assert (a - b).abs().max() <= 1e-9 * b.abs().max()


def written(state: State, path: Path) -> Path:
    """A file of a state dict, in the form that its name says."""
    if path.suffix == ".safetensors":
        save_file({name: tensor.contiguous() for name, tensor in state.items()}, path)
    else:
        torch.save(dict(state), path)
    return path
