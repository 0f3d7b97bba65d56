"""The sizes that the papers print, as they print them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One printed size.

    Attributes:
        paper: its short name.
        table: the table's number, or where else it stands.
        model: the network, by its preset's name.
        settings: what it was printed for: classes, input, multipliers.
        variant: further arguments of the preset, where the paper counted another form than the
            canonical one.
        quantity: params, macs or size_mb.
        printed: the digits.
        counted: what the paper counted: params, params_with_buffers, macs, ``macs without
            classifier``, ``macs of 10 classes``; ``unstated`` if its rule cannot be told.
        note: what there is to say about it.
    """

    paper: str
    table: str
    model: str
    settings: dict[str, Any]
    variant: dict[str, Any]
    quantity: str
    printed: str
    counted: str
    note: str


def figures() -> list[Figure]:
    """All printed sizes, in the order of the papers' tables."""
    text = files("dse.papers").joinpath("sizes.csv").read_text(encoding="utf-8")
    return [
        Figure(
            **{  # type: ignore[arg-type]
                **row,
                "settings": _settings(row["settings"]),
                "variant": _settings(row["variant"]),
            }
        )
        for row in csv.DictReader(text.splitlines())
    ]


def _settings(text: str) -> dict[str, Any]:
    return dict(_setting(pair) for pair in text.split())


def _setting(pair: str) -> tuple[str, Any]:
    name, _, value = pair.partition("=")
    if name in ("classes", "delta", "groups"):
        return name, int(value)
    if value in ("true", "false"):
        return name, value == "true"
    return name, float(value) if name == "alpha" else value
