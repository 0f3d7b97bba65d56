"""Weights for programs that are only timed, without torch."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from dse.ir import Scope, ops

Weights = dict[str, NDArray[np.float32]]


def constant_weights(program: Scope) -> Weights:
    """Weights by which activations neither grow nor fade, one number per tensor.

    Each layer averages what it reads, so that no activation comes near the denormal numbers, which
    processors are slow at; equal numbers make small archives.
    """
    weights: Weights = {}
    for path, step in program.walk():
        for name, shape, value in _tensors(step.op, [tuple(v.shape) for v in step.inputs]):
            weights[f"{path}{name}"] = np.full(shape, value, np.float32)
    return weights


Tensor = tuple[str, tuple[int, ...], float]


def _tensors(op: ops.Op, inputs: list[tuple[int, ...]]) -> list[Tensor]:
    """Names after the op's path, shapes and values of an op's tensors in the state dict."""
    match op:
        case ops.Conv():
            fan_in = (inputs[0][0] // op.groups, op.kernel, op.kernel)
            return _layer((op.channels, *fan_in), op.bias)
        case ops.Linear():
            return _layer((op.features, inputs[0][0]), op.bias)
        case ops.BatchNorm():
            values = {"weight": 1.0, "bias": 0.1, "running_mean": 0.0, "running_var": 1.0}
            return [(f".{name}", (inputs[0][0],), value) for name, value in values.items()]
        case ops.ChannelConv():
            return [(".weight", (1, 1, op.kernel, 1), 1 / op.kernel)]
        case ops.Parameter():
            return [("", (), op.initial)]
    return []


def _layer(shape: tuple[int, ...], bias: bool) -> list[Tensor]:
    """A weight that averages what it reads, and a bias that keeps it off zero."""
    weight = (".weight", shape, 1 / prod(shape[1:]))
    return [weight, (".bias", shape[:1], 0.1)] if bias else [weight]
