"""Each printed size beside the one computed from the preset."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any, Literal

from dse.cost import cost, cost_by_block
from dse.network import Network
from dse.papers.figures import Figure, figures
from dse.presets import load_preset

Status = Literal["exact", "rounds", "inconsistent", "unknown"]


@dataclass(frozen=True)
class Comparison:
    """A printed figure, what the preset gives, and how the two relate.

    `status` is ``exact`` (all digits), ``rounds`` (the printed digits, rounded or cut off),
    ``inconsistent`` (the paper's own architecture gives another number) or ``unknown`` (what was
    counted is not stated). `computed` is a count, or megabytes (10^6 bytes) of a model size.
    """

    figure: Figure
    computed: int | float
    status: Status

    @property
    def computed_text(self) -> str:
        """The computed figure as people read it: ``862,331``, or ``41.73`` megabytes."""
        return f"{self.computed:,}" if isinstance(self.computed, int) else f"{self.computed:.2f}"

    def document(self) -> dict[str, Any]:
        """The row as `dse papers --json` prints it."""
        f = self.figure
        return {
            "paper": f.paper,
            "table": f.table,
            "model": f.model,
            "settings": f.settings,
            "quantity": f.quantity,
            "printed": f.printed,
            "computed": self.computed,
            "status": self.status,
            "note": f.note,
        }


def comparisons() -> list[Comparison]:
    """Every printed size beside the computed one."""
    return [_compare(figure) for figure in figures()]


def _compare(figure: Figure) -> Comparison:
    network = load_preset(figure.model, **figure.settings, **figure.variant)
    if figure.quantity == "size_mb":
        return Comparison(figure, cost(network).size_bytes / 1e6, "unknown")
    computed = _count(network, figure)
    if figure.counted == "unstated":
        return Comparison(figure, computed, "unknown")
    return Comparison(figure, computed, _judge(figure.printed, computed))


def _count(network: Network, figure: Figure) -> int:
    match figure.counted:
        case "params":
            return cost(network).params
        case "params_with_buffers":
            return cost(network).params_with_buffers
        case "macs without classifier":
            return sum(row.cost.macs for row in cost_by_block(network) if row.what != "classifier")
        case "macs of 10 classes":
            return cost(network.resized(classes=10)).macs
        case _:
            total = cost(network)
            return total.macs if figure.quantity == "macs" else total.params_with_buffers


def _judge(printed: str, computed: int) -> Status:
    """Compare digits. A number with a decimal point, or a small one, is in millions, as the tables
    say.
    """
    text = printed.replace(",", "").removesuffix("M")
    shown = Decimal(text)
    if "," in printed or shown > 100_000:
        return "exact" if shown == computed else "inconsistent"
    millions = Decimal(computed) / 1_000_000
    last_digit = Decimal(1).scaleb(int(shown.as_tuple().exponent))
    rounded = {millions.quantize(last_digit, how) for how in (ROUND_HALF_UP, ROUND_DOWN)}
    return "rounds" if shown in rounded else "inconsistent"
