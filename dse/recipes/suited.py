"""What a data set forbids a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_UNMIRRORED = {"digits"}
"""Data sets whose classes a mirror changes: a mirrored 2 is no 2."""


def suited(changes: Mapping[str, Any], dataset: str) -> dict[str, Any]:
    """Changes of a recipe, with those that the data set calls for where they say nothing else."""
    if dataset not in _UNMIRRORED:
        return dict(changes)
    still = {"horizontal_flip": False, "vertical_flip": False}
    augment = changes.get("augment", {})
    return {**changes, "augment": {**still, **augment} if isinstance(augment, Mapping) else augment}
