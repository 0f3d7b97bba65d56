"""From placed blocks to a network: names, inputs, blocks; everything that was made once is made
once.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from pydantic import ValidationError

from dse.blocks.base import first_problem
from dse.errors import InvalidDesign
from dse.ir import Shape
from dse.network import Network, Node, check_graph
from dse.space.expand import IMAGE, Walk
from dse.space.template import BlockItem
from dse.space.values import build_block

_MAX_KEPT = 50_000
"""Stages kept for reuse; a search revisits far fewer."""

Kept = dict[Any, tuple[Node, ...]]


def assemble(
    title: str, walk: Walk, alpha: float, shape: Shape, classes: int, kept: Kept
) -> Network:
    """The network of a walk. Its blocks are not known to fit each other yet: `dse.cost` will tell.

    Raises:
        InvalidDesign: the nodes do not form a graph: one is unread, or reads the wrong value.
    """
    nodes: list[Node] = []
    taken: set[str] = set()
    for name, copies, item, first, values, reads in walk.placed:
        name = _unique(name, taken)
        taken.add(name)
        position = len(nodes)
        if len(reads) == 1 and reads[0] == position - 1:
            inputs: tuple[str, ...] = ()
        elif IMAGE in reads:
            raise InvalidDesign(f"{title}: only the first node reads the image, got {name}")
        else:
            inputs = tuple([nodes[i].name for i in reads])
        key = (name, copies, item, first, values, alpha, inputs)
        run = kept.get(key)
        if run is None:
            if len(kept) >= _MAX_KEPT:
                kept.clear()
            run = kept[key] = _make_run(name, copies, item, first, values, alpha, inputs)
        nodes += run
    if not nodes:
        raise InvalidDesign(f"{title}: these decisions leave no node")
    if not walk.chain:  # a chain is well-formed by the way it was made
        try:
            check_graph(tuple(nodes))
        except ValueError as error:
            raise InvalidDesign(f"{title}: {error}") from None
    return Network.model_construct(
        name=f"{title}-{digest(walk.decisions)}",
        title="",
        about=f"A point of the search space {title}.",
        input=shape,
        classes=classes,
        nodes=tuple(nodes),
    )


def _make_run(
    name: str,
    copies: int,
    item: BlockItem,
    first: tuple[Any, ...],
    values: tuple[Any, ...],
    alpha: float,
    inputs: tuple[str, ...],
) -> tuple[Node, ...]:
    """One node, or the nodes of a stage."""
    block = build_block(item.first, first, alpha)
    if copies < 0:
        return (_make_node(name, block, inputs),)
    nodes = [_make_node(f"{name}.0", block, inputs)]
    if copies > 1:
        block = build_block(item.block, values, alpha)
        nodes += [_make_node(f"{name}.{copy}", block, ()) for copy in range(1, copies)]
    return tuple(nodes)


def digest(decisions: dict[str, Any]) -> str:
    """8 hexadecimal digits that tell points of a space apart."""
    # The values in the order of the walk say which decisions they belong to.
    return blake2b(",".join(map(str, decisions.values())).encode(), digest_size=4).hexdigest()


def _unique(name: str, taken: set[str]) -> str:
    number, unique = 1, name
    while unique in taken:
        number += 1
        unique = f"{name}{'_' if name[-1].isdigit() else ''}{number}"
    return unique


def _make_node(name: str, block: Any, inputs: tuple[str, ...]) -> Node:
    try:
        return Node(name=name, block=block, inputs=inputs)
    except ValidationError as error:
        raise InvalidDesign(f"node {name}: {first_problem(error)}") from None
