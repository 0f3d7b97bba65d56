"""The papers' tables, of an experiment's results."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from dse.cost import cost
from dse.experiments.cell import METRICS
from dse.experiments.experiment import Experiment
from dse.experiments.pairs import LABELS, Pair
from dse.experiments.statistics import Test, estimate

Kind = Literal["text", "count", "score", "tiny", "p", "ms", "megabytes", "millijoules", "interval"]
Value = str | int | float | tuple[float, float] | None

NONE = "–"
NOT_AVAILABLE = "not available"
_CLOCKS = {"cpu": "time of the processor", "gpu": "time of the GPU", "wall": "time on the wall"}


@dataclass(frozen=True)
class Column:
    """A column's title and how its values are written."""

    title: str
    kind: Kind = "score"

    @property
    def numeric(self) -> bool:
        return self.kind != "text"


@dataclass(frozen=True)
class Table:
    """Rows of raw values, with what is needed to print them.

    Attributes:
        key: what other programs call it.
        title: what it shows.
        note: how to read it; may be empty.
        columns: as many as each row has values.
        rows: None is written as a dash.
    """

    key: str
    title: str
    note: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]

    @property
    def header(self) -> list[str]:
        return [column.title for column in self.columns]

    @property
    def cells(self) -> list[list[str]]:
        """The rows as people read them."""
        return [
            [shown(value, column.kind) for value, column in zip(row, self.columns, strict=True)]
            for row in self.rows
        ]

    def document(self) -> dict[str, object]:
        """The table as JSON, its values raw."""
        return {
            "title": self.title,
            "note": self.note,
            "columns": self.header,
            "rows": [list(row) for row in self.rows],
        }


def shown(value: Value, kind: Kind) -> str:
    """A value as people read it."""
    if value is None or isinstance(value, str):
        return NONE if value is None else value
    if isinstance(value, tuple):
        return "{:.3f} to {:.3f}".format(*value)
    match kind:
        case "count":
            return f"{value:,.0f}"
        case "tiny":
            return f"{value:.3g}"
        case "p":
            return "< 0.001" if value < 0.001 else f"{value:.3f}"
        case "megabytes":
            return f"{value / 1e6:.2f}"
        case "ms" | "millijoules":
            return f"{value:.3g}"
        case _:
            return f"{value:.3f}"


def tables(experiment: Experiment) -> dict[str, Table]:
    """All tables of the models that have a finished training."""
    names = [model.name for model in experiment.plan.models if any(experiment.of(model.name))]
    found = [_folds(experiment, names), _scores(experiment, names), _costs(experiment, names)]
    for name in names:
        found += [_metrics(experiment, name), _classes(experiment, name)]
        found.append(_confusion(experiment, name))
    return {table.key: table for table in found}


def _folds(experiment: Experiment, names: Sequence[str]) -> Table:
    """As Table II of SPP-COVID-Net: a column for each fold, mean, variance, standard deviation."""
    return Table(
        "folds",
        f"Accuracy by {experiment.unit}" if len(_units(experiment)) > 1 else "Accuracy",
        _spread_note(experiment),
        (
            Column("model", "text"),
            Column("total parameters", "count"),
            *_spread(experiment, "accuracy"),
        ),
        tuple(
            (
                name,
                cost(experiment.plan.model(name).network).params_with_buffers,
                *_spread_of(experiment, name, "accuracy"),
            )
            for name in names
        ),
    )


def _scores(experiment: Experiment, names: Sequence[str]) -> Table:
    """As Rachha's first table: accuracy, AUROC and top-2 accuracy, with our other metrics."""
    metrics = [metric for metric in METRICS if metric != "miou"]
    return Table(
        "scores",
        "Scores on the test images",
        "Means over the trainings. AUROC is the mean of each class against the rest; top-2 "
        "accuracy counts an image as right if its class is among the two likeliest.",
        (Column("model", "text"), *(Column(LABELS[metric]) for metric in metrics)),
        tuple(
            (name, *(_mean(experiment.units(name, metric).values()) for metric in metrics))
            for name in names
        ),
    )


def _costs(experiment: Experiment, names: Sequence[str]) -> Table:
    """As Res-SqueezeNet's table: mIoU, inference and size, with parameters and multiply-adds."""
    rows = []
    for name in names:
        spent = cost(experiment.plan.model(name).network)
        taken = experiment.inference.get(name, {})
        latency, energy = taken.get("latency", {}), taken.get("energy")
        files = [experiment.weights(result.cell) for result in experiment.of(name)]
        size = next((file.stat().st_size for file in files if file.exists()), None)
        rows.append(
            (
                name,
                spent.params,
                spent.params_with_buffers,
                spent.macs,
                size,
                latency.get("median_ms"),
                latency.get("p95_ms"),
                NOT_AVAILABLE if energy is None else energy["millijoules"],
                _mean(experiment.units(name, "miou").values()),
            )
        )
    notes = sorted(
        {
            f"{taken['device']}, {taken['latency']['note']}, "
            f"by the {_CLOCKS[taken['latency'].get('clock', 'wall')]}"
            for taken in experiment.inference.values()
        }
    )
    return Table(
        "costs",
        "What a network costs",
        "MACs are multiply-adds of one image, which papers print as FLOPs too; strictly, FLOPs are "
        "twice as many. The file is that of the weights in float32."
        + "".join(f" Inference of one image at a time: {note}." for note in notes),
        (
            Column("model", "text"),
            Column("parameters", "count"),
            Column("with buffers", "count"),
            Column("MACs", "count"),
            Column("file, MB", "megabytes"),
            Column("median, ms", "ms"),
            Column("95th percentile, ms", "ms"),
            Column("energy, mJ", "millijoules"),
            Column("mIoU"),
        ),
        tuple(rows),
    )


