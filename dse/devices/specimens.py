"""Networks to learn a device's speed from: drawn from the shipped spaces, and short chains of any
blocks at all.

The former hold the kernels that searches meet, in their usual surroundings; the latter reach much
further, so that what is predicted later lies between things that were measured.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from dse.blocks import Attention, Block, block_kinds
from dse.blocks.base import NestedMark, WidthMark
from dse.cost import cost
from dse.errors import DseError
from dse.ir import Shape
from dse.ir.activation import ACTIVATIONS
from dse.network import Network, read_network
from dse.space import DEFAULT_SPACE, Space, load_space, space_names

_SIZES = (32, 48, 64, 96, 128, 160, 192, 224)
"""Heights of images, besides the size that a space is for, which half of its designs have."""

_CLASSES = (2, 3, 10, 100, 1000)

_MOST_PARAMS = 1.2e7
"""Of a specimen: larger ones take long to load."""

_FREQUENT = 8 * ("conv",) + 4 * ("depthwise",)
"""Kinds that follow more often than others: what most networks spend their time in."""

_TRIES = 50

_MAPS = (4, 5, 7, 8, 10, 14, 16, 20, 28, 32, 40, 56, 64, 80, 112, 128, 160, 224)
"""Heights of the maps that chains begin with."""

_COUNTS = {
    "kernel": (1, 3, 3, 3, 5, 7),
    "stride": (1, 1, 2),
    "padding": (0, 1),
    "groups": (1, 1, 1, 2, 4, 8),
    "expansion": (1, 2, 3, 4, 6),
    "size": (1, 2, 3, 5, 6, 7),
    "growth": (12, 24, 32, 48),
}
"""Values of fields by their names; others get 1, 2, 3 or 4."""


def designs(rng: random.Random, most_macs: float) -> Iterator[Network]:
    """Designs of all shipped spaces in turn, and after each one of the default space, for images of
    some size, without end.

    Args:
        rng: what to draw by.
        most_macs: of a design.
    """
    spaces = [load_space(name) for name in space_names()]
    usual = load_space(DEFAULT_SPACE)
    while True:
        for space in (space for other in spaces for space in (other, usual)):
            yield from _drawn(lambda: _design(space, rng), most_macs)  # noqa: B023 - called at once


def _design(space: Space, rng: random.Random) -> Network:
    size = rng.choice((space.input.height, rng.choice(_SIZES)))
    design = space.bind(space.sample(rng))
    return design.resized(input=_square(3, size), classes=rng.choice(_CLASSES))


def chains(rng: random.Random, most_macs: float) -> Iterator[Network]:
    """Chains of a few random blocks on maps of any size and depth, without end; every kind of
    block that takes one value begins a chain in its turn.
    """
    kinds = [kind for kind, cls in block_kinds().items() if cls.arity == 1]
    while True:
        for kind in kinds:
            yield from _drawn(lambda: _chain(kind, kinds, rng), most_macs)  # noqa: B023 - called at once


def _drawn(draw: Callable[[], Network], most_macs: float) -> Iterator[Network]:
    """Draw until a network can be built and is of a size to be run often; none if few can."""
    for _ in range(_TRIES):
        try:
            network = draw()
            spent = cost(network)
        except DseError:
            continue  # many random fields do not fit each other
        if spent.macs <= most_macs and spent.params <= _MOST_PARAMS:
            yield network
            return


def _square(channels: int, size: int) -> Shape:
    return Shape((channels, size, size))


def _chain(kind: str, kinds: list[str], rng: random.Random) -> Network:
    first = [kind, *(rng.choice([*kinds, *_FREQUENT]) for _ in range(rng.randint(0, 2)))]
    if rng.random() < 0.2:
        first.insert(0, "flatten")  # what takes a vector
    blocks = [_block(block_kinds()[kind], rng) for kind in first]
    nodes = [{"name": f"node{i}", "block": block} for i, block in enumerate(blocks)]
    head = rng.choice([["global_pool", "classifier"], ["flatten", "classifier"], ["classifier"]])
    nodes += [{"name": name, name: {}} for name in head]
    return read_network(
        {
            "name": "chain",
            "input": _square(_width(rng), rng.choice(_MAPS)),
            "classes": rng.choice(_CLASSES),
            "nodes": nodes,
        }
    )


def _width(rng: random.Random) -> int:
    """From 3 to 2048, each octave alike; most are multiples of 8, as in most designs."""
    width = 2 ** rng.uniform(1.6, 11)
    return round(width) if rng.random() < 0.2 else max(8, 8 * round(width / 8))


def _block(cls: type[Block], rng: random.Random) -> Block:
    """A block with random fields, each drawn by its type: a new block is covered at once."""
    fields = {
        name: _value(name, info.annotation, info.metadata, rng)
        for name, info in cls.model_fields.items()
        if info.is_required() or rng.random() < 0.7
    }
    return cls(**{name: value for name, value in fields.items() if value is not None})


def _value(name: str, annotation: Any, metadata: Any, rng: random.Random) -> Any:
    """A value of a field; None leaves it at its default."""
    if any(isinstance(mark, NestedMark) for mark in metadata):
        gates = [cls for cls in block_kinds().values() if issubclass(cls, Attention)]
        return _block(rng.choice(gates), rng)
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        return _value(name, inner, [*metadata, *more], rng)
    if get_origin(annotation) is Literal:
        return rng.choice(get_args(annotation))
    parts = [part for part in get_args(annotation) if part is not NoneType]
    if len(parts) == 1:
        return _value(name, parts[0], metadata, rng)
    if any(isinstance(mark, WidthMark) for mark in metadata):
        return _width(rng)
    if annotation is bool:
        return rng.random() < 0.5
    if annotation is int:
        return rng.choice(_COUNTS.get(name, (1, 2, 3, 4)))
    if name == "activation":
        return rng.choice(ACTIVATIONS)
    return None
