"""Which evaluator a name stands for.

=====================  =========================================================================
``train``              training, the default
``proxy:zico``         a training-free proxy, or several: ``proxy:zico,synflow``
``table:accuracy``     any Python function of a module, also of one in the current folder
``nearest``            an entry point of the group ``dse.evaluators`` that a package declares
=====================  =========================================================================

A function is called as ``function(candidate, report)`` and returns metrics by name; an object that
can be called so will do as well. What was measured before may stand for training, as in a file
``table.py`` for ``dse search --evaluate table:accuracy``::

    import csv

    with open("measured.csv") as file:
        MEASURED = {row["digest"]: float(row["accuracy"]) for row in csv.DictReader(file)}

    def accuracy(candidate, report):
        # What this very network reached when it was trained.
        return {"accuracy": MEASURED[candidate.network.digest]}

A design that is not in the table fails with a ``KeyError``, which the search records and leaves.
"""

from __future__ import annotations

import os
import sys
from functools import reduce
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from dse.errors import InvalidValue, UnknownName
from dse.runtime.proxies import COSTS, about_proxy, proxy_names
from dse.search.candidate import Evaluate

TRAIN = "train"
_GROUP = "dse.evaluators"
_PROXY = "proxy:"


def proxies_of(name: str) -> tuple[str, ...]:
    """The proxies of ``proxy:zico,synflow``; none for another evaluator.

    Raises:
        UnknownName: a proxy is not known.
        InvalidValue: one is a cost, which needs no evaluator.
    """
    if not name.startswith(_PROXY):
        return ()
    names = tuple(part.strip() for part in name.removeprefix(_PROXY).split(","))
    for proxy in names:
        if proxy in COSTS:
            known = ", ".join(other for other in proxy_names() if other not in COSTS)
            raise InvalidValue(
                f"{proxy} is a cost that is known of every design, an evaluator measures one of "
                f"{known}; got {name!r}"
            )
        about_proxy(proxy)
    return names


def default_objectives(name: str) -> list[str]:
    """What a search by an evaluator aims at where nothing else is said."""
    return [next(iter(proxies_of(name)), "accuracy"), "params"]


def find_function(name: str) -> Evaluate:
    """The function that ``module:function`` or the name of an entry point stands for.

    Raises:
        UnknownName: no entry point is called so, nor is it of the form ``module:function``.
        InvalidValue: there is no such module or function, the module cannot be imported, or what
            was found cannot be called with a candidate.
    """
    declared = {point.name: point for point in entry_points(group=_GROUP)}
    if name in declared:
        return _function(name, _place(declared[name].value))
    module, colon, attribute = name.partition(":")
    if not (colon and module and attribute):
        proxies = [_PROXY + proxy for proxy in proxy_names() if proxy not in COSTS]
        raise UnknownName("evaluator", name, [TRAIN, "MODULE:FUNCTION", *proxies, *declared])
    return _function(name, (module, attribute))


def _place(value: str) -> tuple[str, str]:
    point = EntryPoint("", value, _GROUP)
    return point.module, point.attr


def _function(name: str, place: tuple[str, str]) -> Evaluate:
    module, attribute = place
    # As `python -m` does: what is tried out lies in the folder one works in.
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found: Any = import_module(module)
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}."):
            raise InvalidValue(f"evaluator {name!r}: there is no module {error.name!r}") from None
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise InvalidValue(
            f"evaluator {name!r}: the module {module} cannot be imported: {reason}"
        ) from None
    try:
        found = reduce(getattr, attribute.split("."), found)
    except AttributeError:
        raise InvalidValue(
            f"evaluator {name!r}: the module {module} has no {attribute!r}"
        ) from None
    if isinstance(found, type) or not callable(found):
        kind = "a class" if isinstance(found, type) else f"of type {type(found).__name__}"
        raise InvalidValue(
            f"evaluator {name!r}: it must be a function of a candidate and report, or an object "
            f"that is called so; {attribute} is {kind}"
        )
    evaluate: Evaluate = found
    return evaluate
