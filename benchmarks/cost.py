"""`cost` of a network never seen before, from its document, beside counters that build it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.rivals import DEVICES, RIVALS, Make, bound, maker
from benchmarks.text import ms, table
from benchmarks.timing import side_by_side
from dse.cost import cost
from dse.network import Network, read_network
from dse.presets import load_preset, preset_names

_TORCHLESS = """
import sys, dse
dse.cost(dse.preset("squeezenet"))
print("torch" in sys.modules)
"""


def main() -> None:
    """Build and count each preset at its paper's size; then count it again, built already."""
    print("cost of a fresh network: ms from the document to the count, nothing remembered")
    print("(reading and validating it for dse, building the module for the others)\n")
    fresh, ready, counts = [], [], []
    for name in preset_names():
        network = load_preset(name)
        document = json.loads(network.to_json())
        make = maker(network)
        runs = bound(make, tuple(network.input))
        times = side_by_side({"dse": lambda d=document: cost(read_network(d)), **runs}, rounds=7)
        cells = []
        for rival in RIVALS:
            own = [f"{rival} {device}" for device in DEVICES if f"{rival} {device}" in runs]
            best = times.fastest(*own)
            cells.append(f"{ms(times.median(best))} {best.split()[-1]}")
        fastest = times.fastest(*runs)
        ratio = str(times.ratio(fastest, "dse"))
        fresh.append((name, ms(times.median("dse")), *cells, ratio, fastest))
        ready.append((name, *_built_already(network, make)))
        ours = cost(network).macs
        theirs = {rival: runs[f"{rival} meta"]() for rival in RIVALS}
        same = "yes" if ours == theirs["FlopCounterMode"] else "NO"
        others = [f"{theirs[rival] / ours - 1:+.2%}" for rival in _NAMES[1:]]
        counts.append((name, f"{ours:,}", same, *others))
    table(("network", "dse", *_NAMES, "times faster", "than"), fresh)
    print("the same with the network and the module built beforehand: ms of counting alone\n")
    table(("network", "dse", "FlopCounterMode", "times faster", "than"), ready)
    print(
        "the counts: dse's MACs, whether FlopCounterMode's are the same, how far others are off\n"
    )
    table(("network", "MACs", "equal to FlopCounterMode", *_NAMES[1:]), counts)
    found = subprocess.run(
        [sys.executable, "-c", _TORCHLESS], capture_output=True, text=True, check=True
    )
    print(f"torch is imported by dse.cost(dse.preset(...)): {found.stdout.strip()}\n")


_NAMES = tuple(RIVALS)


def _built_already(network: Network, make: Make) -> tuple[str, ...]:
    def counting(device: str) -> Callable[[], int]:
        with torch.device(device):
            model, image = make().eval(), torch.empty(1, *network.input)

        def count() -> int:
            with FlopCounterMode(display=False) as counter, torch.no_grad():
                model(image)
            return int(counter.get_total_flops())

        return count

    rivals = {f"FlopCounterMode {device}": counting(device) for device in DEVICES}
    times = side_by_side({"dse": lambda: cost(network), **rivals}, rounds=9)
    best = times.fastest(*rivals)
    return ms(times.median("dse")), ms(times.median(best)), str(times.ratio(best, "dse")), best
