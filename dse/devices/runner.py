"""Time ONNX graphs on this machine, kernel by kernel and as a whole.

    python runner.py [FOLDER] [--minutes 8] [--threads 1]

Reads ``pack.json`` and ``graphs.zip`` in FOLDER (by default where this file lies) and writes
``results.json`` beside them. Needs onnxruntime, numpy and the standard library alone: the file is
copied to the machine that is to be measured.

Graphs are run in short turns, round after round and in another order each time, so that what else
the machine does falls on all of them alike. Those that stand for their kernels run under ONNX
Runtime's profiler, those that stand for themselves run without it, by the processor's time.
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
from itertools import count
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

_WARM_UP = 2
_LEAST_RUNS = 4
_PROFILED, _TIMED = 0.06, 0.04
"""Seconds that a graph runs in one turn, if that gives the least number of runs."""

_BURST, _REST = 0.003, 0.001
"""Seconds of running between seconds of rest: a process that rests now and then is not interrupted
in between, where others wait for the processor."""

_MOST_BYTES = 4e8
"""Of models that are held open at a time."""

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

    A graph under the profiler and one without it take turns.

    Returns:
        What ``results.json`` holds. After Ctrl-C what was measured until then, or None if that is
        not at least once each graph.
    """
    pack = json.loads((folder / PACK).read_text(encoding="utf-8"))
    graphs: list[Graph] = [{**graph, "rounds": []} for graph in pack["graphs"]]
    whole = [graph for graph in graphs if graph["role"] == "whole"]
    parts = [graph for graph in graphs if graph["role"] != "whole"]
    least = max(len(whole), len(parts))
    began = time.monotonic()
    turns = 0
    with (
        zipfile.ZipFile(folder / GRAPHS) as archive,
        tempfile.TemporaryDirectory() as scratch,
        contextlib.suppress(KeyboardInterrupt),
    ):
        timer = Timer(threads, Path(scratch))
        for part, network in zip(_in_turn(parts), _in_turn(whole), strict=False):
            if turns >= least and time.monotonic() - began >= seconds:
                break
            part["rounds"].append(timer.kernels(archive.read(f"{part['name']}.onnx")))
            network["rounds"].append(timer.run(f"{network['name']}.onnx", archive))
            turns += 1
            # The first round may take longer than there is time: it counts for half at most.
            spent = min((time.monotonic() - began) / seconds, 1.0)
            progress(spent if turns >= least else min(spent, turns / least))
    if turns < least:
        return None
    return {
        "format": FORMAT,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "threads": threads,
        "rounds": turns // len(parts),
        "graphs": graphs,
    }


def _in_turn(graphs: list[Graph]) -> Iterator[Graph]:
    """The graphs round after round, each round in another order."""
    for number in count():
        yield from random.Random(number).sample(graphs, len(graphs))


class Timer:
    """Times models."""

    def __init__(self, threads: int, scratch: Path) -> None:
        self._threads = threads
        self._scratch = scratch
        self._clock = clock(threads)
        self._held: dict[str, onnxruntime.InferenceSession] = {}
        self._bytes = 0

    def kernels(self, model: bytes) -> list[dict[str, Any]]:
        """Run a model under the profiler.

        Returns:
            The kernels in order of execution as the profiler has them, each with the microseconds
            (`dur`) that a run takes: the mean of the faster half of the runs. A mean, since the
            profiler counts whole microseconds; of the faster half, since it counts by the wall's
            clock, also while other programs run. Kernels so long that others run in each of them
            get the share of the mean that the processor was theirs.
        """
        options = self._options()
        options.enable_profiling = True
        options.profile_file_prefix = str(self._scratch / "profile")
        session = self._session(model, options)
        runs = _runs(session, _PROFILED)[_WARM_UP:]
        own = sum(run[self._clock] for run in runs) / sum(run["wall"] for run in runs)
        path = Path(session.end_profiling())
        events = json.loads(path.read_text(encoding="utf-8"))
        path.unlink()
        seen: dict[str, list[dict[str, Any]]] = {}
        for event in events:
            if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
                seen.setdefault(event["name"], []).append(event)
        return [
            {
                "name": name,
                "dur": _without_others([event["dur"] for event in calls[_WARM_UP:]], own),
                "args": {key: calls[0]["args"].get(key, "") for key in _KEPT},
            }
            for name, calls in seen.items()
        ]

    def run(self, name: str, archive: zipfile.ZipFile) -> float:
        """Run a model of an archive as it would be deployed: the median milliseconds of a run.

        Sessions are held open, as far as memory goes.
        """
        session = self._held.get(name)
        if session is None:
            model = archive.read(name)
            session = self._session(model, self._options())
            if self._bytes + len(model) < _MOST_BYTES:
                self._held[name] = session
                self._bytes += len(model)
        runs = _runs(session, _TIMED)[_WARM_UP:]
        return 1000 * statistics.median(run[self._clock] for run in runs)

    def _session(
        self, model: bytes, options: onnxruntime.SessionOptions
    ) -> onnxruntime.InferenceSession:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def _options(self) -> onnxruntime.SessionOptions:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors alone: its warnings are advice to its developers
        return options


_KEPT = ("op_name", "input_type_shape", "output_type_shape")


def clock(threads: int) -> Clock:
    """The processor's for one thread, which other programs do not change much; the wall's where
    several threads work, or where the processor's is too coarse.
    """
    exact = time.get_clock_info("process_time").resolution < 1e-5
    return "processor" if threads == 1 and exact else "wall"


def _runs(session: onnxruntime.InferenceSession, seconds: float) -> list[dict[Clock, float]]:
    """Run for a slice of time; the seconds of each run, those of the warm-up first."""
    [image] = session.get_inputs()
    shape = [1, *image.shape[1:]]
    feed = {image.name: np.random.default_rng(0).random(shape, dtype=np.float32)}
    times: list[dict[Clock, float]] = []
    rested = time.monotonic()
    end = rested + seconds
    while len(times) < _WARM_UP + _LEAST_RUNS or time.monotonic() < end:
        if time.monotonic() - rested > _BURST:
            time.sleep(_REST)
            rested = time.monotonic()
        wall, processor = time.perf_counter(), time.process_time()
        session.run(None, feed)
        processor = time.process_time() - processor
        times.append({"processor": processor, "wall": time.perf_counter() - wall})
    return times


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
