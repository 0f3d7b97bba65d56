"""The table of ONNX rules: op class -> function that appends its nodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from dse.ir import Op, Shape
from dse.runtime.onnx.graph import Graph

OpT = TypeVar("OpT", bound=Op)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an op stands: its path in the program, the values it reads, and their shapes."""

    path: str
    inputs: tuple[str, ...]
    shapes: tuple[Shape, ...]

    @property
    def x(self) -> str:
        """The first value."""
        return self.inputs[0]

    @property
    def name(self) -> str:
        """The node's name: ``/fire2/squeeze`` for the op at ``fire2.squeeze``."""
        return "/" + self.path.replace(".", "/")


Rule = Callable[[Graph, OpT, Place], str]
"""Appends the nodes of an op to the graph and returns the name of the value they compute."""

ONNX_OPS: dict[str, Rule[Any]] = {}


def writes(kind: type[OpT]) -> Callable[[Rule[OpT]], Rule[OpT]]:
    """Register the rule of an op class."""

    def register(rule: Rule[OpT]) -> Rule[OpT]:
        ONNX_OPS[kind.__name__] = rule
        return rule

    return register
