"""Presets against the figures that the papers print.

`hybrid_mobilenet.csv` copies Tables 4 to 6 of Enhanced Hybrid MobileNet. Its `macs_of` says what a
printed number of multiply-adds belongs to: the network itself, the network without its classifier,
the 10-class network printed in a 100-class row, or nothing that the paper's own architecture gives
(``inconsistent``).
"""

from __future__ import annotations

import csv
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from dse.cost import cost, cost_by_block
from dse.network import Network
from dse.presets import load_preset

# Where each number is printed: SPP-COVID-Net counts Keras' "total params", with running statistics.
SPP = "SPP-COVID-Net, Table II"
VISION = "torchvision's weights metadata"
FACTS: list[tuple[str, str, dict[str, Any], str, int]] = [
    (SPP, "spp-covid-net", {"classes": 3}, "params_with_buffers", 862_331),
    (SPP, "spp-covid-net", {"pools": 4, "input": "3x128x128"}, "params_with_buffers", 862_331),
    (SPP, "darkcovidnet", {"classes": 3}, "params_with_buffers", 1_167_363),
    (SPP, "squeezenet", {"classes": 3}, "params", 736_963),
    (SPP, "mobilenet-v1", {"classes": 3}, "params_with_buffers", 3_231_939),
    (SPP, "mobilenet-v2", {"classes": 3, "expand_first": True}, "params_with_buffers", 2_262_979),
    (
        *(SPP, "shufflenet-v1", {"classes": 3, "groups": 8, "group_first": True}),
        *("params_with_buffers", 939_531),
    ),
    *(
        ("ShuffleNet, Table 1", "shufflenet-v1", {"classes": 3, "groups": g}, "params", params)
        for g, params in ((1, 956_667), (2, 935_251), (3, 907_611), (4, 882_611), (8, 902_379))
    ),
    ("HL-CNN, Table II: 524M", "shufflenet-v1", {"alpha": 2.0}, "macs", 524_045_184),
    ("MobileNetV2, Table 4: 300M", "mobilenet-v2", {}, "macs", 300_774_272),
    (VISION, "mobilenet-v2", {}, "params", 3_504_872),
    (VISION, "mobilenet-v3-large", {}, "params", 5_483_032),
    (VISION, "mobilenet-v3-small", {}, "params", 2_542_856),
    (VISION, "googlenet", {"variant": "torchvision"}, "params", 6_624_904),
    (VISION, "resnet-18", {}, "params", 11_689_512),
    (VISION, "resnet-101", {}, "params", 44_549_160),
    (VISION, "resnet-152", {}, "params", 60_192_808),
    ("Rachha, Table 3: 7.6e9", "resnet-101", {"stride_at": "1x1"}, "macs", 7_570_194_432),
    ("Rachha, Table 3: 11.3e9", "resnet-152", {"stride_at": "1x1"}, "macs", 11_282_415_616),
    (VISION, "densenet-169", {}, "params", 14_149_480),
    (VISION, "densenet-201", {}, "params", 20_013_928),
    (VISION, "efficientnet-b0", {}, "params", 5_288_548),
    (VISION, "efficientnet-b4", {}, "params", 19_341_616),
    (VISION, "efficientnet-b7", {}, "params", 66_347_960),
    (VISION, "vgg-19-bn", {}, "params", 143_678_248),
    (VISION, "squeezenet", {"classes": 1000}, "params", 1_248_424),
    (VISION, "squeezenet-1.1", {"classes": 1000}, "params", 1_235_496),
    ("torch's FlopCounterMode", "squeezenet-1.1", {"classes": 1000}, "macs", 349_151_936),
    ("HL-CNN, Table II: 569M", "mobilenet-v1", {"classes": 1000}, "macs", 568_740_352),
    ("HL-CNN, Table II: 310M", "hl-cnn", {"classes": 1000}, "macs", 310_132_352),
]


