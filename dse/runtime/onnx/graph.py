"""An ONNX graph in the making, as plain records: the ops' rules append to it, `model` writes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dse.errors import InvalidDesign
from dse.ir import Shape

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[Any]
State = Mapping[str, "Array | Tensor"]
Attribute = int | float | str | Sequence[int]

CONSTANT = "constant/"
"""How the names of initializers begin that are no weights."""

_NOT_WEIGHTS = "num_batches_tracked"
"""Batch normalisation counts its batches in training; evaluation has no use for the number."""


@dataclass(slots=True)
class Node:
    """One ONNX node with one output."""

    kind: str
    name: str
    inputs: list[str]
    output: str
    attributes: dict[str, Attribute]


class Graph:
    """Nodes, initializers, and the shapes of the values that are known; `opset` says in which form
    an op is written where that has changed.

    Value names begin with a slash, weights are named as in the state dict and constants begin with
    ``constant/``, so that the three never meet, nor meet the names of the graph's input and output.
    """

    def __init__(self, state: State, opset: int) -> None:
        self.opset = opset
        self.nodes: list[Node] = []
        self.initializers: dict[str, Array] = {}
        self.shapes: dict[str, Shape] = {}
        self._state = state
        self._taken: set[str] = set()

    def node(self, kind: str, name: str, *inputs: str, **attributes: Attribute) -> str:
        """Append a node; returns its output's name, which is its own. A taken name is numbered."""
        unique, count = name, 0
        while unique in self._taken:
            count += 1
            unique = f"{name}_{count}"
        self._taken.add(unique)
        self.nodes.append(Node(kind, unique, list(inputs), unique, attributes))
        return unique

    def weight(self, name: str, *shape: int) -> str:
        """The initializer with the state dict's tensor of that name.

        Raises:
            InvalidDesign: there is none, or it has another shape.
        """
        expected = Shape(shape)
        try:
            found = self._state[name]
        except KeyError:
            raise InvalidDesign(
                f"the weights lack the tensor {name!r} of shape {expected}"
            ) from None
        if tuple(found.shape) != expected:
            raise InvalidDesign(
                f"the tensor {name!r} must have shape {expected}, got {Shape(found.shape)}"
            )
        self.initializers[name] = _float32(found)
        return name

    def constant(self, name: str, values: Array) -> str:
        """An initializer with fixed values. Equal ones of one name are shared, others numbered."""
        unique, count = f"{CONSTANT}{name}", 0
        while not np.array_equal(self.initializers.get(unique, values), values):
            count += 1
            unique = f"{CONSTANT}{name}_{count}"
        self.initializers[unique] = values
        return unique

    def rename(self, value: str, name: str) -> None:
        """Call a value by another name wherever it is written or read."""
        for node in self.nodes:
            node.inputs = [name if source == value else source for source in node.inputs]
            node.output = name if node.output == value else node.output
        if value in self.shapes:
            self.shapes[name] = self.shapes.pop(value)

    def check_all_weights_read(self) -> None:
        """A tensor that no op reads shows that the weights are another network's.

        Raises:
            InvalidDesign: there is one.
        """
        for name, value in self._state.items():
            if name not in self.initializers and not name.endswith(_NOT_WEIGHTS):
                raise InvalidDesign(
                    f"the network has no tensor {name!r}, got one of shape {Shape(value.shape)}"
                )


def _float32(value: Array | Tensor) -> Array:
    if isinstance(value, np.ndarray):
        return value.astype(np.float32, copy=False)
    array: Array = value.detach().cpu().float().numpy()
    return array
