"""Time ONNX graphs on this machine, kernel by kernel and as a whole.

    python runner.py [FOLDER] [--minutes 8] [--threads 1]

Reads ``pack.json`` and ``graphs.zip`` in FOLDER (by default where this file lies) and writes
``results.json`` beside them. Needs onnxruntime, numpy and the standard library alone: the file is
copied to the machine that is to be measured.

A lot of graphs is open at a time. They are run in short slices, in another order each round, and
after a while the next lot follows; all lots have their turn several times, and sit elsewhere in
memory each time. So what else the machine does falls on all graphs alike: its moods change within a
second, and one long look at a graph would tell less than many short ones. Graphs that stand for
their kernels run under ONNX Runtime's profiler, those that stand for themselves run without it, by
the processor's time.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime

try:
    from dse.devices.machine import this_machine
except ImportError:  # elsewhere it lies beside this file
    from machine import this_machine  # type: ignore[import-not-found, no-redef]

FORMAT = 1
PACK, GRAPHS, RESULTS = "pack.json", "graphs.zip", "results.json"

INTERRUPTED = 130

_PASSES = 3
"""Turns of each graph, if there is time."""

_LOT = 40
_LOT_BYTES = 3e8
"""Graphs that are open at a time, and the bytes of their models."""

_WARM_UP, _LEAST_RUNS = 1, 3
"""Of a slice: runs that do not count, and such as do."""

_PROFILED, _TIMED = 0.02, 0.015
"""Seconds of a slice, if that gives the least number of runs."""

_BURST, _REST = 0.003, 0.001
"""Seconds of running under the profiler between seconds of rest: a process that rests now and then
is not interrupted in between, where others wait for the processor. The processor's time needs none,
and is a little longer after each."""

Graph = dict[str, Any]
"""A graph of the pack, with what each of its rounds gave."""

Clock = Literal["processor", "wall"]

Progress = Callable[[float], None]
"""Told the share of the work that is done."""


def main() -> None:
    """Measure a folder; ends with 130 if it was interrupted before each graph had its turn."""
    here = Path(__file__).parent
    parser = argparse.ArgumentParser(description="Time the ONNX graphs of a pack.")
    parser.add_argument("folder", nargs="?", type=Path, default=here, help="what holds pack.json")
    parser.add_argument("--minutes", type=float, default=8.0, help="how long to go on")
    parser.add_argument("--threads", type=int, default=1, help="threads of ONNX Runtime")
    asked = parser.parse_args()
    results = measure(asked.folder, 60 * asked.minutes, asked.threads, _line(time.monotonic()))
    if results is None:
        print("interrupted before every graph had its turn: nothing is kept", file=sys.stderr)
        sys.exit(INTERRUPTED)
    path = asked.folder / RESULTS
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(results), encoding="utf-8")
    os.replace(draft, path)
    print(f"{path}: {results['rounds']} rounds", flush=True)


def _line(began: float) -> Progress:
    """A line whenever another percent is done."""
    last = -1

    def show(done: float) -> None:
        nonlocal last
        percent = min(int(100 * done), 100)
        if percent > last:
            last = percent
            print(f"{percent} % after {time.monotonic() - began:.0f} s", flush=True)

    return show


def measure(
    folder: Path, seconds: float, threads: int, progress: Progress
) -> dict[str, Any] | None:
    """Measure the graphs of a pack for some time, but each of them at least once.

    Returns:
        What ``results.json`` holds. After Ctrl-C what was measured until then, or None if that is
        not at least once each graph.
    """
    pack = json.loads((folder / PACK).read_text(encoding="utf-8"))
    graphs: list[Graph] = [{**graph, "rounds": []} for graph in pack["graphs"]]
    began = time.monotonic()
    with (
        zipfile.ZipFile(folder / GRAPHS) as archive,
        tempfile.TemporaryDirectory() as scratch,
        contextlib.suppress(KeyboardInterrupt),
    ):
        timer = Timer(threads, Path(scratch))
        sizes = {graph["name"]: archive.getinfo(_file(graph)).file_size for graph in graphs}
        for turn in range(_PASSES):
            rng = random.Random(turn)
            lots = _lots(rng.sample(graphs, len(graphs)), sizes)
            share = 1 / (_PASSES * len(lots))
            for number, lot in enumerate(lots):
                done = turn / _PASSES + number * share
                if turn and time.monotonic() - began >= seconds:
                    break
                # Where a lot takes longer than it should, the next ones have a round at least.
                first, due = time.monotonic(), began + seconds * (done + share)
                with timer.opened(lot, archive):
                    timer.round(rng)
                    while (now := time.monotonic()) < due:
                        progress(done + share * (now - first) / (due - first))
                        timer.round(rng)
                    found = timer.results()
                for graph in lot:
                    graph["rounds"].append(found[graph["name"]])
                progress(done + share)
    rounds = min(len(graph["rounds"]) for graph in graphs)
    if not rounds:
        return None
    progress(1.0)
    return {
        "format": FORMAT,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "threads": threads,
        "rounds": rounds,
        "graphs": graphs,
    }


def _file(graph: Graph) -> str:
    return f"{graph['name']}.onnx"


def _lots(graphs: list[Graph], sizes: dict[str, int]) -> list[list[Graph]]:
    """Graphs in lots that are small enough to be open together."""
    lots: list[list[Graph]] = []
    room = 0.0
    for graph in graphs:
        size = sizes[graph["name"]]
        if not lots or len(lots[-1]) == _LOT or size > room:
            lots.append([])
            room = _LOT_BYTES
        lots[-1].append(graph)
        room -= size
    return lots


class Opened:
    """A graph that is open.

    Attributes:
        session: runs it.
        profiled: whether under the profiler.
        feed: what it is run on.
        slices: the seconds of its runs, slice by slice.
    """

    def __init__(self, session: onnxruntime.InferenceSession, *, profiled: bool) -> None:
        [image] = session.get_inputs()
        shape = [1, *image.shape[1:]]
        self.session, self.profiled = session, profiled
        self.feed = {image.name: np.random.default_rng(0).random(shape, dtype=np.float32)}
        self.slices: list[list[dict[Clock, float]]] = []

    def slice(self) -> None:
        """Run for a slice of time, and note the seconds of each run, of the warm-up too."""
        times: list[dict[Clock, float]] = []
        rested = time.monotonic()
        end = rested + (_PROFILED if self.profiled else _TIMED)
        while len(times) < _WARM_UP + _LEAST_RUNS or time.monotonic() < end:
            if self.profiled and time.monotonic() - rested > _BURST:
                time.sleep(_REST)
                rested = time.monotonic()
            wall, processor = time.perf_counter(), time.process_time()
            self.session.run(None, self.feed)
            processor = time.process_time() - processor
            times.append({"processor": processor, "wall": time.perf_counter() - wall})
        self.slices.append(times)

    def milliseconds(self, clock: Clock) -> float:
        """Of a run: the median of the slices' medians."""
        return 1000 * statistics.median(
            statistics.median(run[clock] for run in runs[_WARM_UP:]) for runs in self.slices
        )

    def kernels(self, events: list[dict[str, Any]], clock: Clock) -> list[dict[str, Any]]:
        """What the profiler says of the kernels, in order of execution, each with the microseconds
        (`dur`) of a run: the median of the slices.

        In a slice it is the mean of the faster half of the runs. A mean, since the profiler counts
        whole microseconds; of the faster half, since it counts by the wall's clock, also while
        other programs run. Kernels so long that others run in each of them get the share of the
        mean that the processor was theirs.
        """
        seen: dict[str, list[dict[str, Any]]] = {}
        for event in events:
            if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
                seen.setdefault(event["name"], []).append(event)
        return [
            {
                "name": name,
                "dur": statistics.median(self._by_slice([e["dur"] for e in calls], clock)),
                "args": {key: calls[0]["args"].get(key, "") for key in _KEPT},
            }
            for name, calls in seen.items()
        ]

    def _by_slice(self, us: list[float], clock: Clock) -> Iterator[float]:
        first = 0
        for runs in self.slices:
            own = sum(run[clock] for run in runs) / sum(run["wall"] for run in runs)
            calls = us[first + _WARM_UP : first + len(runs)]
            if calls:
                yield _without_others(calls, own)
            first += len(runs)


