"""How ops are written in a drawing, as papers' figures write them: ``3x3 conv, s2``.

One box stands for the same op of many blocks. What differs among them is written as alternatives,
``3x3/5x5 depthwise``; a width by its relation to the block's own, ``6·in``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from dse.ir import Scope, Step, ops

_MOST = 3  # alternatives that are still written out

_ACTIVATIONS = {"relu": "ReLU", "relu6": "ReLU6", "leaky_relu": "leaky ReLU", "silu": "SiLU"}
"""Names that are not just their words."""


@dataclass(frozen=True, slots=True)
class Use:
    """One op in one block: the step, and the channels that the block takes and gives."""

    step: Step
    taken: int
    given: int

    @classmethod
    def within(cls, scope: Scope, step: Step) -> Use:
        return cls(step, int(scope.inputs[0].shape[0]), int(scope.output.shape[0]))


def label(uses: Sequence[Use]) -> str:
    """The text of one op, or of the same op in several blocks."""
    op = uses[0].step.op
    match op:
        case ops.Conv():
            settings = _stride(uses) + _width(uses)
            if is_depthwise(uses[0].step):
                return f"{_windows(uses, 'kernel')} depthwise{settings}"
            groups = f", g={_either(_settings(uses, 'groups'))}" if op.groups > 1 else ""
            return f"{_windows(uses, 'kernel')} conv{groups}{settings}"
        case ops.Linear():
            return f"linear{_width(uses)}"
        case ops.ChannelConv():
            return f"conv along channels, {_either(_settings(uses, 'kernel'))}"
        case ops.BatchNorm():
            return "BN"
        case ops.Act():
            names = _settings(uses, "function")
            return _either(_ACTIVATIONS.get(name, name.replace("_", " ")) for name in names)
        case ops.Pool():
            return f"{_windows(uses, 'kernel')} {_mode(uses)} pool{_stride(uses)}"
        case ops.AdaptivePool():
            return f"{_mode(uses)} pool to {_windows(uses, 'size')}"
        case ops.GlobalPool():
            return f"global {_mode(uses)} pool"
        case ops.BlurPool():
            return f"blur pool{_stride(uses)}"
        case ops.Dropout():
            return f"dropout {_either(f'{p:g}' for p in _settings(uses, 'p'))}"
        case ops.Parameter():
            return uses[0].step.label
        case ops.Cat():
            return "concat"
    return words(op)


def words(op: ops.Op) -> str:
    """The class name of an op in words: ``local response norm``."""
    return " ".join(re.findall("[A-Z][a-z]*", type(op).__name__)).lower()


def is_depthwise(step: Step) -> bool:
    """Whether it is a convolution that filters each channel by itself."""
    op = step.op
    return isinstance(op, ops.Conv) and 1 < op.groups == step.inputs[0].channels


def note(scope: Scope) -> str:
    """The window and the stride of a block: ``5x5, s2``.

    Where its convolutions have several windows, as in an inception module, there is none to name.
    """
    found = [step.op for step in scope.steps()]
    convs = [op.kernel for op in found if isinstance(op, ops.Conv)]
    pools = [op.kernel for op in found if isinstance(op, ops.Pool)]
    wide = {kernel for kernel in convs if kernel > 1} or set(pools)
    windows = wide or set(convs if len(convs) == 1 else [])
    stride = max((getattr(op, "stride", 1) for op in found), default=1)
    texts = [f"{kernel}x{kernel}" for kernel in windows] if len(windows) == 1 else []
    return ", ".join([*texts, *([f"s{stride}"] if stride > 1 else [])])


def _settings(uses: Sequence[Use], name: str) -> list[Any]:
    """The values of one of the op's fields, each once, in order."""
    return sorted({getattr(use.step.op, name) for use in uses})


def _mode(uses: Sequence[Use]) -> str:
    return _either(_settings(uses, "mode")).replace("average", "avg")


def _stride(uses: Sequence[Use]) -> str:
    strides = _settings(uses, "stride")
    return "" if strides == [1] else f", {_either(f's{stride}' for stride in strides)}"


def _windows(uses: Sequence[Use], name: str) -> str:
    return _either(f"{size}x{size}" for size in _settings(uses, name))


def _either(values: Iterable[object]) -> str:
    texts = [str(value) for value in values]
    return "/".join(texts) if len(texts) <= _MOST else f"{texts[0]}…{texts[-1]}"


def _width(uses: Sequence[Use]) -> str:
    """The channels that come out: a number if all blocks have the same, or what holds for all."""
    step = uses[0].step
    if is_depthwise(step) and all(
        u.step.output.channels == u.step.inputs[0].channels for u in uses
    ):
        return ""
    found = {(int(use.step.output.channels), use.taken, use.given) for use in uses}
    widths = {width for width, _, _ in found}
    if len(widths) == 1:
        return f" → {widths.pop()}"
    relations = [(Fraction(width, taken), Fraction(width, given)) for width, taken, given in found]
    constant = [
        (ratios.pop(), name)
        for name, ratios in zip(("in", "out"), map(set, zip(*relations, strict=True)), strict=True)
        if len(ratios) == 1
    ]
    for ratio, name in sorted(constant, key=lambda pair: pair[0] != 1):
        if ratio.numerator == 1:
            return f" → {name}/{ratio.denominator}" if ratio != 1 else f" → {name}"
        if ratio.denominator == 1:
            return f" → {ratio}·{name}"
    return ""
