"""Training-free proxies: numbers from an untrained network that some have found to rank designs.

A new one is a file with a function ``measure(subject)`` and a line here. Of every proxy more is
meant to be better. None is worth its time where it ranks designs no better than `params` and `macs`
do, which are registered beside them for that comparison.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from dse.errors import UnknownName

if TYPE_CHECKING:
    from dse.runtime.proxies.subject import Subject


@dataclass(frozen=True)
class About:
    """What is known of a proxy without torch.

    Attributes:
        what: what it looks at.
        source: the paper it is from.
        images: whether it reads training images and their labels.
    """

    what: str
    source: str
    images: bool


_PROXIES = {
    "naswot": About(
        "how differently the rectifiers switch on different images",
        "Mellor et al., ICML 2021",
        images=True,
    ),
    "jacob_cov": About(
        "how little the gradients of different images by their pixels correlate",
        "Mellor et al., 2020; Abdelfattah et al., ICLR 2021",
        images=True,
    ),
    "zico": About(
        "how large and how steady the gradients of the weights are",
        "Li et al., ICLR 2023",
        images=True,
    ),
    "grad_norm": About(
        "how large the gradients of the weights are",
        "Abdelfattah et al., ICLR 2021",
        images=True,
    ),
    "snip": About(
        "how much the loss hangs on the weights",
        "Lee et al., ICLR 2019; Abdelfattah et al., ICLR 2021",
        images=True,
    ),
    "synflow": About(
        "how much flows through all paths of weights, whatever the data",
        "Tanaka et al., NeurIPS 2020; Abdelfattah et al., ICLR 2021",
        images=False,
    ),
    "params": About("trainable parameters: what a proxy has to beat", "", images=False),
    "macs": About("multiply-adds for one image: what a proxy has to beat", "", images=False),
}
# By name only: listing proxies must not import torch.

COSTS = ("params", "macs")
"""Proxies that are costs: known of every design before anything is built."""


def proxy_names() -> tuple[str, ...]:
    """The proxies that `find_proxy` knows."""
    return tuple(_PROXIES)


def about_proxy(name: str) -> About:
    """What a proxy is.

    Raises:
        UnknownName: there is none.
    """
    if name not in _PROXIES:
        raise UnknownName("proxy", name, _PROXIES)
    return _PROXIES[name]


def find_proxy(name: str) -> Callable[[Subject], float]:
    """The function that measures a proxy.

    Raises:
        UnknownName: there is none.
    """
    about_proxy(name)
    measure: Callable[[Subject], float] = import_module(f"dse.runtime.proxies.{name}").measure
    return measure


__all__ = ["COSTS", "About", "about_proxy", "find_proxy", "proxy_names"]
