"""Where a training runs, and in which precision."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

from dse.errors import InvalidValue, UnknownName


def pick_device(name: str = "auto") -> str:
    """The torch device for a name: `auto` is CUDA, else Apple's GPU, else the CPU.

    `cuda:1` names one of several GPUs. Raises UnknownName for another word, InvalidValue for a
    device this machine lacks.
    """
    if name == "auto":
        return "cuda" if _has_cuda() else "mps" if torch.backends.mps.is_available() else "cpu"
    kind, _, number = name.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (number and not number.isdecimal()):
        raise UnknownName("device", name, ("auto", "cpu", "cuda", "mps"))
    if kind == "cuda" and not _has_cuda():
        raise InvalidValue(f"device {name!r} was asked for, but torch finds no CUDA GPU here")
    if kind == "cuda" and number and int(number) >= torch.cuda.device_count():
        raise InvalidValue(
            f"device {name!r} was asked for, but there are {torch.cuda.device_count()} GPUs here, "
            "counted from 0"
        )
    if kind == "mps" and not torch.backends.mps.is_available():
        raise InvalidValue(f"device {name!r} was asked for, but torch finds no Apple GPU here")
    return name


def precision(device: torch.device) -> AbstractContextManager[object]:
    """The context a forward pass runs in: bfloat16 where the GPU has it, float32 elsewhere."""
    if device.type == "cuda" and torch.cuda.is_bf16_supported():
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return nullcontext()


def _has_cuda() -> bool:
    return torch.cuda.is_available()
