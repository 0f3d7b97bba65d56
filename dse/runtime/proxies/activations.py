"""A look between the layers: emitted code calls its activations, so there is no module to hook."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode

RECTIFIERS = frozenset({"relu", "relu6", "leaky_relu", "hardswish", "silu"})
"""Functions that let through what is positive and hold back what is not, sharply or smoothly."""


class Intercepted(TorchFunctionMode):
    """While it lasts, `instead` gives the values of some functions.

    Args:
        names: names of torch's functions.
        instead: called with such a function bound to its other arguments, and its input.
    """

    def __init__(
        self, names: frozenset[str], instead: Callable[[Callable[[Tensor], Tensor], Tensor], Tensor]
    ) -> None:
        super().__init__()
        self._names = names
        self._instead = instead

    def __torch_function__(
        self,
        func: Any,
        types: Sequence[Any],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        settings = kwargs or {}
        if getattr(func, "__name__", "") not in self._names:
            return func(*args, **settings)
        x, *others = args
        return self._instead(lambda value: func(value, *others, **settings), x)