def _metrics(experiment: Experiment, name: str) -> Table:
    """Every metric of one model over the folds."""
    return Table(
        f"metrics:{name}",
        f"{name} on the test images",
        _spread_note(experiment),
        (Column("metric", "text"), *_spread(experiment, "value")),
        tuple((LABELS[metric], *_spread_of(experiment, name, metric)) for metric in METRICS),
    )


def _classes(experiment: Experiment, name: str) -> Table:
    """As Rachha's classification reports: precision, recall, F1 and support by class."""
    confusion = _pooled(experiment, name)
    rows: list[tuple[Value, ...]] = []
    for i, label in enumerate(experiment.classes):
        hits = confusion[i][i]
        support = sum(confusion[i])
        claimed = sum(row[i] for row in confusion)
        rows.append(
            (
                label,
                hits / claimed if claimed else 0.0,
                hits / support if support else 0.0,
                2 * hits / (claimed + support) if claimed + support else 0.0,
                support,
            )
        )
    columns = ("precision", "recall", "F1")
    return Table(
        f"classes:{name}",
        f"{name} by class",
        _pooled_note(experiment, name),
        (
            Column("class", "text"),
            *(Column(column) for column in columns),
            Column("support", "count"),
        ),
        tuple(rows),
    )


def _confusion(experiment: Experiment, name: str) -> Table:
    return Table(
        f"confusion:{name}",
        f"{name}: what classes are taken for",
        _pooled_note(experiment, name),
        (
            Column("true, taken for", "text"),
            *(Column(label, "count") for label in experiment.classes),
        ),
        tuple(
            (label, *row)
            for label, row in zip(experiment.classes, _pooled(experiment, name), strict=True)
        ),
    )


def pairs_table(experiment: Experiment, compared: Sequence[Pair], metric: str, test: Test) -> Table:
    """The paired tests."""
    named = {
        "t": "corrected resampled t-test (Nadeau and Bengio 2003)",
        "wilcoxon": "Wilcoxon's signed-rank test",
    }[test]
    return Table(
        "pairs",
        f"Differences in {LABELS[metric]}",
        f"Paired over the same {experiment.unit}s: {named}, p-values corrected for "
        f"{len(compared)} pair{'' if len(compared) == 1 else 's'} by Holm. A difference is called "
        "one from 0.05 down. The interval, 95 % by the corrected variance, is of that pair alone.",
        (
            Column("better", "text"),
            Column("than", "text"),
            Column("by"),
            Column("95 % interval", "interval"),
            Column("p", "p"),
            Column("p, corrected", "p"),
            Column("told from chance", "text"),
        ),
        tuple(
            (
                pair.first,
                pair.second,
                pair.difference,
                pair.interval,
                pair.p_value,
                pair.corrected,
                "yes" if pair.told else "no",
            )
            for pair in compared
        ),
    )


def _spread(experiment: Experiment, single: str) -> tuple[Column, ...]:
    """Columns of a metric over the units: each, their mean and how they scatter."""
    units = _units(experiment)
    if len(units) == 1:
        return Column(single), Column("95 % interval", "interval")
    return (
        *(Column(f"{experiment.unit} {unit}") for unit in units),
        Column("mean"),
        Column("variance", "tiny"),
        Column("std", "tiny"),
        Column("95 % interval", "interval"),
    )


def _spread_of(experiment: Experiment, name: str, metric: str) -> tuple[Value, ...]:
    """A model's values for the columns of `_spread`."""
    units = _units(experiment)
    by_unit = experiment.units(name, metric)
    trained = list(experiment.of(name))
    result = estimate(list(by_unit.values()), experiment.test_share) if by_unit else None
    interval = result.interval if result else None
    if len(trained) == 1:
        # What other images would have made of it is all that is known.
        interval = trained[0].intervals.get(metric)
    if interval is not None and metric != "loss":
        interval = (max(interval[0], 0.0), min(interval[1], 1.0))
    values = [by_unit.get(unit) for unit in units]
    if len(units) == 1:
        return *values, interval
    if result is None:
        return *values, None, None, None, None
    return *values, result.mean, result.variance, result.deviation, interval


def _units(experiment: Experiment) -> list[int | None]:
    return list(experiment.folds if experiment.unit == "fold" else experiment.plan.seeds)


def _spread_note(experiment: Experiment) -> str:
    units, seeds = len(_units(experiment)), len(experiment.plan.seeds)
    if units == 1:
        return "One training: the interval is that of the test images alone."
    note = (
        f"Variance and standard deviation are those of a sample, over the {experiment.unit}s; the "
        "interval is widened for what their training parts share (Nadeau and Bengio 2003)."
    )
    if experiment.unit == "seed":
        return (
            f"{note} All seeds have one test part: how other images would be scored is not in it."
        )
    return f"Each fold is the mean of {seeds} seeds. {note}" if seeds > 1 else note


def _pooled(experiment: Experiment, name: str) -> list[list[int]]:
    """The confusion counts of all trainings of a model, added up."""
    matrices = [result.confusion for result in experiment.of(name)]
    return [
        [sum(cells) for cells in zip(*rows, strict=True)] for rows in zip(*matrices, strict=True)
    ]


def _pooled_note(experiment: Experiment, name: str) -> str:
    count = sum(1 for _ in experiment.of(name))
    return "" if count == 1 else f"Added up over {count} trainings."


def _mean(values: Collection[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None
