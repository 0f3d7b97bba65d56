"""The papers' networks as first trials, so that every front contains what it is compared with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dse.cost import Budget, cost
from dse.errors import DseError
from dse.network import Network
from dse.presets import load_preset, preset_names
from dse.space import Space


@dataclass(frozen=True)
class Baseline:
    """A preset that fits the budget and is a point of the space."""

    name: str
    network: Network
    choices: dict[str, Any]


def baselines(space: Space, budget: Budget) -> Iterator[Baseline]:
    """Presets for the space's images and classes that fit the budget and lie in the space.

    First those that the space says it contains, with their arguments, then every other. Of a preset
    in several forms the largest that fits stands for it: trials are for the search.
    """
    found: dict[str, tuple[int, Baseline]] = {}
    seen: set[str] = set()
    for name, arguments in _listed(space):
        try:
            network = load_preset(
                name, **{**arguments, "input": str(space.input), "classes": space.classes}
            )
        except DseError:
            continue  # a network that cannot take images of this size is no baseline for them
        spent = cost(network)
        if network.digest in seen or not budget.admits(spent):
            continue
        if name in found and spent.params <= found[name][0]:
            continue
        choices = space.locate(network)
        # Only the space knows how long a network takes.
        if choices is not None and budget.admits(space.cost(choices)):
            seen.add(network.digest)
            found[name] = (
                spent.params,
                Baseline(_label(name, arguments), network, dict(choices)),
            )
    yield from (baseline for _, baseline in found.values())


def _listed(space: Space) -> Iterator[tuple[str, dict[str, Any]]]:
    for entry in space.contains:
        yield entry.preset, dict(entry.arguments)
    for name in preset_names():
        yield name, {}


def _label(name: str, arguments: Mapping[str, Any]) -> str:
    shown = {k: v for k, v in arguments.items() if k not in ("input", "classes")}
    inside = " ".join(f"{key}={value}" for key, value in shown.items())
    return f"{name} ({inside})" if inside else name
