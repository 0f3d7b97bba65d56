"""A comparison as Markdown, CSV and one self-contained HTML page."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from dse.errors import UnknownName
from dse.experiments.experiment import Experiment
from dse.experiments.pairs import LABELS, pairs, reading
from dse.experiments.statistics import Test, estimate
from dse.experiments.tables import Table, Value, pairs_table
from dse.resources import page_templates

FORMATS = ("md", "csv", "html")


def render(experiment: Experiment, form: str, metric: str = "accuracy", test: Test = "t") -> str:
    """The comparison as text of a form.

    Args:
        experiment: what is told.
        form: md, csv or html.
        metric: what models are compared by.
        test: the paired test.

    Raises:
        UnknownName: there is no such form.
    """
    if form not in FORMATS:
        raise UnknownName("format", form, FORMATS)
    shown = list(comparison(experiment, metric, test))
    return _csv(shown) if form == "csv" else _page(experiment, form, shown, metric, test)


def comparison(experiment: Experiment, metric: str, test: Test) -> Iterator[Table]:
    """The tables of a comparison, in the order in which they are read."""
    compared = pairs(experiment, metric, test)
    yield experiment.table("folds")
    if compared:
        yield pairs_table(experiment, compared, metric, test)
    yield experiment.table("scores")
    yield experiment.table("costs")
    for key, table in experiment.tables.items():
        if key.startswith("classes:"):
            yield table


def _csv(tables: list[Table]) -> str:
    """The tables one below the other, each under a line with its title; values unrounded."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    for number, table in enumerate(tables):
        if number:
            writer.writerow([])
        writer.writerow([table.title])
        header: list[str] = []
        for column in table.columns:
            split = column.kind == "interval"
            header += (
                [f"{column.title}, {end}" for end in ("low", "high")] if split else [column.title]
            )
        writer.writerow(header)
        for row in table.rows:
            cells: list[Value] = []
            for value, column in zip(row, table.columns, strict=True):
                if column.kind == "interval":
                    cells += value if isinstance(value, tuple) else (None, None)
                else:
                    cells.append(value)
            writer.writerow(["" if cell is None else cell for cell in cells])
    return text.getvalue()


def _page(experiment: Experiment, form: str, tables: list[Table], metric: str, test: Test) -> str:
    # The page looks as a search's report does.
    environment = page_templates("compare", "report", escape=form == "html")
    return environment.get_template(f"compare.{form}.j2").render(
        experiment=experiment,
        reading=reading(experiment, metric, test),
        label=LABELS[metric],
        tables=[table for table in tables if not table.key.startswith("classes:")],
        by_class=[table for table in tables if table.key.startswith("classes:")],
        confusion={
            key.partition(":")[2]: table
            for key, table in experiment.tables.items()
            if key.startswith("confusion:")
        },
        strips=_strips(experiment, metric),
        conditions=_conditions(experiment),
    )


def _strips(experiment: Experiment, metric: str) -> dict[str, Any] | None:
    """Where each model's units, mean and interval lie on one scale, in percent of its length."""
    values = {
        model.name: list(experiment.units(model.name, metric).values())
        for model in experiment.plan.models
    }
    values = {name: found for name, found in values.items() if found}
    if not values:
        return None
    low = min(min(found) for found in values.values())
    high = max(max(found) for found in values.values())
    margin = (high - low) * 0.1 or 0.05
    low, high = max(low - margin, 0.0), high + margin
    if metric != "loss":
        high = min(high, 1.0)

    def along(value: float) -> float:
        return round(100 * (min(max(value, low), high) - low) / (high - low), 2)

    rows: list[dict[str, Any]] = []
    for name, found in values.items():
        result = estimate(found, experiment.test_share)
        rows.append(
            {
                "name": name,
                "mean": f"{result.mean:.3f}",
                "at": along(result.mean),
                "units": [along(value) for value in found],
                "interval": result.interval and [along(end) for end in result.interval],
            }
        )
    rows.sort(key=lambda row: row["mean"], reverse=metric != "loss")
    return {"low": f"{low:.3f}", "high": f"{high:.3f}", "rows": rows}


def _conditions(experiment: Experiment) -> list[tuple[str, list[tuple[str, str]]]]:
    """Titled facts: what someone needs to do it again, and to doubt it."""
    plan, data = experiment.plan, experiment.data
    machine = experiment.settings["machine"]
    recipe = plan.recipe.model_dump(mode="json", exclude_defaults=True, exclude={"about", "ours"})
    augment = recipe.pop("augment", {})
    parts = data["parts"]
    trained = [part["train"] for part in parts]
    tested = [part["test"] for part in parts]
    facts: list[tuple[str, dict[str, Any]]] = [
        (
            "Data",
            {
                "data set": data["name"],
                "content hash": data["digest"],
                "synthetic": data["synthetic"],
                "images": data["images"],
                "classes": ", ".join(data["classes"]),
                "folds": len(parts),
                "training images": _range(trained),
                "test images": _range(tested),
                "split by patient": parts[0]["grouped"],
            },
        ),
        (
            "Training",
            {
                "recipe": recipe.pop("name", "custom"),
                "image size": plan.image_size,
                "seeds": ", ".join(map(str, plan.seeds)),
                "layers that learn": plan.tune,
                **recipe,
                **{f"augment: {key}": value for key, value in augment.items()},
            },
        ),
        ("Machine", {"dse": experiment.settings["dse"], **machine}),
    ]
    return [
        (title, [(key.replace("_", " "), _plain(value)) for key, value in group.items()])
        for title, group in facts
    ]


def _range(numbers: list[int]) -> str:
    low, high = min(numbers), max(numbers)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
