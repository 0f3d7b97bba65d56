"""The page, with all that it has to know at its start."""

from __future__ import annotations

from functools import cache
from typing import Any

from dse.data import dataset_names
from dse.explore.explorer import Explorer
from dse.latency.profile import profiles_dir
from dse.resources import page_templates
from dse.version import dse_version


def page(explorer: Explorer, token: str) -> str:
    """The HTML of the page."""
    space = explorer.space
    return (
        page_templates("explore", escape=True)
        .get_template("explore.html.j2")
        .render(
            space=space,
            decisions=len(space.choices()),
            size=str(space.size()),
            token=token,
            version=dse_version(),
            datasets=dataset_names(),
            runs=explorer.runs,
            base_ms=explorer.devices[0].base_ms if explorer.devices else None,
            devices=[(each.profile.name, each.profile.machine) for each in explorer.devices],
            profiles=str(profiles_dir()),
            facts=_facts(explorer),
        )
    )


def _facts(explorer: Explorer) -> dict[str, Any]:
    return {
        "space": explorer.space.name,
        "start": explorer.decisions(explorer.start),
        "budget": explorer.budget.limits(),
        "runs": list(explorer.runs),
        "devices": [each.profile.name for each in explorer.devices],
        "designs": str(explorer.designs),
    }


@cache
def plotly() -> str:
    """Plotly's script, from its Python package."""
    from plotly.offline import get_plotlyjs

    text: str = get_plotlyjs()
    return text
