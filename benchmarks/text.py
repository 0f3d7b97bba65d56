"""Tables and facts on stdout."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns: the first to the left, the others to the right."""
    lines = [list(header), *map(list, rows)]
    wide = [max(len(line[i]) for line in lines) for i in range(len(header))]
    for line in lines:
        first, *others = (
            cell.rjust(w) if i else cell.ljust(w)
            for i, (cell, w) in enumerate(zip(line, wide, strict=True))
        )
        print("  ".join([first, *others]).rstrip())
    print()


def ms(seconds: float) -> str:
    """Milliseconds, to three digits."""
    value = 1000 * seconds
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.3f}"


def machine() -> str:
    """What the figures were measured on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    packages = ("torch", "ptflops", "torchinfo", "optuna", "onnx", "pydantic")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{cores} cores, {platform.machine()} {platform.system()}{load}; "
        f"Python {platform.python_version()}, {versions}"
    )
