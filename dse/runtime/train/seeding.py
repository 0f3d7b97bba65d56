"""Randomness that starts from a seed and leaves no trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


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
