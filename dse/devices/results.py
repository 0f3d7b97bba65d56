"""From the results of a pack to a device profile."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dse.devices import runner
from dse.devices.observe import FREE, observed, seen_layout
from dse.errors import DseError, InvalidValue
from dse.latency.kernel import Kernel
from dse.latency.kernels import kernels, network_kernels
from dse.latency.layout import Layout
from dse.latency.profile import KernelTime, NetworkTime, Profile, slug
from dse.network import read_network

DEVICE, DTYPE = "onnxruntime-cpu", "float32"


def import_results(path: Path, name: str | None = None) -> Profile:
    """The profile of the machine that wrote these results; `name` is made of it if not given.

    Raises:
        InvalidValue: the file cannot be read, is damaged or empty, or of another format version.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidValue(
            f"{path} cannot be read: {(error.strerror or str(error)).lower()}"
        ) from None
    except ValueError as error:
        raise InvalidValue(f"{path} must be the JSON of a pack's runner, but {error}") from None
    found = document.get("format") if isinstance(document, dict) else None
    if found != runner.FORMAT:
        raise InvalidValue(
            f"{path} must be a pack's results of format {runner.FORMAT}, got format {found}; "
            "pack and run again with this version of dse"
        )
    try:
        return _profile(document, name)
    except (KeyError, TypeError, IndexError, ValueError, StopIteration) as error:
        problem = f"{type(error).__name__}: {error}"
        raise InvalidValue(f"{path} holds damaged results: {problem}") from None
    except DseError as error:
        raise InvalidValue(f"{path}: {error}") from None


def _profile(document: dict[str, Any], name: str | None) -> Profile:
    graphs = [graph for graph in document["graphs"] if graph["rounds"]]
    probes = [graph for graph in graphs if graph["role"] == "probe"]
    if not probes or len(graphs) == len(probes):
        raise InvalidValue("results must hold measured graphs, got none")
    layout = seen_layout(probes[0]["rounds"][0])
    machine = document["machine"]
    parts = [graph for graph in graphs if graph["role"] == "kernels"]
    return Profile(
        name=name or slug(machine["cpu"], DEVICE),
        device=DEVICE,
        cpu=machine["cpu"],
        cores=machine["cores"],
        system=machine["system"],
        libraries=machine["libraries"],
        threads=document["threads"],
        dtype=DTYPE,
        date=document["date"],
        layout=layout,
        rounds=document["rounds"],
        profiler_us=_profiler_us(parts),
        kernels=_kernel_times(parts, layout),
        networks=tuple(
            _network_time(graph, layout) for graph in graphs if graph["role"] == "whole"
        ),
    )


def _profiler_us(graphs: list[dict[str, Any]]) -> float:
    """What the profiler adds to a kernel: all that it shows for what does nothing."""
    shown = [
        float(event["dur"])
        for graph in graphs
        for events in graph["rounds"]
        for event in events
        if event["args"]["op_name"] in FREE
    ]
    return statistics.median(shown)


def _kernel_times(graphs: list[dict[str, Any]], layout: Layout) -> tuple[KernelTime, ...]:
    """One row per kernel, whatever network it was seen in. What no kernel is known for is left
    out: the constants of the model, which whole networks fix, make up for it.
    """
    times: dict[Kernel, list[float]] = {}
    for graph in graphs:
        expected = kernels(read_network(graph["design"]).lower(), layout)
        for events in graph["rounds"]:
            for kernel, us in observed(events, expected, layout).times:
                times.setdefault(kernel, []).append(us)
    rows = [(kernel, *_middle(values), len(values)) for kernel, values in times.items()]
    return tuple(KernelTime(*row) for row in rows if row[1] > 0)


def _network_time(graph: dict[str, Any], layout: Layout) -> NetworkTime:
    network = read_network(graph["design"])
    counted = Counter(kernel for part in network_kernels(network, layout) for kernel in part)
    times = [float(ms) for ms in graph["rounds"]]
    return NetworkTime(
        f"{network.name} {network.digest}", *_middle(times), len(times), tuple(counted.items())
    )


def _middle(values: Sequence[float]) -> tuple[float, float]:
    """The median, and the part of it within which half of the values lie."""
    median = statistics.median(values)
    return median, statistics.median(abs(value - median) for value in values) / (median or 1)
