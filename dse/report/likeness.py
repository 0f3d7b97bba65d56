"""Several runs: which of them are one experiment, and whether their scores can be compared."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from dse.report.snapshot import Snapshot
from dse.report.wording import NONE, label, plain

_CONDITIONS = (
    "space",
    "input",
    "classes",
    "objectives",
    "budget",
    "require",
    "sampler",
    "rungs",
    "evaluate",
    "epochs",
    "recipe",
    "image_size",
    "trials",
    "latency_device",
)
_OF_SCORES = ("epochs", "recipe", "image_size", "fold")
"""Conditions that change what a design scores, whatever the design."""


@dataclass(frozen=True)
class Group:
    """Runs that differ in nothing but their seeds: one search, repeated.

    Attributes:
        name: of the run; of several what their names begin with.
        runs: at least one.
    """

    name: str
    runs: tuple[Snapshot, ...]

    @property
    def seeds(self) -> str:
        """``seed 0``, ``seeds 0, 1, 2``."""
        seeds = [plain(run.settings.get("seed")) for run in self.runs]
        return f"seed{'s' if len(seeds) > 1 else ''} {', '.join(seeds)}"

    @property
    def title(self) -> str:
        """The name, and how many runs it stands for."""
        return f"{self.name} ({len(self.runs)} seeds)" if len(self.runs) > 1 else self.name


def grouped(snapshots: Sequence[Snapshot]) -> list[Group]:
    """The runs, those together that differ only in the seed.

    Two runs of one seed under the same conditions are no repetition: each is told on its own.
    """
    met: Counter[tuple[str, str]] = Counter()
    found: dict[tuple[str, int], list[Snapshot]] = {}
    for snapshot in snapshots:
        key = json.dumps(_conditions(snapshot), sort_keys=True, default=str)
        seed = str(snapshot.settings.get("seed"))
        found.setdefault((key, met[key, seed]), []).append(snapshot)
        met[key, seed] += 1
    names = Counter(_common(runs) for runs in found.values())
    return [
        Group(_common(runs) if names[_common(runs)] == 1 else runs[0].name, tuple(runs))
        for runs in found.values()
    ]


def differences(groups: Sequence[Group]) -> list[tuple[str, list[str]]]:
    """The conditions in which groups differ, each with its value in every group."""
    return [(label(key), values) for key, values in _differing(groups)]


def incomparable(snapshots: Sequence[Snapshot]) -> str:
    """Why scores of the runs cannot be compared, in a sentence; empty if they can."""
    data = {_data(run): run for run in snapshots}
    if len(data) > 1:
        told = "; ".join(f"{_data_name(run)} in {run.name}" for run in data.values())
        return (
            f"The runs are of different data sets ({told}): a score on one says nothing about the "
            "other, so they are compared by cost alone."
        )
    aims = {
        (run.quality, "training" if run.trained else str(run.settings.get("evaluate"))): run
        for run in snapshots
    }
    if len(aims) > 1:
        told = "; ".join(f"{label(aim)} by {by} in {run.name}" for (aim, by), run in aims.items())
        return f"The runs measured different things ({told}), so they are compared by cost alone."
    return ""


def cautions(groups: Sequence[Group]) -> list[str]:
    """What apart from the searches makes comparable runs score differently, as sentences."""
    told = []
    for key, values in _differing(groups):
        if key in _OF_SCORES:
            pairs = "; ".join(
                f"{value} in {group.name}" for value, group in zip(values, groups, strict=True)
            )
            told.append(
                f"The runs differ in {label(key)} ({pairs}), which changes scores by itself."
            )
    return told


def _differing(groups: Sequence[Group]) -> list[tuple[str, list[str]]]:
    """The conditions that are not the same in all groups, with their values in few words."""
    each = [_conditions(group.runs[0]) for group in groups]
    rows = []
    for key in each[0]:
        values = [conditions[key] for conditions in each]
        if any(value != values[0] for value in values):
            rows.append((key, [_brief(value, values) for value in values]))
    return rows


def _conditions(snapshot: Snapshot) -> dict[str, Any]:
    data = snapshot.part("data")
    split = data.get("split")
    return {
        "data set": _data_name(snapshot) if data else None,
        **{key: snapshot.settings.get(key) for key in _CONDITIONS},
        "fold": split.get("fold") if isinstance(split, dict) else None,
    }


def _data(snapshot: Snapshot) -> str:
    """What tells one data set from another: the content if it is known, else the name."""
    data = snapshot.part("data")
    return str(data.get("digest") or data.get("name"))


def _data_name(snapshot: Snapshot) -> str:
    data = snapshot.part("data")
    name, digest = plain(data.get("name")), data.get("digest")
    return f"{name} {str(digest)[:8]}" if digest else name


def _brief(value: Any, values: Sequence[Any]) -> str:
    """A condition in few words; of mappings what is not the same in all."""
    if not all(isinstance(each, dict) for each in values):
        return plain(value)
    keys = {key for each in values for key in each}
    apart = [key for key in sorted(keys) if any(each.get(key) != value.get(key) for each in values)]
    return plain({key: value[key] for key in apart if key in value}) or NONE


def _common(runs: Sequence[Snapshot]) -> str:
    """What the names of runs begin with, up to a number or a mark."""
    if len(runs) == 1:
        return runs[0].name
    letters = zip(*(run.name for run in runs), strict=False)
    alike = "".join(each[0] for each in takewhile(lambda each: len(set(each)) == 1, letters))
    return alike.rstrip("0123456789-_.") or runs[0].name
