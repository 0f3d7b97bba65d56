"""Run benchmarks by name, without one all but the long ones."""

from __future__ import annotations

import sys
from importlib import import_module

from benchmarks.text import machine

BENCHMARKS = (
    "cost",
    "cost_in_search",
    "sweep",
    "start",
    "explore",
    "search_overhead",
    "emitted",
    "to_onnx",
    "memory",
    "trial",
)
LONG = ("proposals", "samplers", "samplers_others", "searches", "latency")
"""Run only if they are asked for: up to hours."""


def main() -> None:
    """Print the tables of the benchmarks named on the command line."""
    names = sys.argv[1:] or list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS + LONG]
    if unknown:
        sys.exit(f"error: no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS + LONG)}")
    print(f"{machine()}\nmedian (lower quartile-upper quartile) over rounds in turn\n", flush=True)
    for name in names:
        import_module(f"benchmarks.{name}").main()
        sys.stdout.flush()


if __name__ == "__main__":
    main()