class Timer:
    """Times a lot of graphs at a time."""

    def __init__(self, threads: int, scratch: Path) -> None:
        self._threads = threads
        self._scratch = scratch
        self._clock = clock(threads)
        self._open: dict[str, Opened] = {}

    @contextlib.contextmanager
    def opened(self, lot: list[Graph], archive: zipfile.ZipFile) -> Iterator[None]:
        """Within it the graphs of a lot are open."""
        try:
            for graph in lot:
                self._open[graph["name"]] = self._ready(graph, archive.read(_file(graph)))
            yield
        finally:
            self._open.clear()

    def round(self, rng: random.Random) -> None:
        """A slice of each."""
        for graph in rng.sample(list(self._open.values()), len(self._open)):
            graph.slice()

    def results(self) -> dict[str, Any]:
        """By the graphs' names: milliseconds of a run, or kernels and their times."""
        return {
            name: graph.kernels(self._events(graph), self._clock)
            if graph.profiled
            else graph.milliseconds(self._clock)
            for name, graph in self._open.items()
        }

    def _events(self, graph: Opened) -> list[dict[str, Any]]:
        path = Path(graph.session.end_profiling())
        events: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        path.unlink()
        return events

    def _ready(self, graph: Graph, model: bytes) -> Opened:
        profiled = graph["role"] != "whole"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors alone: its warnings are advice to its developers
        if profiled:
            options.enable_profiling = True
            options.profile_file_prefix = str(self._scratch / graph["name"])
        providers = ["CPUExecutionProvider"]
        session = onnxruntime.InferenceSession(model, options, providers=providers)
        return Opened(session, profiled=profiled)


_KEPT = ("op_name", "input_type_shape", "output_type_shape")


def clock(threads: int) -> Clock:
    """The processor's for one thread, which other programs do not change much; the wall's where
    several threads work, or where the processor's is too coarse.
    """
    exact = time.get_clock_info("process_time").resolution < 1e-5
    return "processor" if threads == 1 and exact else "wall"


def _without_others(us: list[float], own: float) -> float:
    """What a kernel takes while no other program has the processor, of which `own` was its part:
    the mean of the faster half, without the very fastest tenth; of long kernels their part.
    """
    us = sorted(us)
    fast = statistics.fmean(us[len(us) // 10 : len(us) // 2 + 1])
    return own * statistics.fmean(us) if fast > 1e6 * _BURST else fast


def machine() -> dict[str, Any]:
    """The machine and the libraries that results come from."""
    facts = asdict(this_machine("numpy"))
    # By its own word: the package that brings it has several names.
    facts["libraries"] = {"onnxruntime": onnxruntime.__version__, **facts["libraries"]}
    return facts


if __name__ == "__main__":
    main()
