"""A node as a comparison sees it: its block where it stands in the network's program."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import log2

from dse.blocks.base import Block
from dse.ir import Scope, Shape
from dse.network import Network

Program = tuple[object, ...]


@dataclass(frozen=True, eq=False)
class Part:
    """One node of a network.

    Attributes:
        name: of the node.
        block: what it holds.
        scope: what the block recorded.
        reads: names of the nodes it reads as the design has them; ``image`` for the first.
        origins: positions of the nodes that computed what it reads, -1 for the image. A node that
            computes nothing, such as an identity, is passed over.
        image: the network's input.
    """

    name: str
    block: Block
    scope: Scope
    reads: tuple[str, ...]
    origins: tuple[int, ...]
    image: Shape

    @property
    def stage(self) -> str:
        """``stage1`` of ``stage1.0``; the whole name of a node outside stages."""
        return self.name.partition(".")[0]

    @cached_property
    def inputs(self) -> tuple[Shape, ...]:
        """The shapes of what it reads."""
        return tuple(value.shape for value in self.scope.inputs)

    @property
    def output(self) -> Shape:
        """The shape of what it gives."""
        return self.scope.output.shape

    @cached_property
    def reduction(self) -> int:
        """How often the image's sides were halved when it leaves; 0 for a vector."""
        return _octaves(self.image) - _octaves(self.output) if self.output.is_map else 0

    @cached_property
    def shrinks(self) -> int:
        """How often it halves the sides of a map itself."""
        taken = self.inputs[0]
        return _octaves(taken) - _octaves(self.output) if taken.is_map and self.output.is_map else 0

    @cached_property
    def program(self) -> Program:
        """What it computes: with equal input shapes and programs, two blocks are the same."""
        return program(self.scope)


def _octaves(shape: Shape) -> int:
    """The size of a map in powers of 2."""
    return round(log2(shape.height * shape.width) / 2)


def program(scope: Scope) -> Program:
    """The ops of a scope with their settings, and which value each reads."""
    numbers: dict[int, int] = {}
    for value in scope.inputs:
        numbers.setdefault(id(value), len(numbers))
    lines: list[object] = []
    for step in scope.steps():
        numbers[id(step.output)] = len(numbers)
        lines.append((step.op.signature(), tuple(numbers[id(value)] for value in step.inputs)))
    return (*lines, numbers[id(scope.output)])


def parts(network: Network) -> list[Part]:
    """The nodes of a network in order."""
    root = network.lower()
    origin = {id(root.inputs[0]): -1}
    result: list[Part] = []
    before = "image"
    for position, (node, scope) in enumerate(zip(network.nodes, root.body, strict=True)):
        assert isinstance(scope, Scope)  # a network's program holds one scope per node
        reads = node.inputs or (before,)
        origins = tuple(origin[id(value)] for value in scope.inputs)
        result.append(Part(node.name, node.block, scope, reads, origins, network.input))
        origin.setdefault(id(scope.output), position)
        before = node.name
    return result