@pytest.mark.parametrize(("source", "name", "arguments", "quantity", "value"), FACTS)
def test_a_preset_counts_what_its_paper_prints(
    source: str, name: str, arguments: dict[str, Any], quantity: str, value: int
) -> None:
    assert getattr(cost(load_preset(name, **arguments)), quantity) == value, source


def test_squeezenet_has_no_running_statistics() -> None:
    assert cost(load_preset("squeezenet")).buffers == 0


ROWS = list(csv.DictReader(Path(__file__).with_name("hybrid_mobilenet.csv").open(encoding="utf-8")))


def row_id(row: dict[str, str]) -> str:
    return "-".join(row[k] for k in ("table", "downsample", "alpha", "delta", "classes"))


def network_of(row: dict[str, str], classes: str = "") -> Network:
    return load_preset(
        "hybrid-mobilenet",
        alpha=float(row["alpha"]),
        delta=int(row["delta"]),
        downsample=row["downsample"],
        classes=int(classes or row["classes"]),
    )


def prints_as(value: int, printed: str) -> bool:
    """Whether so many millions are the printed text, cut off or rounded: the paper does either."""
    millions = Decimal(value) / 1_000_000
    digits = Decimal(printed)
    return digits in {millions.quantize(digits, way) for way in (ROUND_DOWN, ROUND_HALF_UP)}


def test_the_table_of_facts_is_whole() -> None:
    assert len(ROWS) == 38
    told = [row["macs_of"] for row in ROWS]
    assert [told.count(w) for w in ("without classifier", "10 classes")] == [1, 3]


@pytest.mark.parametrize("row", ROWS, ids=row_id)
def test_hybrid_mobilenet_parameters(row: dict[str, str]) -> None:
    counted = cost(network_of(row)).params_with_buffers
    assert counted == int(row["params_exact"])
    assert prints_as(counted, row["params"])


@pytest.mark.parametrize("row", [r for r in ROWS if r["macs_of"] == "itself"], ids=row_id)
def test_hybrid_mobilenet_macs(row: dict[str, str]) -> None:
    counted = cost(network_of(row)).macs
    assert counted == int(row["macs_exact"])
    assert prints_as(counted, row["macs"])


@pytest.mark.parametrize("row", [r for r in ROWS if r["macs_of"] == "10 classes"], ids=row_id)
def test_hybrid_mobilenet_macs_printed_for_ten_classes(row: dict[str, str]) -> None:
    counted = cost(network_of(row, classes="10")).macs
    assert counted == int(row["macs_exact"])
    assert prints_as(counted, row["macs"])
    assert not prints_as(cost(network_of(row)).macs, row["macs"])


@pytest.mark.parametrize(
    "row", [r for r in ROWS if r["macs_of"] == "without classifier"], ids=row_id
)
def test_hybrid_mobilenet_macs_printed_without_classifier(row: dict[str, str]) -> None:
    *body, last = cost_by_block(network_of(row))
    assert last.name == "classifier"
    assert prints_as(sum(part.cost.macs for part in body), row["macs"])
    assert not prints_as(cost(network_of(row)).macs, row["macs"])


@pytest.mark.parametrize("row", [r for r in ROWS if r["macs_of"] == "inconsistent"], ids=row_id)
def test_hybrid_mobilenet_macs_that_its_architecture_contradicts(row: dict[str, str]) -> None:
    counted = cost(network_of(row)).macs
    assert counted == int(row["macs_exact"])
    assert not prints_as(counted, row["macs"])


TABLE_5 = [r for r in ROWS if (r["table"], r["classes"]) == ("5", "10")]


@pytest.mark.parametrize("row", TABLE_5, ids=row_id)
def test_table_5_counts_the_stem_at_half_its_positions(row: dict[str, str]) -> None:
    """The contradiction of the CIFAR-10 rows: 32 alpha x 3 x 9 weights at 512 positions fewer."""
    missing = int(32 * float(row["alpha"])) * 27 * 512
    assert prints_as(cost(network_of(row)).macs - missing, row["macs"])
