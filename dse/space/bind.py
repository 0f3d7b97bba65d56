"""From placed blocks to a network: names, inputs, blocks; everything that was made once is made once."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from pydantic import ValidationError

from dse.blocks.base import first_problem
from dse.errors import InvalidDesign
from dse.ir import Shape
from dse.network import Network, Node, check_graph
from dse.space.expand import IMAGE, Placed
from dse.space.values import build_block

_MAX_KEPT = 50_000
"""Nodes kept for reuse; a search revisits far fewer."""

Nodes = dict[Any, Node]


def assemble(
    title: str,
    placed: list[Placed],
    alpha: float,
    decisions: dict[str, Any],
    shape: Shape,
    classes: int,
    kept: Nodes,
) -> Network:
    """The network of a walk; its blocks are not yet known to fit each other, which `dse.cost` checks.

    Raises:
        InvalidDesign: the nodes do not form a graph: one is unread, or reads the wrong number of inputs.
    """
    nodes: list[Node] = []
    names: list[str] = []
    taken: dict[str, str] = {}
    stage = ""
    for position, (base, copy, template, values, reads) in enumerate(placed):
        if copy <= 0:
            stage = _unique(base, taken)
        name = stage if copy < 0 else f"{stage}.{copy}"
        names.append(name)
        before = len(reads) == 1 and reads[0] == position - 1
        inputs = () if before else tuple([names[i] if i >= 0 else "" for i in reads])
        key = (name, template, values, alpha, inputs)
        node = kept.get(key)
        if node is None:
            if IMAGE in reads and position:
                raise InvalidDesign(f"{title}: only the first node reads the image, got {name}")
            node = _make_node(name, build_block(template, values, alpha), inputs)
            if len(kept) >= _MAX_KEPT:
                kept.clear()
            kept[key] = node
        nodes.append(node)
    if not nodes:
        raise InvalidDesign(f"{title}: these decisions leave no node")
    network = Network.model_construct(
        name=f"{title}-{digest(decisions)}",
        title="",
        about=f"A point of the search space {title}.",
        input=shape,
        classes=classes,
        nodes=tuple(nodes),
    )
    try:
        check_graph(network.nodes)
    except ValueError as error:
        raise InvalidDesign(f"{title}: {error}") from None
    return network


def digest(decisions: dict[str, Any]) -> str:
    """8 hexadecimal digits that tell points of a space apart."""
    return blake2b(repr(list(decisions.items())).encode(), digest_size=4).hexdigest()


def _unique(name: str, taken: dict[str, str]) -> str:
    number, unique = 1, name
    while unique in taken:
        number += 1
        unique = f"{name}{'_' if name[-1].isdigit() else ''}{number}"
    taken[unique] = name
    return unique


def _make_node(name: str, block: Any, inputs: tuple[str, ...]) -> Node:
    try:
        return Node(name=name, block=block, inputs=inputs)
    except ValidationError as error:
        raise InvalidDesign(f"node {name}: {first_problem(error)}") from None
