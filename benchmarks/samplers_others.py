"""`auto` on other problems than those that it was made by."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.samplers import compare
from benchmarks.samplers_problems import Problem, mnasnet_front, on_cells, on_mnasnet, on_space
from benchmarks.samplers_rivals import evolution, largest, steered

SEEDS = range(100, 106)

PROBLEMS: dict[str, Callable[[int], Problem]] = {
    "MnasNet, VCK190 latency <= 2.96": lambda seed: on_mnasnet("latency_vck190", 2.96),
    "MnasNet, TPUv2 throughput >= 1043/s": lambda seed: on_mnasnet("throughput_tpuv2", 1043),
    "MnasNet, time to train <= 2082 s": lambda seed: on_mnasnet("train_time_s", 2082),
    "MnasNet, MACs <= 1,000M": lambda seed: on_mnasnet("mmacs", 1000),
    "MnasNet, narrow front of MACs": lambda seed: mnasnet_front(3e8),
    "cells, noise": lambda seed: on_cells(seed=seed, noise=0.1),
    "cells, noise, front": lambda seed: on_cells(seed=seed, noise=0.1, front=True),
    "space lightweight, neural, noise": lambda seed: on_space(
        "lightweight", 3e5, seed=seed, noise=0.2, kind="neural"
    ),
    "space spp-covid, neural, noise": lambda seed: on_space(
        "spp-covid", 2e5, seed=seed, noise=0.2, kind="neural"
    ),
    "space hl-cnn, neural, noise": lambda seed: on_space(
        "hl-cnn", 1e6, seed=seed, noise=0.2, kind="neural"
    ),
}


def main() -> None:
    """Print losses after so many trials, and how many trials `auto` needs for the best rival's."""
    samplers = ("auto", "tpe", "nsga2", "gp", "random")
    compare(PROBLEMS, [*map(steered, samplers), evolution(), largest()], SEEDS)
