"""Which dse this is."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def dse_version() -> str:
    """The version of dse that is installed, or ``unknown`` in a bare checkout."""
    try:
        return version("dse")
    except PackageNotFoundError:
        return "unknown"
