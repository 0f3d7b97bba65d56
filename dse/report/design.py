"""A design from within: its drawing, its cost by stage, its source, what it differs in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from markupsafe import Markup

from dse.cost import Cost, Row, cost, cost_by_block
from dse.draw import svg
from dse.emit import emit
from dse.errors import DseError
from dse.network import Network, read_network
from dse.report.differences import Differences, differences
from dse.runs import Trial


@dataclass(frozen=True)
class Stage:
    """The blocks of a stage and what they cost together, with their shares of the whole."""

    name: str
    blocks: Sequence[Row]
    params: int
    macs: int
    params_share: float
    macs_share: float


@dataclass(frozen=True)
class Design:
    """A design for the page; `problem` says why the rest is empty, if it is no network."""

    problem: str = ""
    network: Network | None = None
    total: Cost | None = None
    stages: Sequence[Stage] = ()
    drawing: Markup | None = None
    source: Markup | None = None
    apart: Differences | None = None


def inspect_design(trial: Trial) -> Design:
    """Draw, count, emit and compare a trial's network."""
    try:
        return _inspected(json.dumps(trial.design))
    except DseError as error:
        return Design(problem=str(error))


@lru_cache(maxsize=256)
def _inspected(document: str) -> Design:
    """A design from within, once: runs that are compared have the papers' networks in common."""
    network = read_network(json.loads(document))
    total = cost(network)
    # Both are markup of our own making: `svg` and the highlighter escape what they are given.
    return Design(
        network=network,
        total=total,
        stages=_stages(cost_by_block(network), total),
        drawing=Markup(svg(network)),
        source=highlighted(emit(network)),
        apart=differences(network),
    )


def highlighted(source: str) -> Markup:
    """Python source as spans with the classes of Pygments' tokens, escaped."""
    from pygments import highlight  # type: ignore[import-untyped, unused-ignore]
    from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped, unused-ignore]
    from pygments.lexers import PythonLexer  # type: ignore[import-untyped, unused-ignore]

    return Markup(highlight(source, PythonLexer(), HtmlFormatter(nowrap=True)))


def _stages(rows: Sequence[Row], total: Cost) -> list[Stage]:
    """Blocks by the part of their names before the dot; a block outside stages is one by itself."""
    found = []
    for name, group in groupby(rows, key=lambda row: row.name.partition(".")[0]):
        blocks = list(group)
        params = sum(row.cost.params for row in blocks)
        macs = sum(row.cost.macs for row in blocks)
        shares = params / max(total.params, 1), macs / max(total.macs, 1)
        found.append(Stage(name, blocks, params, macs, *shares))
    return found
