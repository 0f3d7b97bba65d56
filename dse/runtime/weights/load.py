"""Loading weights into a module of ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from dse.errors import InvalidValue
from dse.network import Network
from dse.runtime.weights.layers import Layer, layers_of
from dse.runtime.weights.match import match
from dse.runtime.weights.read import read_weights


@dataclass(frozen=True)
class Loaded:
    """What became of a file of weights.

    Attributes:
        path: the file.
        how: whether layers were found by their names or by the structure of the network.
        taken: the paths of our layers, each with that of the file's layer whose weights it has.
        initial: the paths of our layers that kept their initial weights: those that make the class
            scores, where the file is for another number of classes or has none.
        unused: the paths of the file's layers that were left out: those and auxiliary classifiers.
    """

    path: Path
    how: Literal["name", "structure"]
    taken: tuple[tuple[str, str], ...]
    initial: tuple[str, ...]
    unused: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """As `dse generate --json` prints it."""
        return {
            "file": str(self.path),
            "how": self.how,
            "taken": len(self.taken),
            "initial": list(self.initial),
            "unused": list(self.unused),
        }

    def __str__(self) -> str:
        text = f"weights of {len(self.taken)} layers from {self.path}, by {self.how}"
        if self.initial:
            text += f"; {_some(self.initial)} left at initial values"
        if self.unused:
            text += f"; not used: {_some(self.unused)} of the file"
        return text


def load_weights(module: nn.Module, network: Network, path: str | Path) -> Loaded:
    """Copy the weights of a file into a module of a network.

    The file is a state dict of ours, of torchvision, timm or anybody who builds the same network:
    where its names are not ours, layers are matched by structure (see `match`). A file for another
    number of classes gives all but the classifier. A bias that the file lacks is zero.

    A state dict says neither strides nor the eps of batch normalisations, so a file fits networks
    that differ in these: for ResNet, choose the preset's `stride_at`; torchvision's MobileNetV3
    and GoogLeNet were trained with an eps of 1e-3, and TensorFlow's networks often are, where ours
    have 1e-5.

    Args:
        module: of `network`, as `build` gives it; it is changed only if all fits.
        network: the network.
        path: a ``.safetensors`` file or one that torch saved, read without running code.

    Raises:
        DataError: the file cannot be read, or would have to run code to be.
        InvalidValue: its layers are not those of the network; names the first ones.
    """
    path = Path(path)
    state = read_weights(path)
    # Names in alphabetical order, as safetensors lists them, say nothing of the construction.
    ordered = list(state) != sorted(state)
    try:
        ours, theirs = layers_of(module.state_dict()), layers_of(state)
        found = match(ours, theirs, _heads(network), ordered=ordered)
    except InvalidValue as error:
        raise InvalidValue(f"{path} does not fit {network.name}: {error}") from None
    with torch.no_grad():
        for own, other in found.pairs:
            for name, tensor in own.tensors.items():
                tensor.copy_(_value(name, other, tensor).reshape(tensor.shape))
    return Loaded(
        path,
        found.how,
        tuple((own.name, other.name) for own, other in found.pairs),
        tuple(own.name for own, _ in found.heads),
        tuple(x.name for x in [*(x for _, x in found.heads if x is not None), *found.unused]),
    )


def _value(name: str, layer: Layer, like: Tensor) -> Tensor:
    """A tensor of the file; one that it lacks as what changes nothing."""
    if name in layer.tensors:
        return layer.tensors[name]
    return torch.zeros_like(like) if name == "bias" else torch.ones_like(like)


def _heads(network: Network) -> set[str]:
    """The layers whose size is the number of classes."""
    other = network.resized(classes=3 if network.classes == 2 else 2)
    return {
        path
        for (path, step), (_, changed) in zip(
            network.lower().walk(), other.lower().walk(), strict=True
        )
        if step.op.module and step.output.shape != changed.output.shape
    }


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown
