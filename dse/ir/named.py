"""Integers that remember the source text they came from.

While code is emitted, the fields of a block are passed to its `lower` as `Named` integers, so that
`self.expand1x1 + self.expand3x3` is both 128, for every rule and branch, and the text
``expand1x1 + expand3x3``, for the renderer. A block is thus written once and knows nothing of
emission.

Rounding helpers (`round`, `max`, `int`) return plain integers: a design holds only final ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_SUM, _PRODUCT, _ATOM = 1, 2, 3  # how tightly a text binds, loosest first


class Named(int):
    """An `int` with source text: compares, hashes and computes as its value, prints as its text."""

    text: str
    binding: int

    def __new__(cls, value: int, text: str, binding: int = _ATOM) -> Named:
        self = super().__new__(cls, value)
        self.text = text
        self.binding = binding
        return self

    @property
    def is_name(self) -> bool:
        """Whether the text is a single name."""
        return self.text.isidentifier()

    def __str__(self) -> str:
        return self.text

    def __format__(self, spec: str) -> str:
        return format(int(self), spec) if spec else self.text

    def __add__(self, other: int) -> int:
        return self if other == 0 else _join(self, "+", other, _SUM)

    def __radd__(self, other: int) -> int:
        return self if other == 0 else _join(other, "+", self, _SUM)

    def __sub__(self, other: int) -> int:
        return self if other == 0 else _join(self, "-", other, _SUM)

    def __rsub__(self, other: int) -> int:
        return _join(other, "-", self, _SUM)

    def __mul__(self, other: int) -> int:
        return self if _is_literal(other, 1) else _join(self, "*", other, _PRODUCT)

    def __rmul__(self, other: int) -> int:
        return self if _is_literal(other, 1) else _join(other, "*", self, _PRODUCT)

    def __floordiv__(self, other: int) -> int:
        return self if _is_literal(other, 1) else _join(self, "//", other, _PRODUCT)

    def __rfloordiv__(self, other: int) -> int:
        return _join(other, "//", self, _PRODUCT)

    def __mod__(self, other: int) -> int:
        return _join(self, "%", other, _PRODUCT)

    def __rmod__(self, other: int) -> int:
        return _join(other, "%", self, _PRODUCT)


def substitute(value: int, arguments: Mapping[str, int]) -> int:
    """Return `value` as seen by a caller that passed `arguments` for the names in its text.

    A class whose output is ``channels * 2`` wide is, to the caller who wrote ``Block(hidden)``,
    ``hidden * 2`` wide; to one who wrote ``Block(64)`` it is plainly 128.
    """
    if not isinstance(value, Named):
        return value
    used = set(re.findall(r"[A-Za-z_]\w*", value.text))
    if not any(isinstance(arguments.get(name), Named) for name in used):
        return int(value)

    def caller_text(match: re.Match[str]) -> str:
        argument = arguments[match.group()]
        bare = not isinstance(argument, Named) or argument.binding == _ATOM
        return f"{argument}" if bare or match.group() == value.text else f"({argument})"

    text = re.sub(r"[A-Za-z_]\w*", caller_text, value.text)
    whole = arguments.get(value.text)
    binding = whole.binding if isinstance(whole, Named) else value.binding
    return Named(int(value), text, binding)


def _is_literal(value: int, expected: int) -> bool:
    return value == expected and not isinstance(value, Named)


def _join(left: int, operator: str, right: int, binding: int) -> Named:
    a, b = int(left), int(right)
    match operator:
        case "+":
            value = a + b
        case "-":
            value = a - b
        case "*":
            value = a * b
        case "//":
            value = a // b
        case _:
            value = a % b
    # A right operand of equal strength is bracketed too: a - (b - c), a * (b // c).
    right_needs = binding + (operator != "+")
    return Named(value, f"{_side(left, binding)} {operator} {_side(right, right_needs)}", binding)


def _side(value: int, needed: int) -> str:
    has = value.binding if isinstance(value, Named) else (_ATOM if value >= 0 else _SUM)
    return f"{value}" if has >= needed else f"({value})"
