"""How an activation is written in a design: a word, or a word with its constant."""

from __future__ import annotations

import re
from functools import lru_cache

from dse.errors import InvalidDesign, UnknownName

ACTIVATIONS = ("none", "relu", "relu6", "leaky_relu", "hard_swish", "silu")
TITLES = {
    "none": "",
    "relu": "ReLU",
    "relu6": "ReLU6",
    "leaky_relu": "LeakyReLU",
    "hard_swish": "HardSwish",
    "silu": "SiLU",
}
"""As part of a class name."""
GATES = ("sigmoid", "hard_sigmoid")
_LEAKY_SLOPE = 0.01  # torch's default


@lru_cache(maxsize=256)
def parse_activation(text: str) -> tuple[str, float | None]:
    """Split ``leaky_relu(0.1)`` into its function and slope; other functions have no constant.

    Raises:
        UnknownName: no such activation.
        InvalidDesign: a constant where none belongs, or a slope outside [0, 1).
    """
    match = re.fullmatch(r"([a-z0-9_]+)(?:\(([0-9.eE+-]+)\))?", text)
    name, constant = match.groups() if match else (text, None)
    if name not in ACTIVATIONS and name not in GATES:
        raise UnknownName("activation", text, ACTIVATIONS)
    if name != "leaky_relu":
        if constant is not None:
            raise InvalidDesign(f"only leaky_relu takes a constant, got {text!r}")
        return name, None
    try:
        slope = _LEAKY_SLOPE if constant is None else float(constant)
    except ValueError:
        raise InvalidDesign(f"a slope is a number, as in leaky_relu(0.1); got {text!r}") from None
    if not 0 <= slope < 1:
        raise InvalidDesign(f"the slope of leaky_relu is at least 0 and below 1, got {text!r}")
    return name, abs(slope)  # -0 is 0


def canonical_activation(text: str) -> str:
    """The one spelling of an activation: ``leaky_relu`` is ``leaky_relu(0.01)``."""
    name, slope = parse_activation(text)
    return name if slope is None else f"{name}({slope!r})"
