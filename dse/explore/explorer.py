"""What the explorer was started with, and what it says of a design: the answer to every move."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from time import thread_time
from typing import Any

from dse.cost import Budget, Cost, Row, cost_by_block
from dse.draw import svg
from dse.emit import emit
from dse.errors import InvalidDesign
from dse.explore.fill import Wishes
from dse.explore.moves import Moves
from dse.explore.options import Around, Asked, Option, shown_values
from dse.explore.source import highlighted
from dse.latency.predict import Predictor
from dse.network import Network
from dse.space import Categorical, Choice, Decisions, Scalar, Space, is_ordered

COSTS = ("params", "macs", "peak_activation_bytes", "size_bytes")

PATIENCE = 0.03
"""Seconds of processor time after which an update looks at no more options: a move of a slider is
to be answered within 0.05.
"""


@dataclass(frozen=True)
class Explorer:
    """What one explorer shows. It keeps nothing but what it has worked out before.

    Attributes:
        space: for the images and classes in question; timed by the first of the devices, if there
            are any.
        budget: the limits that pages begin with.
        devices: what predicts latencies; the first is that of a limit on latency.
        runs: names of the runs that are drawn beside the design.
        start: the decisions that pages begin with.
        designs: the folder that designs are saved to.
    """

    space: Space
    budget: Budget = field(default_factory=Budget)
    devices: tuple[Predictor, ...] = ()
    runs: tuple[str, ...] = ()
    start: Decisions = field(default_factory=dict)
    designs: Path = Path("designs")

    def update(
        self, wanted: Mapping[str, Any], budget: Budget, patience: float = PATIENCE
    ) -> dict[str, Any]:
        """All that the page shows of a design but its source.

        Where decisions make no network, ``problem`` says why and ``design`` is None; the decisions
        are given all the same, so that they can be changed.

        What options would come to is worked out in what remains of `patience` seconds; with
        ``more`` some are missing, which `options` goes on with.
        """
        until = thread_time() + patience
        around = Around(self.space, self._moves, wanted)
        problem, design = around.problem, None
        if not problem:
            try:
                network, spent = self.space.evaluate(around.decisions)
                design = self._design(network, spent, budget)
            except InvalidDesign as error:
                problem = str(error)
        holes, more = self._holes(around, budget, until)
        return {
            "decisions": around.decisions,
            "holes": holes,
            "more": more,
            "problem": problem,
            "design": design,
        }

    def options(
        self, wanted: Mapping[str, Any], budget: Budget, patience: float = PATIENCE
    ) -> dict[str, Any]:
        """The decisions of a design alone, with options that `update` had no time for."""
        until = thread_time() + patience
        around = Around(self.space, self._moves, wanted)
        holes, more = self._holes(around, budget, until)
        return {"holes": holes, "more": more}

    def source(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """The design as code, plain and as HTML, and as a JSON document.

        Raises:
            InvalidDesign: the decisions make no network.
        """
        network = self.network(wanted)
        text = emit(network)
        return {
            "module": network.module_name,
            "python": text,
            "html": highlighted(text),
            "json": network.to_json(),
        }

    def decisions(self, wanted: Mapping[str, Any]) -> Decisions:
        """The decisions that follow what is wanted wherever it can be followed."""
        wishes = Wishes(self._choices, wanted)
        return self.space.walk(lambda name, _: wishes[name])

    def network(self, wanted: Mapping[str, Any]) -> Network:
        """The network of the decisions.

        Raises:
            InvalidDesign: there is none.
        """
        return self.space.bind(self.decisions(wanted))

    def latencies(self, network: Network) -> dict[str, float]:
        """Predicted milliseconds by device."""
        return {device.profile.name: device.network(network).ms for device in self.devices}

    # -- parts

    @cached_property
    def _headings(self) -> dict[str, dict[str, str]]:
        return headings(self._choices)

    @cached_property
    def _moves(self) -> Moves:
        return Moves(self.space)

    @cached_property
    def _choices(self) -> dict[str, Choice]:
        return self.space.choices()

    def _holes(
        self, around: Around, budget: Budget, until: float
    ) -> tuple[list[dict[str, Any]], bool]:
        """The decisions as the page draws them, and whether options of some are missing, for which
        there was no time.
        """
        holes, more = [], False
        for asked in around.asked:
            options = around.options(asked, budget)
            shown = []
            while not more and (option := next(options, None)) is not None:
                shown.append(option)
                more = thread_time() > until
            hole = _hole(asked, around.decisions[asked.name], shown, budget)
            holes.append({**hole, **self._headings[asked.name]})
        return holes, more

    def _design(self, network: Network, spent: Cost, budget: Budget) -> dict[str, Any]:
        return {
            "name": network.name,
            "digest": network.digest,
            "nodes": len(network.nodes),
            "params": spent.params,
            "params_with_buffers": spent.params_with_buffers,
            "macs": spent.macs,
            "peak_activation_bytes": spent.peak_activation_bytes,
            "size_bytes": spent.size_bytes,
            "latency": [_latency(device, network) for device in self.devices],
            "over": budget.excess(spent),
            "stages": self._stages(network),
            "svg": svg(network),
        }

    def _stages(self, network: Network) -> list[dict[str, Any]]:
        """Cost by stage: the blocks that follow each other under one name."""
        rows = cost_by_block(network)
        times: list[float | None] = [None] * len(rows)
        if self.devices:
            times = [part.ms for part in self.devices[0].parts(network)]
        stages: list[dict[str, Any]] = []
        for row, ms in zip(rows, times, strict=True):
            name = row.name.partition(".")[0]
            if not stages or stages[-1]["name"] != name:
                stages.append(_empty_stage(name))
            _add(stages[-1], row)
            if ms is not None:
                stages[-1]["ms"] += ms
        return stages


def _empty_stage(name: str) -> dict[str, Any]:
    zeros = dict.fromkeys(("blocks", "params", "macs", "peak_activation_bytes", "ms"), 0)
    return {"name": name, "kinds": [], "output": "", **zeros}


def _add(stage: dict[str, Any], row: Row) -> None:
    if row.what not in stage["kinds"]:
        stage["kinds"].append(row.what)
    stage["blocks"] += 1
    stage["output"] = row.output
    stage["params"] += row.cost.params
    stage["macs"] += row.cost.macs
    peak = row.cost.peak_activation_bytes
    stage["peak_activation_bytes"] = max(stage["peak_activation_bytes"], peak)


def _latency(device: Predictor, network: Network) -> dict[str, Any]:
    predicted = device.network(network)
    return {
        "device": device.profile.name,
        "ms": predicted.ms,
        "low_ms": predicted.low_ms,
        "high_ms": predicted.high_ms,
        "unseen": list(predicted.unseen),
    }


def _hole(asked: Asked, value: Scalar, options: list[Option], budget: Budget) -> dict[str, Any]:
    """A decision as the page draws it: ``labels`` or ``numbers`` with all of their options, or a
    ``range`` of which some are shown. Of those beyond `options` the values alone are given.
    """
    choice = asked.choice
    values = shown_values(choice, value)
    shown: dict[str, Any] = {
        "name": asked.name,
        "value": value,
        "kind": "numbers" if is_ordered(choice) else "labels",
        "options": [
            *(_option(option, budget) for option in options),
            *({"value": value} for value in values[len(options) :]),
        ],
    }
    if not isinstance(choice, Categorical) and choice.count() != len(values):
        shown |= {"kind": "range", "low": choice.low, "high": choice.high, "step": choice.step}
        shown["log"] = choice.log
    return shown


def _option(option: Option, budget: Budget) -> dict[str, Any]:
    if option.cost is None:
        return {"value": option.value, "problem": option.problem}
    return {
        "value": option.value,
        "params": option.cost.params,
        "macs": option.cost.macs,
        "over": budget.excess(option.cost),
    }


def headings(names: Collection[str]) -> dict[str, dict[str, str]]:
    """For each decision the ``group`` that it is shown in, and what it is called there.

    ``stage2.block.kernel`` is called ``block.kernel`` in the group ``stage2``; a name without a dot
    stands in a group of its own if other decisions belong to it, else in that of the whole network,
    which has no name.
    """
    found = {}
    stems = {re.sub(r"\d+$", "", name.partition(".")[0]) for name in names if "." in name}
    for name in names:
        group, dot, label = name.partition(".")
        if not dot:
            group, label = (name if name in stems else ""), name
        found[name] = {"group": group, "label": label}
    return found
