"""The shape of one value, without its batch axis."""

from __future__ import annotations

import re
from math import prod

from dse.errors import InvalidDesign


class Shape(tuple[int, ...]):
    """``(channels, height, width)`` of a map, ``(features,)`` of a vector, ``()`` of a scalar.

    Prints as ``64x32x32``.
    """

    __slots__ = ()

    @property
    def channels(self) -> int:
        """Channels of a map, features of a vector."""
        return self[0]

    @property
    def height(self) -> int:
        return self[1]

    @property
    def width(self) -> int:
        return self[2]

    @property
    def size(self) -> int:
        """Number of elements."""
        return prod(self)

    @property
    def is_map(self) -> bool:
        return len(self) == 3

    def __str__(self) -> str:
        return "x".join(str(int(n)) for n in self) or "scalar"

    @classmethod
    def parse(cls, text: str) -> Shape:
        """Read ``3x224x224``.

        Raises:
            InvalidDesign: the text is not three positive numbers joined by x.
        """
        if not re.fullmatch(r"[1-9]\d{0,5}(x[1-9]\d{0,5}){2}", text):
            raise InvalidDesign(
                f"an input is written CHANNELSxHEIGHTxWIDTH, as in 3x224x224; got {text!r}"
            )
        return cls(int(part) for part in text.split("x"))
