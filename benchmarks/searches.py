"""Whole searches by real trainings, all samplers having the same time on one core each."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from math import log10, sqrt
from pathlib import Path
from statistics import mean, stdev

from scipy import stats

from benchmarks.text import table
from dse.fronts import hypervolume
from dse.runs import Run, Trial

_SEEDS = (0, 1, 2)
_SECONDS = 200
_PARAMS = 100_000
_CHANCE = 0.1
_CONTESTANTS = {
    "auto": ("--sampler", "auto"),
    "auto, no rungs": ("--sampler", "auto", "--no-rungs"),
    "tpe, no rungs": ("--sampler", "tpe", "--no-rungs"),
    "nsga2, no rungs": ("--sampler", "nsga2", "--no-rungs"),
    "random, no rungs": ("--sampler", "random", "--no-rungs"),
}
"""Optuna's samplers are on the feasible layer too, or they would have trained next to nothing."""

_SEARCH = """
import sys
from dse.cli.session import Session
import dse.cli
Session.finish = lambda self, *args, **options: sys.exit(0)
sys.argv = ["dse", "search", *sys.argv[1:]]
dse.cli.main()
"""
"""A search that ends where its last trial does: what comes after is the same for all."""


def main() -> None:
    """Handwritten digits at 32 pixels, designs of the space `lightweight`."""
    print(
        f"{_SECONDS} seconds for each search, two searches side by side, one worker each: digits "
        f"at 32x32, quick recipe\nof 6 epochs, at most {_PARAMS:,} parameters and 10M MACs; means "
        f"with 95 % intervals over {len(_SEEDS)} seeds of\nsearch and training\n"
    )
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        runs = _searched(Path(folder))
        for name in _CONTESTANTS:
            found = [runs[name, seed] for seed in _SEEDS]
            finished = [[t for t in run.trials if t.state == "finished"] for run in found]
            rows.append(
                (
                    name,
                    f"{mean(len(run.trials) for run in found):.0f}",
                    f"{mean(len(trials) for trials in finished):.0f}",
                    _interval([volume(trials) for trials in finished]),
                    _interval([max(t.values["accuracy"] for t in trials) for trials in finished]),
                )
            )
    table(("sampler", "begun", "trained to the end", "hypervolume", "best accuracy"), rows)
    print("hypervolume of accuracy above chance against the logarithm of parameters from 1,000 on,")
    print("as a share of the whole; accuracies are the search's own, on the validation part\n")


def volume(trials: list[Trial]) -> float:
    """What trials trained to the end dominate, 0 to 1."""
    least = log10(1000)
    points = [
        (
            1 - t.values["accuracy"],
            max(0.0, (log10(t.cost["params"]) - least) / (log10(_PARAMS) - least)),
        )
        for t in trials
    ]
    return hypervolume(points, (1 - _CHANCE, 1.0)) / (1 - _CHANCE)


def _searched(folder: Path) -> dict[tuple[str, int], Run]:
    """Every search, two at a time; both of a pair have the same seed."""
    jobs = [(name, seed) for seed in _SEEDS for name in _CONTESTANTS]
    for first in range(0, len(jobs), 2):
        running = {job: _begin(folder, *job) for job in jobs[first : first + 2]}
        for job, process in running.items():
            if process.wait():
                *_, last = _log(folder, *job).read_text().splitlines() or ["it said nothing"]
                sys.exit(f"error: the search {_run_name(*job)} failed: {last}")
    return {job: Run(folder / "runs" / _run_name(*job)) for job in jobs}


def _begin(folder: Path, name: str, seed: int) -> subprocess.Popen[bytes]:
    options = {
        "--dataset": "digits",
        "--image-size": "32",
        "--epochs": "6",
        "--budget-params": str(_PARAMS),
        "--budget-macs": "10M",
        "--trials": "500",
        "--time-limit": f"{_SECONDS}s",
        "--workers": "1",
        "--seed": str(seed),
        "--run": _run_name(name, seed),
    }
    flat = [word for pair in options.items() for word in pair]
    # The benchmark's own environment, found again from another folder.
    path = os.pathsep.join(filter(None, [str(Path.cwd()), os.environ.get("PYTHONPATH")]))
    with _log(folder, name, seed).open("w") as log:
        return subprocess.Popen(
            [sys.executable, "-c", _SEARCH, *flat, *_CONTESTANTS[name]],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=log,
        )


def _log(folder: Path, name: str, seed: int) -> Path:
    return folder / f"{_run_name(name, seed)}.log"


def _run_name(name: str, seed: int) -> str:
    return f"{name.replace(', ', '-').replace(' ', '-')}-{seed}"


def _interval(values: list[float]) -> str:
    """The mean, with its 95 % interval by Student's t."""
    if len(values) < 2:
        return f"{values[0]:.3f}"
    half = stats.t.ppf(0.975, len(values) - 1) * stdev(values) / sqrt(len(values))
    return f"{mean(values):.3f} ± {half:.3f}"
