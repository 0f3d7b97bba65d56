"""The winner from within: its drawing, its cost by block, its source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dse.cost import Cost, Row, cost, cost_by_block
from dse.draw import svg
from dse.emit import emit
from dse.errors import DseError
from dse.network import Network
from dse.runs import Trial


@dataclass(frozen=True)
class Design:
    """A design for the page; `problem` says why the rest is empty, if it is no network."""

    problem: str = ""
    network: Network | None = None
    total: Cost | None = None
    blocks: Sequence[Row] = ()
    drawing: Markup | None = None
    source: Markup | None = None


def inspect_design(trial: Trial) -> Design:
    """Draw, count and emit a trial's network."""
    try:
        network = trial.network
        # Both are markup of our own making: `svg` and the highlighter escape what they are given.
        return Design(
            network=network,
            total=cost(network),
            blocks=cost_by_block(network),
            drawing=Markup(svg(network)),
            source=highlighted(emit(network)),
        )
    except DseError as error:
        return Design(problem=str(error))


def highlighted(source: str) -> Markup:
    """Python source as spans with the classes of Pygments' tokens, escaped."""
    from pygments import highlight  # type: ignore[import-untyped, unused-ignore]
    from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped, unused-ignore]
    from pygments.lexers import PythonLexer  # type: ignore[import-untyped, unused-ignore]

    return Markup(highlight(source, PythonLexer(), HtmlFormatter(nowrap=True)))
