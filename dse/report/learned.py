"""What the search learned, as its run's folder holds it: decisions that mattered, leaders again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dse.report.snapshot import Snapshot, is_number

_CHANGES = 6


@dataclass(frozen=True)
class OptionRow:
    """An option of a decision: how many trials had it, and what it did at equal cost."""

    option: str
    trials: int
    effect: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class DecisionRow:
    """A decision with its share of the importance, and its options."""

    name: str
    share: float
    options: tuple[OptionRow, ...]


@dataclass(frozen=True)
class ChangeRow:
    """What to change next in the best design; `told` if the gain's interval leaves out zero."""

    decision: str
    present: str
    better: str
    gain: float
    interval: tuple[float, float]
    told: bool


@dataclass(frozen=True)
class Learned:
    """What trials say about the decisions; `epochs` after how many, None for finished trials."""

    metric: str
    trials: int
    epochs: int | None
    decisions: tuple[DecisionRow, ...]
    changes: tuple[ChangeRow, ...]


@dataclass(frozen=True)
class StandingRow:
    """A leader that was trained again with other seeds."""

    trial: int
    name: str
    baseline: bool
    params: float
    found: float
    again: tuple[float, ...]
    mean: float | None
    tied: bool


def learned(snapshot: Snapshot) -> Learned | None:
    """The contents of ``insight.json``; None if there is none, or nothing in it."""
    try:
        found = json.loads((snapshot.folder / "insight.json").read_text(encoding="utf-8"))
        return _learned(found) if found["importance"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def standings(snapshot: Snapshot) -> list[StandingRow]:
    """The leaders, the best mean first; none if they were not trained again."""
    rows = snapshot.settings.get("standings")
    found = []
    for row in rows if isinstance(rows, list) else []:
        try:
            found.append(
                StandingRow(
                    trial=int(row["trial"]),
                    name=str(row["name"]),
                    baseline=row["baseline"] is True,
                    params=float(row["params"]),
                    found=float(row["found"]),
                    again=tuple(float(value) for value in row["again"]),
                    mean=float(row["mean"]) if is_number(row["mean"]) else None,
                    tied=row["tied"] is True,
                )
            )
        except (KeyError, TypeError, ValueError):
            continue  # written by another version
    return found


@dataclass(frozen=True)
class ProxyRow:
    """How a proxy ranks the run's designs: Kendall's tau over all, and among those of similar
    size, each with its interval; whether it beats parameters and MACs there (None: cannot be told,
    and for these two); the seconds it takes for a design, if they were measured.
    """

    name: str
    tau: float | None
    interval: tuple[float, float] | None
    within: float | None
    within_interval: tuple[float, float] | None
    beats: bool | None
    seconds: float | None


def proxies(snapshot: Snapshot) -> list[ProxyRow]:
    """The contents of ``proxies.json``, which ``dse proxies`` writes; none without it."""
    try:
        found = json.loads((snapshot.folder / "proxies.json").read_text(encoding="utf-8"))
        return [
            ProxyRow(
                str(row["proxy"]),
                row["tau"],
                _pair(row["interval"]),
                row["within"],
                _pair(row["within_interval"]),
                row["beats"],
                found.get("seconds", {}).get(row["proxy"]),
            )
            for row in found["rankings"]
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _learned(found: Mapping[str, Any]) -> Learned:
    options: dict[str, list[OptionRow]] = {}
    for row in found["effects"]:
        options.setdefault(str(row["decision"]), []).append(
            OptionRow(
                str(row["option"]), int(row["trials"]), float(row["effect"]), _pair(row["interval"])
            )
        )
    decisions = tuple(
        DecisionRow(str(name), float(share), tuple(options.get(name, ())))
        for name, share in found["importance"].items()
    )
    changes = tuple(
        ChangeRow(
            str(row["decision"]),
            str(row["present"]),
            str(row["better"]),
            float(row["gain"]),
            (float(row["interval"][0]), float(row["interval"][1])),
            row["interval"][0] > 0 or row["interval"][1] < 0,
        )
        for row in found["changes"][:_CHANGES]
    )
    epochs = found.get("epochs")
    epochs = None if epochs is None else int(epochs)
    return Learned(str(found["metric"]), int(found["trials"]), epochs, decisions, changes)


def _pair(value: Any) -> tuple[float, float] | None:
    return None if value is None else (float(value[0]), float(value[1]))
