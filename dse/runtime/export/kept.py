"""The weights that a search has kept: those of its winner."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dse.errors import DataError, InvalidValue
from dse.network import Network
from dse.runs import open_run
from dse.runtime.export.formats import FRESH, Opened, open_file


@dataclass(frozen=True, eq=False)
class Kept:
    """A winner's ONNX file.

    Attributes:
        path: the file.
        opened: what is in it.
        options: those of the search: its data set, image size, seed and fold.
    """

    path: Path
    opened: Opened
    options: dict[str, Any]


def kept_for(name: str, network: Network) -> Kept | None:
    """What the run of ``RUN#TRIAL`` has kept of that trial's weights, if `network` is its design.

    None for other names, for trials that did not win, whose weights no run keeps, and where the
    winner's files are gone or nothing was trained.
    """
    run_name, sharp, number = name.rpartition("#")
    if not sharp:
        return None
    settings = open_run(run_name).settings
    if number not in ("winner", str(settings.get("winner"))):
        return None
    paths = [Path(path) for path in settings.get("generated", ()) if path.endswith(".onnx")]
    for path in paths:
        try:
            opened = open_file(path)
        except (DataError, InvalidValue):
            continue
        ours = opened.metadata["digest"] == network.digest and opened.weights is not None
        if ours and FRESH.items() - opened.metadata.items():
            return Kept(path, opened, settings.get("options", {}))
    return None
