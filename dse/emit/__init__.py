"""Emission: a network as source code that a careful person could have written."""

from dse.emit.module import emit

__all__ = ["emit"]
