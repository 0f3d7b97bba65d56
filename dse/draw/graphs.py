"""The network as a networkx graph: of its blocks, and of its primitive ops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dse.cost import Row, cost_by_block, cost_by_op
from dse.ir import Scope
from dse.network import Network

if TYPE_CHECKING:
    import networkx as nx

IMAGE = "input"
"""The node that stands for the image; no block may be called so."""


def graph(network: Network) -> nx.DiGraph:
    """The network as a graph: one node per block and one for the image, edges along the data.

    Nodes carry `kind`, `output` (a shape as text), `params`, `macs`, `stage` (or empty).

    Raises:
        InvalidDesign: the blocks do not fit each other.
    """
    import networkx as nx

    result = nx.DiGraph(name=network.name)
    result.add_node(IMAGE, kind="image", output=str(network.input), params=0, macs=0, stage="")
    names = [node.name for node in network.nodes]
    for row, sources in zip(cost_by_block(network), network.sources(), strict=True):
        stage, dot, _ = row.name.partition(".")
        result.add_node(row.name, **_attributes(row, stage if dot else ""))
        for source in sources:
            result.add_edge(IMAGE if source < 0 else names[source], row.name)
    return result


def graph_of_ops(network: Network) -> nx.DiGraph:
    """Like `graph`, of primitive ops: nodes are called ``3 stage1.0.conv``, by position and path.

    `kind` is the op's and `stage` the name of the block that it belongs to.

    Raises:
        InvalidDesign: the blocks do not fit each other.
    """
    import networkx as nx

    result = nx.DiGraph(name=network.name)
    result.add_node(IMAGE, kind="image", output=str(network.input), params=0, macs=0, stage="")
    program = network.lower()
    makers = {id(program.inputs[0]): IMAGE}
    owners = [
        scope.label for scope in program.body if isinstance(scope, Scope) for _ in scope.steps()
    ]
    walk = zip(program.walk(), cost_by_op(network), owners, strict=True)
    for number, ((path, step), row, owner) in enumerate(walk, start=1):
        name = f"{number} {path}"
        result.add_node(name, **_attributes(row, owner))
        for value in step.inputs:
            result.add_edge(makers[id(value)], name)
        makers[id(step.output)] = name
    return result


def _attributes(row: Row, stage: str) -> dict[str, str | int]:
    counts = {"params": row.cost.params, "macs": row.cost.macs}
    return {"kind": row.what, "output": row.output, **counts, "stage": stage}
