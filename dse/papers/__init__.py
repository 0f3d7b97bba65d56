"""The papers' printed sizes, and what the presets say to them."""

from dse.papers.compare import Comparison, comparisons
from dse.papers.figures import Figure, figures

__all__ = ["Comparison", "Figure", "comparisons", "figures"]
