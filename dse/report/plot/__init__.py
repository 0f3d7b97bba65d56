"""Plots: data once, drawn by plotly in a page and as SVG beside a text."""

from dse.report.plot.as_plotly import as_plotly, escape
from dse.report.plot.as_svg import as_svg
from dse.report.plot.model import Axis, Plot, Series, Symbol, role_of

__all__ = ["Axis", "Plot", "Series", "Symbol", "as_plotly", "as_svg", "escape", "role_of"]
