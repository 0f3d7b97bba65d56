"""What a cost query takes within a search, where blocks were seen before in other networks."""

from __future__ import annotations

import random
from itertools import cycle

from benchmarks.rivals import bound, maker
from benchmarks.text import ms, table
from benchmarks.timing import side_by_side
from dse.cost import Memo, cost
from dse.presets import load_preset
from dse.space import load_space

_SPACES = ("lightweight", "fire", "hl-cnn")
_PRESETS = ("squeezenet", "mobilenet-v1", "hl-cnn")


def main() -> None:
    """Decisions to network and cost; and the cost of a network whose blocks are all known."""
    print("a search's cost query, blocks seen before: microseconds, and times the fastest rival\n")
    rows = []
    for name in _SPACES:
        space = load_space(name)
        rng = random.Random(0)
        some = [space.sample(rng) for _ in range(100)]
        for decisions in some:
            space.evaluate(decisions)
        # The rivals get one design of middling size; dse all hundred, one after the other.
        typical = sorted(some, key=lambda d: len(space.bind(d).nodes))[50]
        network = space.bind(typical)
        turns = cycle(some)
        what = f"{name}: space.evaluate"
        rows.append(_row(what, lambda s=space, t=turns: s.evaluate(next(t)), network))
    for name in _PRESETS:
        network = load_preset(name)
        memo: Memo = {}
        cost(network, memo)
        rows.append(
            _row(f"{name}: cost(network, memo)", lambda n=network, m=memo: cost(n, m), network)
        )
    table(("query", "dse, us", "fastest rival, ms", "times faster", "than"), rows)


def _row(what, run, network) -> tuple[str, ...]:  # type: ignore[no-untyped-def]
    rivals = bound(maker(network), tuple(network.input))
    times = side_by_side({"dse": run, **rivals}, rounds=9)
    fastest = times.fastest(*rivals)
    ratio, slow = str(times.ratio(fastest, "dse")), ms(times.median(fastest))
    return what, f"{1e6 * times.median('dse'):.1f}", slow, ratio, fastest
