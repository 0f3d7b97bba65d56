"""What an op is, and the rules about shapes that several share."""

from __future__ import annotations

from dataclasses import fields
from typing import ClassVar, Literal

from dse.errors import InvalidDesign
from dse.ir.shape import Shape

PoolMode = Literal["max", "average"]


class Op:
    """One primitive. Instances are immutable by convention (frozen dataclasses cost five times as
    much).
    """

    __slots__ = ()

    module: ClassVar[bool] = False
    """Whether it is an attribute of the emitted module (it holds state), rather than a function
    call.
    """
    heavy: ClassVar[bool] = False
    """Whether it does real work: in emitted code a heavy op starts a statement, others ride along.
    """
    in_place: ClassVar[bool] = False
    """Whether its output may take over the memory of its first input, if that is not needed again.
    """
    counts: ClassVar[bool] = False
    """Whether it has a rule for parameters, buffers or multiply-adds; seen when registered."""

    def shape(self, *inputs: Shape) -> Shape:
        """Shape of the output.

        Raises:
            InvalidDesign: the inputs do not fit; says the rule and the values, the tape adds
                the place.
        """
        raise NotImplementedError

    def params(self, *inputs: Shape) -> int:
        """Trainable parameters."""
        return 0

    def buffers(self, *inputs: Shape) -> int:
        """Non-trainable state: running statistics."""
        return 0

    def macs(self, output: Shape, *inputs: Shape) -> int:
        """Multiply-adds of convolution and linear layers for one image."""
        return 0

    def signature(self) -> str:
        """What it computes, in a stable text: ops with equal signatures and inputs are equal."""
        settings = ",".join(repr(getattr(self, f.name)) for f in fields(self))  # type: ignore[arg-type]
        return f"{type(self).__name__}({settings})"


OPS: dict[str, type[Op]] = {}


def primitive(cls: type[Op]) -> type[Op]:
    """Register an op under its class name; a template macro and an ONNX rule must exist for it."""
    rules = ("params", "buffers", "macs")
    cls.counts = any(getattr(cls, rule) is not getattr(Op, rule) for rule in rules)
    OPS[cls.__name__] = cls
    return cls


def as_map(x: Shape, what: str) -> Shape:
    """The shape, if it is a map's.

    Raises:
        InvalidDesign: it is a vector; `what` needs a map.
    """
    if len(x) != 3:
        raise InvalidDesign(f"{what} needs a feature map, got a vector of {x} features")
    return x


def windows(size: int, kernel: int, stride: int, padding: int, ceil_mode: bool = False) -> int:
    """Positions of a window along one axis, by torch's rules."""
    span = size + 2 * padding - kernel
    if span < 0:
        return 0
    if not ceil_mode:
        return span // stride + 1
    positions = -(-span // stride) + 1
    # The last window must start inside the map or its left padding.
    return positions - 1 if (positions - 1) * stride >= size + padding else positions
