"""The registry of presets: functions that return a paper's network."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, get_type_hints

from dse.errors import InvalidDesign, InvalidValue, UnknownName
from dse.ir import Shape
from dse.network import Network, read_network
from dse.presets.smallest import too_small

Nodes = list[dict[str, Any]]
PresetFunction = Callable[..., Network]

_PRESETS: dict[str, PresetFunction] = {}


def preset(function: PresetFunction) -> PresetFunction:
    """Register a preset. Its name is the function's, with - for _, and a version as in
    ``squeezenet_1_1``.
    """
    _PRESETS[preset_name(function)] = function
    return function


def preset_name(function: PresetFunction) -> str:
    """``hl_cnn`` is called hl-cnn, ``squeezenet_1_1`` squeezenet-1.1."""
    *words, last = function.__name__.split("_")
    joiner = "." if last.isdigit() and words[-1].isdigit() else "-"
    return "-".join(words) + joiner + last if words else last


def preset_names() -> list[str]:
    """The names of all presets."""
    return sorted(_PRESETS)


def preset_function(name: str) -> PresetFunction:
    """The function behind a preset: its docstring cites the paper, its signature says the
    arguments.

    Raises:
        UnknownName: there is no such preset.
    """
    try:
        return _PRESETS[name]
    except KeyError:
        raise UnknownName("preset", name, _PRESETS) from None


def load_preset(name: str, **arguments: Any) -> Network:
    """The network of a paper by its name.

    Args:
        name: as `preset_names` lists them.
        **arguments: what the preset takes, ``alpha=0.5``; ``classes`` and ``input`` ("3x64x64")
            always.

    Raises:
        UnknownName: no such preset or argument.
        InvalidValue: an argument of the wrong type or outside its range.
        InvalidDesign: an image the network cannot take; says the smallest that it takes.
    """
    function = preset_function(name)
    accepted = inspect.signature(function).parameters
    hints = get_type_hints(function)
    for key, value in arguments.items():
        if key not in accepted:
            raise UnknownName(f"argument of {name}", key, accepted)
        wanted = hints[key]
        number_for_float = (
            wanted is float and isinstance(value, int) and not isinstance(value, bool)
        )
        if (
            isinstance(wanted, type)
            and not number_for_float
            and (not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool))
        ):
            raise InvalidValue(f"{name}: {key} is of type {wanted.__name__}, got {value!r}")
    try:
        return function(**arguments)
    except InvalidDesign as error:
        asked = Shape.parse(arguments.get("input", accepted["input"].default))
        known = Shape.parse(accepted["input"].default)
        raise too_small(
            error, asked, known, lambda image: function(**{**arguments, "input": str(image)})
        ) from None


def one_of(name: str, key: str, value: Any, allowed: tuple[Any, ...]) -> None:
    """Check an argument that has a few values.

    Raises:
        InvalidValue: it is none of them.
    """
    if value not in allowed:
        raise InvalidValue(f"{name}: {key} is one of {', '.join(map(str, allowed))}; got {value!r}")


def network(name: str, title: str, about: str, input: str, classes: int, nodes: Nodes) -> Network:
    """Assemble and check a preset's network."""
    return read_network(
        {
            "name": name,
            "title": title,
            "about": about,
            "input": input,
            "classes": classes,
            "nodes": nodes,
        }
    )


def divisible(width: float, by: int = 8) -> int:
    """`width` rounded to a multiple of `by`, at least `by`, and never below nine tenths of itself.

    Source: the rounding of MobileNetV2's authors, which MobileNetV3 and EfficientNet keep.
    """
    rounded = max(by, int(width + by / 2) // by * by)
    return rounded + by if rounded < 0.9 * width else rounded


def within(name: str, key: str, value: float, low: float, high: float) -> None:
    """Check an argument that has a range, `low` itself excluded.

    Raises:
        InvalidValue: it lies outside.
    """
    if not low < value <= high:
        raise InvalidValue(f"{name}: {key} is above {low:g} and at most {high:g}, got {value:g}")
