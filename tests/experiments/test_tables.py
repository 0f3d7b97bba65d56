"""The papers' tables, and what they are printed as."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from dse.cost import cost
from dse.errors import DataError, UnknownName
from dse.experiments import Cell, Experiment, open_experiment
from dse.experiments.render import render
from dse.experiments.tables import shown
from tests.experiments.conftest import CLASSES, PAPER, over_folds, write_experiment


def test_accuracies_by_fold_as_in_spp_covid_nets_table(paper: Experiment) -> None:
    table = paper.table("folds")
    assert table.header == [
        "model",
        "total parameters",
        *(f"fold {i}" for i in range(5)),
        "mean",
        "variance",
        "std",
        "95 % interval",
    ]
    spp = next(row for row in table.cells if row[0] == "spp-covid-net")
    assert spp[2:7] == ["0.957", "0.943", "0.943", "0.950", "0.938"]
    assert spp[7:10] == ["0.946", "5.47e-05", "0.0074"]
    network = paper.plan.model("spp-covid-net").network
    assert spp[1] == f"{cost(network).params_with_buffers:,}"


def test_an_interval_of_accuracy_stays_between_0_and_1(paper: Experiment) -> None:
    table = paper.table("folds")
    for row in table.rows:
        low, high = row[-1]  # type: ignore[misc]
        assert 0 <= low < high <= 1


def test_scores(paper: Experiment) -> None:
    table = paper.table("scores")
    assert table.header[1:] == [
        "accuracy", "balanced accuracy", "top-2 accuracy", "AUROC", "loss",
    ]  # fmt: skip
    assert table.cells[0] == ["mobilenet-v1", "0.903", "0.893", "0.943", "0.933", "0.097"]


def test_a_classification_report_by_hand(tmp_path: Path) -> None:
    """0.75 of 40 images, the first 30 of 10 covid, 10 normal, 20 pneumonia: the ten pneumonia
    images that are missed are taken for covid.
    """
    experiment = write_experiment(tmp_path / "x", {"a": {(0, 0): 0.75}})
    assert experiment.table("classes:a").rows == (
        ("covid", 0.5, 1.0, pytest.approx(2 / 3), 10),
        ("normal", 1.0, 1.0, 1.0, 10),
        ("pneumonia", 1.0, 0.5, pytest.approx(2 / 3), 20),
    )
    assert experiment.table("confusion:a").rows == (
        ("covid", 10, 0, 0),
        ("normal", 0, 10, 0),
        ("pneumonia", 10, 0, 10),
    )


def test_class_reports_add_up_the_folds(paper: Experiment) -> None:
    table = paper.table("classes:squeezenet")
    assert [row[4] for row in table.rows] == [50, 50, 100]
    assert table.note == "Added up over 5 trainings."


def test_a_class_never_claimed_has_no_precision_by_zero(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path / "x", {"a": {(0, 0): 0.25}})
    assert experiment.table("classes:a").rows[2][1:4] == (0.0, 0.0, 0.0)


def test_costs(paper: Experiment) -> None:
    table = paper.table("costs")
    row = dict(zip(table.header, table.cells[0], strict=True))
    spent = cost(paper.plan.models[0].network)
    assert row["parameters"] == f"{spent.params:,}"
    assert row["MACs"] == f"{spent.macs:,}"
    assert row["file, MB"] == "2.00"
    assert (row["median, ms"], row["95th percentile, ms"]) == ("1.25", "1.5")
    assert row["energy, mJ"] == "not available"
    assert row["mIoU"] == "0.803"
    assert "onnxruntime 1.18, 1 thread" in table.note


def test_energy_where_the_machine_counts_it(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path / "x", {"a": {(0, 0): 0.9}, "metered": {(0, 0): 0.9}})
    table = experiment.table("costs")
    at = table.header.index("energy, mJ")
    assert [row[at] for row in table.cells] == ["not available", "7.5"]


def test_one_training_shows_a_value_and_its_own_interval(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path / "x", {"a": {(None, 0): 0.75}})
    table = experiment.table("metrics:a")
    assert table.header == ["metric", "value", "95 % interval"]
    assert table.cells[0] == ["accuracy", "0.750", "0.700 to 0.800"]
    assert table.cells[-1] == ["loss", "0.250", "–"]


def test_several_seeds_of_several_folds_are_averaged(tmp_path: Path) -> None:
    scores = {(fold, seed): 0.8 + 0.1 * seed for fold in range(2) for seed in range(2)}
    table = write_experiment(tmp_path / "x", {"a": scores}).table("folds")
    assert table.cells[0][2:5] == ["0.850", "0.850", "0.850"]
    assert table.note.startswith("Each fold is the mean of 2 seeds.")


def test_an_unknown_table(paper: Experiment) -> None:
    with pytest.raises(UnknownName, match="no table of paper is called 'fold'; did you mean"):
        paper.table("fold")


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (None, "score", "–"),
        ("not available", "millijoules", "not available"),
        (0.9456, "score", "0.946"),
        (5.47e-05, "tiny", "5.47e-05"),
        (0.0004, "p", "< 0.001"),
        (0.0625, "p", "0.062"),
        (862331, "count", "862,331"),
        (3_449_324, "megabytes", "3.45"),
        ((0.9, 0.95), "interval", "0.900 to 0.950"),
    ],
)
def test_how_values_are_written(value: Any, kind: Any, text: str) -> None:
    assert shown(value, kind) == text


# -- reading


def test_reading_an_experiment(paper: Experiment) -> None:
    assert paper.name == "paper"
    assert len(paper.cells) == len(paper.finished) == 20
    assert paper.pending == []
    assert paper.folds == [0, 1, 2, 3, 4]
    assert paper.cells[:4] == [Cell(name, 0, 0) for name in PAPER]  # one fold after the other


def test_cells_that_have_not_ended(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path / "x", {"a": over_folds(0.9, 0.8), "b": {(0, 0): 0.7}})
    assert experiment.pending == [Cell("b", 1, 0)]
    assert experiment.table("folds").cells[1][2:4] == ["0.700", "–"]
    assert "1 of 4 trainings have not ended yet" in render(experiment, "md")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"model": "a", "fold": 0, "seed": 0}', "{"])
def test_a_damaged_result_is_named(paper: Experiment, text: str) -> None:
    path = paper.folder / paper.cells[0].folder / "result.json"
    path.write_text(text)
    with pytest.raises(DataError, match=re.escape(str(path))):
        open_experiment(paper.folder)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"plan": {}}', "{"])
def test_a_damaged_experiment_is_named(paper: Experiment, text: str) -> None:
    path = paper.folder / "experiment.json"
    path.write_text(text)
    with pytest.raises(DataError, match=re.escape(str(path))):
        open_experiment(paper.folder)


def test_no_experiment(paper: Experiment) -> None:
    with pytest.raises(UnknownName, match="did you mean 'paper'"):
        open_experiment(paper.folder.with_name("papers"))


# -- forms


def test_the_document_is_json_and_raw(paper: Experiment) -> None:
    document = json.loads(json.dumps(paper.document(), allow_nan=False))
    assert document["complete"]
    assert document["reading"].startswith("No difference")
    assert len(document["cells"]) == 20
    assert document["cells"][0]["metrics"]["accuracy"] == 0.912
    assert document["tables"]["folds"]["rows"][0][2] == 0.912
    assert {pair["told"] for pair in document["pairs"]} == {False}


def test_csv_can_be_read_back(paper: Experiment) -> None:
    rows = list(csv.reader(io.StringIO(render(paper, "csv"))))
    assert rows[0] == ["Accuracy by fold"]
    header, first = rows[1], rows[2]
    assert header[-2:] == ["95 % interval, low", "95 % interval, high"]
    row = dict(zip(header, first, strict=True))
    assert float(row["fold 0"]) == 0.912
    assert float(row["variance"]) == pytest.approx(0.0006283)
    titles = [rows[i + 1][0] for i, row in enumerate(rows) if not row]
    assert titles[:3] == ["Differences in accuracy", "Scores on the test images",
                          "What a network costs"]  # fmt: skip


def test_markdown_tables_are_whole(paper: Experiment) -> None:
    text = render(paper, "md")
    tables = re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE)
    assert len(tables) == 4 + len(PAPER)
    for table in tables:
        assert len({line.count("|") for line in table.splitlines()}) == 1
        assert table.splitlines()[1].replace("|", "").replace(" ", "").strip("-:") == ""
    assert text.count("\n\n\n") == 0


class _Page(HTMLParser):
    """Checks that tags close in order, and collects text and references."""

    VOID = frozenset({"meta", "link", "br", "img", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tables = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.tables += tag == "table"
        for name, value in attrs:
            assert value is not None
            if name == "id":
                self.ids.append(value)
            if name in ("href", "src"):
                self.links.append(value)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_sound_and_asks_for_nothing(paper: Experiment) -> None:
    page = _Page()
    text = render(paper, "html")
    page.feed(text)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert page.links
    assert all(link.startswith("#") and link[1:] in page.ids for link in page.links)
    assert page.tables == 1 + 4 + 2 * len(PAPER)
    assert "No difference in accuracy can be told from chance with 5 folds." in text
    assert "<script" not in text


def test_names_are_text_on_the_page(tmp_path: Path) -> None:
    experiment = write_experiment(
        tmp_path / "x",
        {"<b>a</b>|x": over_folds(0.9, 0.8), "b": over_folds("<i>nan</i>", 0.7)},
        note="<script>alert(1)</script>",
    )
    text = render(experiment, "html")
    for fragment in ("<b>a</b>", "<i>nan</i>", "<script>"):
        assert fragment not in text
    assert "&lt;b&gt;a&lt;/b&gt;" in text
    assert r"<b>a</b>\|x" in render(experiment, "md")


def test_synthetic_images_are_called_so(tmp_path: Path) -> None:
    real = write_experiment(tmp_path / "x", {"a": over_folds(0.9, 0.8)})
    drawn = write_experiment(tmp_path / "y", {"a": over_folds(0.9, 0.8)}, synthetic=True)
    for form in ("html", "md"):
        assert "Synthetic data." not in render(real, form)
        assert "Synthetic data." in render(drawn, form)


def test_what_diverged_is_named_with_its_reason(tmp_path: Path) -> None:
    experiment = write_experiment(
        tmp_path / "x", {"a": over_folds(0.9, 0.8), "b": over_folds("the loss is nan", 0.7)}
    )
    for form in ("html", "md"):
        assert "the loss is nan" in render(experiment, form)


def test_an_unknown_form(paper: Experiment) -> None:
    with pytest.raises(UnknownName, match="no format is called 'pdf'"):
        render(paper, "pdf")


def test_classes_are_those_of_the_data(paper: Experiment) -> None:
    assert paper.classes == CLASSES
