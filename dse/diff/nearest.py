"""The preset that takes the fewest edits to become a given network."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from inspect import signature
from typing import Any

from dse.cost import cost
from dse.diff.align import align, least_distance
from dse.diff.part import parts
from dse.errors import DseError, InvalidDesign
from dse.network import Network
from dse.presets import load_preset, preset_function, preset_names
from dse.space import load_space, space_names


@dataclass(frozen=True, slots=True)
class Nearest:
    """A preset for a network's images and classes.

    Attributes:
        label: its name, with the arguments it was given: ``hybrid-mobilenet (alpha=0.5)``.
        network: the preset's network.
        distance: cost of the edits between the two, from 0 (equal) to 1 (nothing in common).
        compared: how many presets could take the images, this one among them.
    """

    label: str
    network: Network
    distance: float
    compared: int


def nearest_preset(network: Network, excluding: str | None = None) -> Nearest:
    """The preset at the least cost of edits from `network`, for the same images and classes.

    Presets stand with their defaults and with the arguments of the shipped spaces' `contains`.
    Between equally near ones, the number of parameters decides.

    Args:
        network: what to compare the presets with.
        excluding: the name of a preset that is left out, with whatever arguments.

    Raises:
        InvalidDesign: no preset can take such images.
    """
    own, size = parts(network), cost(network).params
    candidates, seen = [], set()
    for name, label, preset in _presets(str(network.input), network.classes):
        if name != excluding and preset.digest not in seen:
            seen.add(preset.digest)
            blocks = parts(preset)
            candidates.append((least_distance(own, blocks), label, preset, blocks))
    candidates.sort(key=lambda candidate: candidate[0])
    best: tuple[tuple[float, int], str, Network] | None = None
    for least, label, preset, blocks in candidates:
        if best is not None and least > best[0][0]:
            break  # nor can any after it be nearer
        distance = 0.0 if preset == network else align(own, blocks).distance
        key = distance, abs(cost(preset).params - size)
        if best is None or key < best[0]:
            best = key, label, preset
    if best is None:
        raise InvalidDesign(
            f"no preset can take {network.input} images and {network.classes} classes: "
            "name the network to compare with"
        )
    (distance, _), label, preset = best
    return Nearest(label, preset, distance, len(candidates))


@lru_cache(maxsize=4)
def _presets(input: str, classes: int) -> tuple[tuple[str, str, Network], ...]:
    """Presets for these images and classes with name and label; those of one name differ."""
    found: dict[tuple[str, str], tuple[str, str, Network]] = {}
    for name, arguments in _listed():
        try:
            preset = load_preset(name, **{**arguments, "input": input, "classes": classes})
        except DseError:
            continue  # it cannot take images of this size
        label = preset_label(name, arguments)
        found.setdefault((name, preset.digest), (name, label, preset))
    return tuple(found.values())


@cache
def _listed() -> list[tuple[str, dict[str, Any]]]:
    """Presets with their defaults, then with the arguments that spaces give them."""
    listed: list[tuple[str, dict[str, Any]]] = [(name, {}) for name in preset_names()]
    for space in space_names():
        for entry in load_space(space).contains:
            takes = signature(preset_function(entry.preset)).parameters
            given = {k: v for k, v in entry.arguments.items() if v != takes[k].default}
            if (entry.preset, given) not in listed:
                listed.append((entry.preset, given))
    return listed


def preset_label(name: str, arguments: dict[str, Any]) -> str:
    """``hybrid-mobilenet (alpha=0.5 delta=4)``; images and classes apart."""
    shown = [f"{k}={v}" for k, v in arguments.items() if k not in ("input", "classes")]
    return f"{name} ({' '.join(shown)})" if shown else name
