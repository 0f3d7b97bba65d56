"""Numbers and times as people type them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import typer

_SUFFIX = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "b": 1e9}
_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


def number(text: str) -> float:
    """``1e6``, ``1M``, ``310M``, ``1_000_000``: a number above 0."""
    digits = r"[0-9]+(?:_[0-9]+)*"
    match = re.fullmatch(
        rf"((?:{digits})?\.?{digits}(?:e[+-]?[0-9]+)?|{digits}\.)([kmgb]?)", text.strip().lower()
    )
    value = float(match[1]) * _SUFFIX[match[2]] if match else math.nan
    if not 0 < value < math.inf:
        raise typer.BadParameter(f"a number above 0, as in 1e6, 1M or 310M; got {text!r}")
    return value


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """Reads an integer from `least` to `most`."""
    rule = f"an integer from {least}" + ("" if most is None else f" to {most}")

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least or (most is not None and value > most):
            raise typer.BadParameter(f"{rule}; got {text!r}")
        return value

    return read


def seconds(text: str) -> float:
    """``90``, ``90s``, ``30m``, ``2h``: a time in seconds."""
    match = re.fullmatch(r"([0-9]*\.?[0-9]+)\s*([smh]?)", text.strip().lower())
    value = float(match[1]) * _SECONDS[match[2]] if match else math.nan
    if not 0 < value < math.inf:
        raise typer.BadParameter(f"a time, as in 90s, 30m or 2h; got {text!r}")
    return value


def settings(pairs: list[str]) -> dict[str, object]:
    """``alpha=0.5 pools=4``: arguments of a preset."""
    found: dict[str, object] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise typer.BadParameter(f"a setting is written name=value, got {pair!r}")
        found[name] = _value(value)
    return found


def _value(text: str) -> object:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
