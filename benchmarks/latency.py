"""Predicted latency beside the measured one, and how far measuring strays from itself."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import spearmanr

from benchmarks.text import table
from dse.cost import cost
from dse.devices.calibrate import calibrate
from dse.devices.measure import measure
from dse.devices.profiles import local_profile
from dse.latency.kernel import Kernel
from dse.latency.kernels import network_kernels
from dse.latency.predict import Predictor
from dse.latency.profile import Profile
from dse.network import Network
from dse.presets import load_preset, preset_names
from dse.space import load_space

_DESIGNS = 60
_SEED = 20_262
"""Of the held-out designs; calibration draws by another."""

_MOST_MACS = 5e9
"""Of presets: the larger ones take a second a call."""

_SECONDS = 75.0
"""Of each of the two measurements of all networks."""

Guess = Callable[[Network], float]


def main() -> None:
    """Predict held-out networks, measure them twice, and compare."""
    profile = local_profile() or calibrate()
    predictor = Predictor(profile)
    print(f"{profile.name} of {profile.date}: {profile.machine}, {profile.rounds} rounds")
    designs, presets = held_out(), small_presets()
    networks = [*designs, *presets]
    first, second = (_measured(networks) for _ in range(2))
    guesses: dict[str, Guess] = {"prediction": lambda n: predictor.network(n).ms}
    guesses |= naive(profile)
    for title, part in (
        (f"{len(designs)} designs of lightweight", slice(0, len(designs))),
        (f"{len(presets)} presets", slice(len(designs), None)),
    ):
        truth = first[part]
        rows = [_row("measured again", second[part], truth)]
        for name, guess in guesses.items():
            rows.append(_row(name, np.array([guess(n) for n in networks[part]]), truth))
        print(f"{title}: against the measured median")
        table(("", "within 10 %", "within 5 %", "half within", "bias", "Spearman"), rows)
        found = [predictor.network(n) for n in networks[part]]
        inside = np.mean([p.low_ms <= t <= p.high_ms for p, t in zip(found, truth, strict=True)])
        width = np.median([p.high_ms / p.ms - 1 for p in found])
        print(f"within the interval (90 % aimed at): {inside:.0%}; it reaches {width:.0%} up\n")
    _print_each(networks, first, second, guesses["prediction"])
    _print_speed(profile)


def held_out() -> list[Network]:
    """Designs of the `lightweight` space that calibration never saw."""
    space, rng = load_space("lightweight"), random.Random(_SEED)
    return [space.bind(space.sample(rng)) for _ in range(_DESIGNS)]


def small_presets() -> list[Network]:
    """Presets at their papers' size."""
    every = [load_preset(name) for name in preset_names()]
    return [network for network in every if cost(network).macs <= _MOST_MACS]


def naive(profile: Profile) -> dict[str, Guess]:
    """Lines through the whole networks of the profile: by MACs, and by MACs and bytes."""

    def by_macs(network: Network) -> list[float]:
        return [1.0, _work(network, profile)[0]]

    def by_bytes(network: Network) -> list[float]:
        return [1.0, *_work(network, profile)]

    measured = np.array([network.ms for network in profile.networks])
    rows = np.array(
        [
            [
                1.0,
                sum(times * kernel.macs for kernel, times in network.kernels),
                sum(times * _bytes(kernel) for kernel, times in network.kernels),
            ]
            for network in profile.networks
        ]
    )
    guesses: dict[str, Guess] = {}
    for name, take, count in (("MACs", by_macs, 2), ("MACs and bytes", by_bytes, 3)):
        # Relative errors count, as they do for the prediction.
        line = np.linalg.lstsq(rows[:, :count] / measured[:, None], np.ones(len(measured)))[0]
        guesses[name] = lambda n, take=take, line=line: float(np.dot(take(n), line))
    return guesses


def _work(network: Network, profile: Profile) -> tuple[float, float]:
    kernels = [k for part in network_kernels(network, profile.layout) for k in part]
    return float(sum(k.macs for k in kernels)), float(sum(_bytes(k) for k in kernels))


def _bytes(kernel: Kernel) -> int:
    return kernel.input_bytes + kernel.output_bytes + kernel.weight_bytes


def _measured(networks: Sequence[Network]) -> np.ndarray:
    named = [(f"{number} {network.name}", network) for number, network in enumerate(networks)]
    return np.array([m.latency.median_ms for m in measure(named, seconds=_SECONDS)])


def _row(name: str, guess: np.ndarray, truth: np.ndarray) -> tuple[str, ...]:
    off = np.abs(guess / truth - 1)
    return (
        name,
        f"{np.mean(off <= 0.1):.0%}",
        f"{np.mean(off <= 0.05):.0%}",
        f"{np.median(off):.1%}",
        f"{np.median(guess / truth) - 1:+.1%}",
        f"{spearmanr(guess, truth).statistic:.4f}",
    )


def _print_each(
    networks: Sequence[Network], first: np.ndarray, second: np.ndarray, guess: Guess
) -> None:
    rows = []
    for network, one, other in zip(networks, first, second, strict=True):
        ms = guess(network)
        rows.append(
            (network.name, f"{ms:.3g}", f"{one:.3g}", f"{other:.3g}", f"{ms / one - 1:+.1%}")
        )
    table(("network", "predicted ms", "measured", "again", "prediction off by"), rows)


def _print_speed(profile: Profile) -> None:
    space, rng = load_space("lightweight"), random.Random(_SEED + 1)
    networks = [space.bind(space.sample(rng)) for _ in range(100)]
    predictor = Predictor(profile)
    fresh = _seconds(lambda: [predictor.network(network) for network in networks])
    known = _seconds(lambda: [predictor.network(network) for network in networks])
    measuring = _seconds(lambda: measure([("", networks[0])], seconds=1.0))
    loading = _seconds(lambda: Predictor(profile))
    rows = [
        ("predicting, blocks known", f"{len(networks) / known:,.0f}"),
        ("predicting, blocks new", f"{len(networks) / fresh:,.0f}"),
        ("measuring", f"{1 / measuring:.2g}"),
    ]
    table(("", "networks per second"), rows)
    print(f"fitting the profile: {loading:.2f} s\n")


def _seconds(run: Callable[[], object]) -> float:
    """Of the processor where this process works, of the wall where another does."""
    started, wall = time.process_time(), time.perf_counter()
    run()
    own, all_ = time.process_time() - started, time.perf_counter() - wall
    return own if own > all_ / 10 else all_
