"""Lowering for emission: every class sees its widths, and the options that vary, as names.

The tape is the ordinary one; only what it hands to a block's `lower` differs. Inside a class the
input has ``in_channels`` channels and the block's fields are `Named`; outside, the result has the
caller's numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Union, get_args, get_origin

from dse.blocks.base import Block
from dse.ir import Named, Scope, Shape, Step, Tape, Value
from dse.ir.named import substitute

if TYPE_CHECKING:
    from dse.network import Network

Options = Mapping[str, frozenset[str]]
"""For each scope, by its path, the option fields that are arguments of its class."""


class NamedScope(Scope):
    """A scope that knows both sides of its border.

    Attributes:
        path: dotted path from the network.
        operands: the values the caller passes; `inputs` are the same values as the class sees them.
        result: the output as the caller sees it; `output` is as the class sees it.
        arguments: what the caller writes for each name the class may use, in order.
        locals: widths that the block computes and names, in order: ``hidden = in_channels * 4``.
        own_class: whether it becomes a class; otherwise its ops are written where it stands.
    """

    __slots__ = ("arguments", "locals", "operands", "own_class", "path", "result")

    def __init__(self, label: str, block: Block, operands: tuple[Value, ...], path: str) -> None:
        super().__init__(label, block, operands)
        self.operands = operands
        self.result = operands[0]
        self.arguments: dict[str, int] = {}
        self.locals: dict[str, int] = {}
        self.own_class = True
        self.path = path


class NamingTape(Tape):
    """A tape whose scopes are `NamedScope`s."""

    def __init__(self, network: Network, options: Options) -> None:
        super().__init__(network.name, network.classes, network.input)
        self._options = options

    @property
    def classes(self) -> int:
        """The number of classes; a class that reads it takes it as argument, as do those around."""
        for scope in self._open:
            if isinstance(scope, NamedScope):
                scope.arguments["num_classes"] = self._classes
        return self._classes

    @classes.setter
    def classes(self, value: int) -> None:
        self._classes = Named(value, "num_classes")

    def call(self, label: str, block: Block, *inputs: Value) -> Value:
        parent = self._open[-1]
        path = f"{parent.path}.{label}" if isinstance(parent, NamedScope) else label
        scope = NamedScope(label, block, inputs, path)
        parent.body.append(scope)
        self._open.append(scope)
        nested = isinstance(parent, NamedScope)
        if not nested and "." not in label:
            # Try it without names: a block of a few ops is written into the network itself.
            scope.output = scope.result = block.lower(self, *inputs)
            scope.own_class = not _stands_inline(scope)
        if scope.own_class:
            scope.body.clear()
            scope.arguments.clear()
            scope.inputs = tuple(Value(_named_shape(x.shape, scope.arguments)) for x in inputs)
            scope.output = self._named(block, scope).lower(self, *scope.inputs)
            known = dict(scope.arguments)
            for name, width in scope.locals.items():
                known[name] = substitute(width, known)
            scope.result = Value(Shape(substitute(n, known) for n in scope.output.shape))
        self._open.pop()
        return scope.result

    def let(self, name: str, value: int) -> int:
        scope = self._open[-1]
        if not isinstance(scope, NamedScope) or not isinstance(value, Named) or value.is_name:
            return value
        scope.locals[name] = value
        return Named(value, name)

    def _named(self, block: Block, scope: NamedScope) -> Block:
        update: dict[str, object] = {}
        for name in argument_fields(type(block)):
            value = getattr(block, name)
            width = name in block.widths()
            if value is not None and (width or name in self._options.get(scope.path, ())):
                update[name] = Named(value, name)
                scope.arguments[name] = value
        for name in block.nested():
            inner = getattr(block, name)
            if isinstance(inner, Block):
                update[name] = self._named_widths(name, inner, scope)
        # Validation would strip the names: model_copy does not validate.
        return block.model_copy(update=update)

    @staticmethod
    def _named_widths(field: str, inner: Block, scope: NamedScope) -> Block:
        """A nested block whose widths are arguments of the class around it too."""
        update = {}
        for width in inner.widths():
            value = getattr(inner, width)
            if value is not None:
                argument = f"{field}_{width}"
                update[width] = Named(value, argument)
                scope.arguments[argument] = value
        return inner.model_copy(update=update)


@cache
def argument_fields(block: type[Block]) -> tuple[str, ...]:
    """The integer fields of a block, in order: widths, and options such as stride and kernel."""
    return tuple(
        name for name, field in block.model_fields.items() if _is_integer(field.annotation)
    )


def _is_integer(annotation: object) -> bool:
    if get_origin(annotation) is Annotated:
        return _is_integer(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return any(_is_integer(part) for part in get_args(annotation))
    return annotation is int


def _named_shape(shape: Shape, arguments: dict[str, int]) -> Shape:
    """The shape as a class sees it: its channels (of a vector: features) have a name."""
    if not shape:
        return shape
    name = "in_channels" if shape.is_map else "in_features"
    known = arguments.get(name)
    if known is not None and known != shape[0]:
        name = f"{name}2"
    arguments[name] = shape[0]
    return Shape((Named(shape[0], name), *shape[1:]))


def _stands_inline(scope: Scope) -> bool:
    """Few enough ops to write out: one module that takes the node's own name, or one or two
    functions.
    """
    if any(isinstance(item, Scope) for item in scope.body):
        return False
    modules = [step for step in scope.body if isinstance(step, Step) and step.op.module]
    if modules:
        return any(not step.label for step in modules)
    return len(scope.body) <= 2
