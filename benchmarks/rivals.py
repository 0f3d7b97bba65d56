"""Other counters of multiply-adds, each from the class of a network to its count.

All of them run the built network once and listen. On the meta device nothing is computed, which
makes counting faster and building slower: each is timed on both, and its better time counts.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from functools import partial

import torch
import torchinfo
from ptflops import get_model_complexity_info
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from dse.emit import emit
from dse.network import Network
from dse.runtime.load import load_source

Make = Callable[[], nn.Module]

DEVICES = ("cpu", "meta")


def maker(network: Network) -> Make:
    """What builds the network in torch; importing its source is not part of that."""
    module = load_source(emit(network))
    return partial(module.create_model, network.classes)


def flop_counter(make: Make, input: tuple[int, ...], device: str) -> int:
    """torch's own counter."""
    with torch.device(device):
        model, image = make().eval(), torch.empty(1, *input)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(image)
    return int(counter.get_total_flops()) // 2


def ptflops(make: Make, input: tuple[int, ...], device: str, backend: str) -> int:
    """ptflops, as quiet as it gets."""
    with torch.device(device), torch.no_grad(), contextlib.redirect_stdout(io.StringIO()):
        macs, _ = get_model_complexity_info(
            make(),
            input,
            as_strings=False,
            print_per_layer_stat=False,
            verbose=False,
            backend=backend,
            input_constructor=lambda shape: torch.empty(1, *shape),
        )
    if macs is None:
        raise RuntimeError(f"ptflops ({backend}) cannot count this network on {device}")
    return int(macs)


def info(make: Make, input: tuple[int, ...], device: str) -> int:
    """torchinfo, without printing its table."""
    with torch.device(device):
        statistics = torchinfo.summary(make(), (1, *input), verbose=0, device=device, mode="eval")
    return int(statistics.total_mult_adds)


RIVALS: dict[str, Callable[[Make, tuple[int, ...], str], int]] = {
    "FlopCounterMode": flop_counter,
    "ptflops pytorch": partial(ptflops, backend="pytorch"),
    "ptflops aten": partial(ptflops, backend="aten"),
    "torchinfo": info,
}


def bound(make: Make, input: tuple[int, ...]) -> dict[str, Callable[[], int]]:
    """Every rival on either device, bound to one network; a rival that cannot count it is named.

    Both devices take part in the rounds: which is faster depends on the network and on what else
    the machine does, and a choice made beforehand on a few tries would now and then be the wrong
    one, in dse's favour. One thread, as dse has: where other processes are about, torch's threads
    wait for each other, and counting on the CPU takes up to ten times as long.
    """
    torch.set_num_threads(1)
    runs: dict[str, Callable[[], int]] = {}
    for name, rival in RIVALS.items():
        for device in DEVICES:
            run = partial(rival, make, input, device)
            try:
                run()
            except Exception as error:  # what a counter cannot do is a result as well
                print(f"{name} on {device} is left out: {type(error).__name__}: {error}"[:100])
            else:
                runs[f"{name} {device}"] = run
    return runs
