"""A state dict as the layers it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

Kind = Literal["weights", "norm", "vector"]

_TENSORS = ("weight", "bias", "running_mean", "running_var")


@dataclass(frozen=True, eq=False)
class Layer:
    """The tensors of one layer.

    Attributes:
        name: its path; of a parameter that belongs to no layer, that parameter's.
        kind: ``weights`` of a convolution or linear layer, ``norm`` with running statistics,
            ``vector`` for all else.
        tensors: by their names in the layer, without batch counts.
    """

    name: str
    kind: Kind
    tensors: Mapping[str, Tensor]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the weight. A linear layer and a 1x1 convolution have equal ones: they compute the
        same.
        """
        if self.kind == "norm":
            return tuple(self.tensors["running_mean"].shape)
        if self.kind == "vector":
            return tuple(next(iter(self.tensors.values())).shape)
        shape = tuple(self.tensors["weight"].shape)
        return shape[:2] if set(shape[2:]) == {1} else shape

    @property
    def signature(self) -> tuple[Kind, tuple[int, ...]]:
        """What a layer that takes its place must have in common with it."""
        return self.kind, self.shape

    def __str__(self) -> str:
        what = "batch norm " if self.kind == "norm" else ""
        return f"{self.name} ({what}{'x'.join(map(str, self.shape)) or 'scalar'})"


def layers_of(state: Mapping[str, Tensor]) -> list[Layer]:
    """The layers of a state dict, in its order, which is that of construction."""
    groups: dict[str, dict[str, Tensor]] = {}
    for name, tensor in state.items():
        path, _, own = name.rpartition(".")
        if own in _TENSORS:
            groups.setdefault(path, {})[own] = tensor
        elif own != "num_batches_tracked":
            groups[name] = {"": tensor}
    return [Layer(path, _kind(tensors), tensors) for path, tensors in groups.items()]


def _kind(tensors: Mapping[str, Tensor]) -> Kind:
    if "running_mean" in tensors:
        return "norm"
    weight = tensors.get("weight")
    return "weights" if weight is not None and weight.dim() > 1 else "vector"
