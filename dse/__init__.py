"""Design-space exploration of lightweight networks: describe one as data, and cost, search, train
and emit it.

>>> import dse
>>> network = dse.preset("squeezenet", classes=10)
>>> dse.cost(network).params
740554
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dse.cost import Budget as Budget
    from dse.cost import Cost as Cost
    from dse.cost import cost as cost
    from dse.data import load_dataset as load_dataset
    from dse.diff import diff as diff
    from dse.draw import graph as graph
    from dse.emit import emit as emit
    from dse.errors import DseError as DseError
    from dse.errors import InvalidDesign as InvalidDesign
    from dse.errors import OverBudget as OverBudget
    from dse.errors import UnknownName as UnknownName
    from dse.experiments import compare as compare
    from dse.experiments import open_experiment as open_experiment
    from dse.experiments import train as train
    from dse.generate import generate as generate
    from dse.network import Network as Network
    from dse.presets import load_preset as preset  # noqa: F401 - re-exported by name
    from dse.recipes import recipe as recipe
    from dse.runs import Run as Run
    from dse.runs import open_run as open_run
    from dse.runtime.evaluate import Train as Train
    from dse.runtime.load import build as build
    from dse.search import search as search
    from dse.space import Space as Space
    from dse.space import load_space as load_space

_PUBLIC = {
    "Budget": "dse.cost",
    "Cost": "dse.cost",
    "DseError": "dse.errors",
    "InvalidDesign": "dse.errors",
    "Network": "dse.network",
    "OverBudget": "dse.errors",
    "Run": "dse.runs",
    "Space": "dse.space",
    "Train": "dse.runtime.evaluate",
    "UnknownName": "dse.errors",
    "build": "dse.runtime.load",
    "compare": "dse.experiments",
    "cost": "dse.cost",
    "diff": "dse.diff",
    "emit": "dse.emit",
    "generate": "dse.generate",
    "graph": "dse.draw",
    "load_dataset": "dse.data",
    "load_space": "dse.space",
    "open_experiment": "dse.experiments",
    "open_run": "dse.runs",
    "preset": "dse.presets",
    "recipe": "dse.recipes",
    "search": "dse.search",
    "train": "dse.experiments",
}
"""Where each public name lives. Nothing is imported before it is asked for: torch alone takes a
second.
"""

__all__ = sorted(_PUBLIC)


class _Public:
    """A public name of the package.

    A descriptor, because Python binds a submodule to its package when it is first imported: without
    it, ``dse.cost`` would turn from the function into the module ``dse/cost.py`` as soon as
    anything imports that.
    """

    def __init__(self, name: str, module: str) -> None:
        self.name, self.module = name, module

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        found = import_module(self.module)
        return getattr(found, "load_preset" if self.name == "preset" else self.name)

    def __set__(self, instance: object, value: object) -> None:
        """Python's binding of the submodule: left out."""


class _Package(ModuleType):
    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *_PUBLIC})


for _name, _module in _PUBLIC.items():
    setattr(_Package, _name, _Public(_name, _module))
sys.modules[__name__].__class__ = _Package
