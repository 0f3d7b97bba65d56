"""Ops as torch expressions: the bridge between Python's decisions and the templates' wording."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.runtime import Macro

from dse.ir import Named, Op, Shape, Step, Value
from dse.resources import resource_dir

SUM, PRODUCT, ATOM = 1, 2, 3
_BINDING = {"Add": SUM, "Mul": PRODUCT}


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The Jinja environment over the torch templates."""
    # Templates are our own and their output is Python, which has nothing to escape for HTML.
    made = Environment(
        loader=FileSystemLoader(resource_dir("templates") / "torch"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
        autoescape=False,
    )
    made.globals["keywords"] = keywords
    return made


def keywords(**settings: tuple[Any, Any]) -> str:
    """Keyword arguments that differ from their default, each given as (value, default)."""
    return "".join(
        f", {name}={value}"
        for name, (value, default) in settings.items()
        if isinstance(value, Named) or value != default
    )


@lru_cache(maxsize=1)
def _macros() -> dict[str, Macro]:
    module = environment().get_template("ops.py.j2").module
    return {name: macro for name, macro in vars(module).items() if isinstance(macro, Macro)}


def has_macros(op: type[Op]) -> bool:
    """Whether the templates can write this op: its value, and its module if it is one."""
    name = op.__name__
    return f"{name}_use" in _macros() and (not op.module or f"{name}_new" in _macros())


def constructor(step: Step) -> str | None:
    """The expression that makes the op's module, or None for a plain function."""
    macro = _macros().get(f"{type(step.op).__name__}_new")
    shape = step.inputs[0].shape if step.inputs else Shape(())
    return str(macro(step.op, shape)) if macro else None


@dataclass(slots=True)
class Item:
    """One value of a `forward`: what it reads and how it is written."""

    output: Value
    operands: tuple[Value, ...]
    write: Callable[[list[str]], str]
    heavy: bool
    binding: int = ATOM
    joins: bool = False
    """Whether its operands are listed side by side, so that each may do work of its own."""
    typed: bool | None = False
    """Whether a type checker knows it is a Tensor: not for a module's call; None if as its operands
    are.
    """
    trivial: bool = False
    """Whether it is a mere name, never worth a variable."""
    hint: str = ""
    """A name for the value, should it need one of its own."""
    comment: str = ""
    operand_binding: list[int] = field(default_factory=list)


def step_item(step: Step, attribute: str) -> Item:
    """The item of one op; `attribute` is its module's name, empty for a function."""
    kind = type(step.op).__name__
    macro = _macros()[f"{kind}_use"]
    # `alpha * x` reads better than `x * alpha`.
    flip = kind == "Mul" and not step.inputs[1].shape
    operands = step.inputs[::-1] if flip else step.inputs
    needs = _BINDING.get(kind, ATOM if kind in _POSTFIX else 0)
    # The right operand of a sum may be a sum of its own only in brackets: float addition has an
    # order.
    bindings = [needs if n == 0 or needs == ATOM else needs + 1 for n in range(len(operands))]

    def write(texts: list[str]) -> str:
        return str(macro(step.op, f"self.{attribute}" if attribute else "", *texts))

    return Item(
        output=step.output,
        operands=operands,
        write=write,
        heavy=step.op.heavy,
        binding=_BINDING.get(kind, ATOM),
        joins=kind == "Cat",
        typed=None
        if kind in _BINDING or kind in _POSTFIX
        else kind == "Parameter" or not attribute,
        trivial=kind == "Parameter",
        operand_binding=bindings,
    )


_POSTFIX = {"GlobalPool", "Flatten", "ChannelConv"}  # written x.method(): a sum needs brackets

_CALL = re.compile(r"(?P<head>.*?\w)\((?P<arguments>.*)\)(?P<tail>[^()]*)")


def wrapped(line: str, indent: int, limit: int) -> list[str]:
    """Break a line that ends in one long call as formatters do: its arguments indented, or one a
    line.
    """
    if len(line) + indent <= limit:
        return [line]
    match = _CALL.fullmatch(line)
    if match is None:
        return [line]
    head, arguments, tail = match["head"], match["arguments"], match["tail"]
    if len(arguments) + indent + 4 <= limit:
        return [f"{head}(", f"    {arguments}", f"){tail}"]
    parts = [f"    {part}," for part in split_arguments(arguments)]
    return [f"{head}(", *parts, f"){tail}"]


def split_arguments(text: str) -> list[str]:
    """Split at the commas outside brackets."""
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0:
            parts.append(text[start:position].strip())
            start = position + 1
    return [*parts, text[start:].strip()]
