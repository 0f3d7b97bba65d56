"""A network as a networkx graph, of blocks or of ops, and as a drawing in SVG."""

from dse.draw.drawing import svg
from dse.draw.graphs import IMAGE, graph, graph_of_ops

__all__ = ["IMAGE", "graph", "graph_of_ops", "svg"]
