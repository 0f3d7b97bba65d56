"""Randomness that starts from a seed and leaves no trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor


@contextmanager
def seeded(seed: int, device: str = "cpu") -> Iterator[None]:
    """Run with torch's global generators seeded, and put them back afterwards.

    Build a model inside it and its initial weights depend on the seed alone; `fit` runs inside one,
    because dropout and fractional pooling draw from the global generators. Apple's generator is
    seeded too, but torch cannot put it back.
    """
    where = torch.device(device)
    gpus: list[int] = []
    if where.type == "cuda":
        gpus = [torch.cuda.current_device() if where.index is None else where.index]
    with torch.random.fork_rng(gpus):
        torch.manual_seed(seed)
        yield


def random_state(device: torch.device) -> dict[str, Tensor]:
    """Where torch's global generators are, of the processor and of `device`: uint8, on the CPU."""
    state = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        state["mps"] = torch.mps.get_rng_state()
    return state


def set_random_state(state: dict[str, Tensor], device: torch.device) -> None:
    """Go on from a `random_state` of the same kind of device."""
    torch.set_rng_state(state["cpu"])
    if device.type == "cuda":
        torch.cuda.set_rng_state(state["cuda"], device)
    elif device.type == "mps":
        torch.mps.set_rng_state(state["mps"])
