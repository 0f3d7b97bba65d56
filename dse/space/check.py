"""What a space's author should know: claims that do not hold, holes that do nothing, designs that
cannot be built.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from dse.errors import DseError, InvalidDesign
from dse.presets import load_preset

if TYPE_CHECKING:
    from dse.network import Network
    from dse.space.space import Contained, Decisions, Space

LEAST_VALID = 0.6
_TRIES = 3


def check(space: Space, samples: int, seed: int) -> list[str]:
    """Problems of a space, one sentence each; none is the aim."""
    problems = [problem for entry in space.contains if (problem := _missing(space, entry))]
    rng = random.Random(seed)
    designs: list[Decisions] = []
    for _ in range(samples):
        decisions = space.sample(rng, valid=False)
        try:
            space.bind(decisions)
        except InvalidDesign:
            continue
        designs.append(decisions)
    if len(designs) < LEAST_VALID * samples:
        problems.append(
            f"{space.name}: at least {LEAST_VALID:.0%} of random designs can be built, got "
            f"{len(designs) / samples:.0%} for {space.input} and {space.classes} classes; "
            "otherwise: BLOCK beside a block says what stands where it does not fit"
        )
    problems += [
        f"{space.name}: the decision {name!r} changes nothing in any sampled design"
        for name in _idle(space, designs, rng)
    ]
    return problems


def _missing(space: Space, entry: Contained) -> str | None:
    """A preset must be a point at its own size, and at the space's."""
    sizes: tuple[dict[str, object], ...] = (
        {},
        {"input": str(space.input), "classes": space.classes},
    )
    for size in sizes:
        try:
            network = load_preset(entry.preset, **{**size, **entry.arguments})
        except DseError as error:
            if size:
                continue  # an image that this preset cannot take
            return f"{space.name}: contains {entry}: {error}"
        if space.locate(network) is None:
            where = f"for {network.input} and {network.classes} classes"
            return f"{space.name}: contains says {entry}, but it is no point of the space {where}"
    return None


def _idle(space: Space, designs: list[Decisions], rng: random.Random) -> list[str]:
    """Decisions that were met, and never changed a network."""
    choices = space.choices()
    tries: dict[str, int] = {}
    effective: set[str] = set()
    for decisions in designs:
        shape = _shape(space, decisions)
        for name in decisions:
            choice = choices[name]
            if name in effective or choice.count() == 1 or tries.get(name, 0) > 10 * _TRIES:
                continue
            for _ in range(_TRIES):
                other = choice.sample(rng)
                if other == decisions[name]:
                    continue
                tries[name] = tries.get(name, 0) + 1
                changed = space.complete({**decisions, name: other}, rng)
                if _shape(space, changed) != shape:
                    effective.add(name)
                    break
    return [name for name, count in tries.items() if name not in effective and count >= _TRIES]


def _shape(space: Space, decisions: Decisions) -> object:
    """What a design computes, as far as its blocks tell; None if it cannot be built."""
    try:
        network: Network = space.bind(decisions)
    except InvalidDesign:
        return None
    return [
        (node.block, reads) for node, reads in zip(network.nodes, network.sources(), strict=True)
    ]
