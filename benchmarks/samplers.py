"""How many trials samplers need: tables of measured designs, and made-up landscapes."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from benchmarks.samplers_problems import Problem, mnasnet_front, on_mnasnet, on_space, on_stages
from benchmarks.samplers_rivals import Contestant, evolution, largest, steered, unsteered
from benchmarks.text import table

SEEDS = 5
"""Of each contestant but the slow ones; of made-up landscapes each seed is another one."""
SLOW = {"gp": (2, 40), "gp, no layer": (2, 40)}
"""Seeds and trials of those that take seconds a proposal."""
MARKS = (10, 20, 40, 60)
_RESAMPLES = 1_000

PROBLEMS: dict[str, Callable[[int], Problem]] = {
    "MnasNet, MACs <= 250M": lambda seed: on_mnasnet("mmacs", 250),
    "MnasNet, parameters <= 3M": lambda seed: on_mnasnet("mparams", 3),
    "MnasNet, A100 throughput >= 8000/s": lambda seed: on_mnasnet("throughput_a100", 8000),
    "MnasNet, front of accuracy and MACs": lambda seed: mnasnet_front(8e8),
    "stages, interactions, noise": lambda seed: on_stages(
        "interactions", 4e8, seed=seed, noise=0.3
    ),
    "stages, interactions, noise, front": lambda seed: on_stages(
        "interactions", 4e8, seed=seed, noise=0.3, front=True
    ),
    "stages, additive": lambda seed: on_stages("additive", 4e8, seed=seed, noise=0),
    "stages, pairs": lambda seed: on_stages("pairs", 4e8, seed=seed, noise=0.1),
    "stages, peak": lambda seed: on_stages("peak", 4e8, seed=seed, noise=0),
    "space fire, mixed, noise": lambda seed: on_space("fire", 1e5, seed=seed, noise=0.3),
    "stages, deceptive, narrow": lambda seed: on_stages("deceptive", 1.5e8, seed=seed, noise=0),
}


def main() -> None:
    """Print losses after so many trials, and how many trials `auto` needs for the best rival's."""
    seconds: list[float] = []
    contestants = [
        steered("auto", seconds),
        *(steered(name) for name in ("tpe", "nsga2", "gp", "random")),
        evolution(),
        largest(),
        *(unsteered(name) for name in ("tpe", "nsga2", "gp", "random")),
    ]
    compare(PROBLEMS, contestants, range(SEEDS))
    print(f"a proposal of auto: median {1000 * statistics.median(seconds):.0f} ms of CPU time")


def compare(
    problems: Mapping[str, Callable[[int], Problem]],
    contestants: Sequence[Contestant],
    seeds: range,
) -> None:
    """Print the losses of all contestants, one of which is `auto`, and how many trials it needs."""
    summary: list[list[str]] = []
    for name, problem in problems.items():
        curves = _run(name, problem, contestants, seeds)
        own = curves.pop("auto")
        slow = {rival: curves.pop(rival) for rival in SLOW if rival in curves}
        ranked = sorted(curves, key=lambda rival: float(curves[rival][:, -1].mean()))
        # The largest look at nothing that is told: of those who do, the best is of interest too.
        best = ranked[: 2 if ranked[0] == largest().name else 1]
        marks = [m for m in MARKS if own[:, m - 1].mean() > curves["random"][:, m - 1].mean()]
        worse = ", ".join(f"after {mark}" for mark in marks) or "never"
        for rival, its in ({each: curves[each] for each in best} | slow).items():
            first, last = (name, worse) if rival == best[0] else ("", "")
            summary.append([first, rival, *_against(own, its), last])
    print("trials that auto needs for the loss that the best rival, and GP, has after its last\n")
    table(
        ["problem", "rival", "its trials", "auto's", "ratio (95 %)", "auto worse than random"],
        summary,
    )


def _run(
    name: str,
    problem: Callable[[int], Problem],
    contestants: Sequence[Contestant],
    seeds: range,
) -> dict[str, np.ndarray]:
    """The loss curves of each contestant: (seeds, trials)."""
    curves: dict[str, np.ndarray] = {}
    print(f"{name}: loss, mean and half a 95 % interval, after trials")
    for contestant in contestants:
        most, trials = SLOW.get(contestant.name, (len(seeds), problem(seeds[0]).trials))
        rows = []
        for seed in seeds[:most]:
            made = replace(problem(seed), trials=trials)
            curve = made.curve(contestant.search(made, seed))
            # A table may have fewer rows that fit than there are trials.
            rows.append(np.pad(curve, (0, trials - len(curve)), mode="edge"))
        curves[contestant.name] = np.array(rows)
        print(f"  {contestant.name:20s}" + "  ".join(_cells(curves[contestant.name])), flush=True)
    print()
    return curves


def _cells(curves: np.ndarray) -> list[str]:
    found = []
    for mark in MARKS:
        if mark > curves.shape[1]:
            break
        losses = curves[:, mark - 1]
        if np.isfinite(losses).all():
            half = 1.96 * losses.std(ddof=1) / len(losses) ** 0.5
            found.append(f"{losses.mean():6.3f} ±{half:.3f}")
        else:
            found.append(f"none fits in {np.mean(~np.isfinite(losses)):.0%}")
    return found


def _against(own: np.ndarray, rival: np.ndarray) -> list[str]:
    """The trials of a rival, those of `auto` for the same loss, and the ratio's interval."""
    trials = rival.shape[1]
    rng = np.random.default_rng(0)
    needed = _needed(own, rival)
    drawn = sorted(
        _needed(
            own[rng.integers(len(own), size=len(own))],
            rival[rng.integers(len(rival), size=len(rival))],
        )
        for _ in range(_RESAMPLES)
    )
    low, high = drawn[int(0.025 * _RESAMPLES)], drawn[int(0.975 * _RESAMPLES) - 1]
    most = own.shape[1]
    return [
        str(trials),
        f"over {most}" if needed > most else str(needed),
        f"{needed / trials:.2f} ({low / trials:.2f}-{high / trials:.2f})",
    ]


def _needed(own: np.ndarray, rival: np.ndarray) -> int:
    """After how many trials the mean loss is the rival's last one; one more than all if never."""
    reached = np.flatnonzero(own.mean(0) <= rival[:, -1].mean())
    return int(reached[0]) + 1 if len(reached) else own.shape[1] + 1
