"""Designs and their source as files, in one folder and never over another design."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dse.atomic import write_atomically
from dse.emit import emit
from dse.errors import DataError, InvalidValue
from dse.explore.explorer import Explorer
from dse.network import Network


def check_name(asked: Mapping[str, Any]) -> str:
    """The name that is asked for; empty if the design's own will do.

    Raises:
        InvalidValue: it is no text.
    """
    name = asked.get("name", "")
    if not isinstance(name, str):
        raise InvalidValue(f"a design's name is a text, got {name!r}")
    return name.strip()


def save_design(explorer: Explorer, wanted: Mapping[str, Any], name: str) -> Path:
    """Write the design of some decisions as JSON, and return its path.

    Raises:
        InvalidDesign: there is no such network, or it may not be called so.
        InvalidValue: another design lies there under this name.
        DataError: the folder cannot be written.
    """
    network = _named(explorer, wanted, name)
    path = explorer.designs / f"{network.module_name}.json"
    return _write(path, network.to_json(), network.name)


def write_source(explorer: Explorer, wanted: Mapping[str, Any], name: str) -> Path:
    """Write the design's PyTorch source, and return its path; raises as `save_design`."""
    network = _named(explorer, wanted, name)
    path = explorer.designs / f"{network.module_name}.py"
    return _write(path, emit(network), network.name)


def _named(explorer: Explorer, wanted: Mapping[str, Any], name: str) -> Network:
    network = explorer.network(wanted)
    return network.replaced(name=name) if name else network


def _write(path: Path, text: str, name: str) -> Path:
    try:
        if path.exists() and path.read_text(encoding="utf-8") != text:
            raise InvalidValue(f"{path} exists and is another design; choose a name besides {name}")
        write_atomically(path, text)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {(error.strerror or '').lower()}") from None
    return path
