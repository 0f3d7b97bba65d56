"""The papers' printed sizes beside ours, against a table made by hand."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from dse.papers import comparisons, figures
from dse.papers.compare import _judge
from dse.presets import preset_names

# paper, table, model, part of the settings, quantity -> printed, computed, status. By hand, from
# the papers and from counting; not from the code.
EXPECTED = {
    ("spp-covid-net", "II", "mobilenet-v1", "", "params"): ("3,231,939", 3_231_939, "exact"),
    ("spp-covid-net", "II", "mobilenet-v2", "", "params"): ("2,262,979", 2_262_979, "exact"),
    ("spp-covid-net", "II", "shufflenet-v1", "", "params"): ("939,531", 939_531, "exact"),
    ("hl-cnn", "II", "shufflenet-v1", "", "macs"): ("524M", 524_045_184, "unknown"),
    ("rachha-2020", "3", "resnet-101", "", "macs"): ("7.6e+09", 7_570_194_432, "unknown"),
    ("spp-covid-net", "II", "squeezenet", "", "params"): ("736,963", 736_963, "exact"),
    ("spp-covid-net", "II", "darkcovidnet", "", "params"): ("1,167,363", 1_167_363, "exact"),
    ("spp-covid-net", "II", "spp-covid-net", "", "params"): ("862,331", 862_331, "exact"),
    ("spp-covid-net", "conclusion", "spp-covid-net", "", "params"): (
        *("862,231", 862_331, "inconsistent"),
    ),
    ("hl-cnn", "II", "mobilenet-v1", "", "macs"): ("569M", 568_740_352, "rounds"),
    ("hl-cnn", "II", "hl-cnn", "", "macs"): ("310M", 310_132_352, "rounds"),
    ("hl-cnn", "II", "squeezenet", "", "macs"): ("833M", 818_924_576, "unknown"),
    ("enhanced-hybrid-mobilenet", "4", "hybrid-mobilenet", "1.0 2 stride 10", "params"): (
        *("6.44", 6_443_178, "rounds"),
    ),
    ("enhanced-hybrid-mobilenet", "4", "hybrid-mobilenet", "1.0 2 stride 10", "macs"): (
        *("22.96", 22_961_152, "rounds"),
    ),
    ("enhanced-hybrid-mobilenet", "4", "hybrid-mobilenet", "1.0 1 stride 10", "macs"): (
        *("11.58", 11_586_048, "rounds"),
    ),
    ("enhanced-hybrid-mobilenet", "4", "hybrid-mobilenet", "1.0 2 stride 100", "macs"): (
        *("22.97", 23_053_312, "inconsistent"),
    ),
    ("enhanced-hybrid-mobilenet", "5", "hybrid-mobilenet", "1.0 2 maxpool3 10", "params"): (
        *("6.44", 6_443_178, "rounds"),
    ),
}  # fmt: skip

# Table, classes, quantity: how many rows have which status.
HYBRID = {
    ("4", 10, "params"): {"rounds": 7},
    ("4", 10, "macs"): {"rounds": 7},
    ("4", 100, "params"): {"rounds": 7},
    ("4", 100, "macs"): {"rounds": 4, "inconsistent": 3},
    ("5", 10, "params"): {"rounds": 6},
    ("5", 10, "macs"): {"inconsistent": 6},
    ("5", 100, "params"): {"rounds": 6},
    ("5", 100, "macs"): {"rounds": 0, "inconsistent": 6},
    ("6", 10, "params"): {"rounds": 6},
    ("6", 10, "macs"): {"rounds": 5, "inconsistent": 1},
    ("6", 100, "params"): {"rounds": 6},
    ("6", 100, "macs"): {"rounds": 5, "inconsistent": 1},
}


@pytest.fixture(scope="module")
def document() -> Any:
    return json.loads(json.dumps([row.document() for row in comparisons()]))


def short(settings: dict[str, Any]) -> str:
    return " ".join(
        str(settings[key])
        for key in ("alpha", "delta", "downsample", "classes")
        if "alpha" in settings
    )


def test_the_document_has_the_keys_programs_rely_on(document: Any) -> None:
    for row in document:
        assert list(row) == [
            *("paper", "table", "model", "settings", "quantity"),
            *("printed", "computed", "status", "note"),
        ]
        assert row["status"] in ("exact", "rounds", "inconsistent", "unknown")


@pytest.mark.parametrize("key", EXPECTED, ids=" ".join)
def test_figures_by_hand(document: Any, key: tuple[str, ...]) -> None:
    found = [
        (row["printed"], row["computed"], row["status"])
        for row in document
        if (row["paper"], row["table"], row["model"], short(row["settings"]), row["quantity"])
        == key
    ]
    assert found == [EXPECTED[key]]


@pytest.mark.parametrize("key", HYBRID, ids=str)
def test_hybrid_mobilenets_tables(document: Any, key: tuple[str, int, str]) -> None:
    table, classes, quantity = key
    statuses = [
        row["status"]
        for row in document
        if row["model"] == "hybrid-mobilenet"
        and (row["table"], row["settings"]["classes"], row["quantity"])
        == (table, classes, quantity)
    ]
    expected = [status for status, count in HYBRID[key].items() for _ in range(count)]
    assert sorted(statuses) == sorted(expected)


def test_only_an_unstated_rule_is_unknown(document: Any) -> None:
    for row, figure in zip(document, figures(), strict=True):
        assert (row["status"] == "unknown") == (figure.counted == "unstated"), row
        assert row["computed"] > 0, row


def test_every_preset_but_those_without_a_printed_size_is_compared(document: Any) -> None:
    """The others are compared by accuracy alone, in Rachha's tables."""
    by_accuracy = {
        *("densenet-169", "densenet-201", "vgg-19-bn"),
        *("efficientnet-b0", "efficientnet-b4", "efficientnet-b7"),
    }
    assert set(preset_names()) - {row["model"] for row in document} == by_accuracy


def test_whatever_does_not_agree_says_why(document: Any) -> None:
    for row in document:
        if row["status"] in ("inconsistent", "unknown"):
            assert row["note"], row


def test_a_figure_that_rounds_is_near(document: Any) -> None:
    """Independently of the rule: at most one unit in the last printed digit away."""
    for row in document:
        if row["status"] == "rounds":
            shown = Decimal(row["printed"].removesuffix("M"))
            unit = Decimal(1).scaleb(int(shown.as_tuple().exponent))
            assert abs(Decimal(row["computed"]) / 1_000_000 - shown) < unit, row


@pytest.mark.parametrize(
    ("printed", "computed", "status"),
    [
        ("736,963", 736_963, "exact"),
        ("736,963", 736_962, "inconsistent"),
        ("3.23", 3_239_999, "rounds"),  # cut off
        ("3.24", 3_235_000, "rounds"),  # rounded
        ("3.25", 3_239_999, "inconsistent"),
        ("569M", 568_740_352, "rounds"),
        ("569M", 570_000_001, "inconsistent"),
        ("12.0", 12_040_000, "rounds"),
        ("12.0", 12_100_000, "inconsistent"),
    ],
)
def test_the_rule(printed: str, computed: int, status: str) -> None:
    assert _judge(printed, computed) == status


def test_the_tables_are_read_once_each() -> None:
    keys = [
        (f.paper, f.table, f.model, tuple(sorted(f.settings.items())), f.quantity)
        for f in figures()
    ]
    assert len(keys) == len(set(keys)) == 97
