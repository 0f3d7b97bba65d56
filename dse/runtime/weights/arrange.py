"""The order of construction of a file that does not keep it: safetensors sorts names.

Names form a tree, as modules do. Its layers are put in an order in which they fill the places of
our network, under three rules: what is together in the tree stays together; siblings that differ in
numbers alone (``layer1``, ``layer2``), or are batch normalisations (``bn1``, ``last_bn2``), follow
their numbers; ``conv1`` and ``bn1``, ``expand`` and ``expand_norm`` are neighbours. There has to be
exactly one such order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from dse.errors import InvalidValue
from dse.runtime.weights.layers import Layer

Tree = Mapping[str, Any]  # of trees and layers
Fits = Callable[[Layer, Layer], bool]

_PATIENCE = 100_000
"""Steps of a search; those for nested names need a few for each layer."""

_KIND = re.compile(r"conv|batch_?norm|bn|norm")


def arranged(ours: Sequence[Layer], theirs: Sequence[Layer], fits: Fits) -> list[Layer]:
    """The layers of the file in the order of ours; as many as those.

    Raises:
        InvalidValue: there is no such order, or more than one: names two layers that could take
            each other's place.
    """
    search = _Search(ours, fits)
    found = search.fill(_tree(theirs), 0)
    if not found:
        raise InvalidValue("it has the same layers, but not in an order that the network has")
    if len(found) > 1:
        one, other = next(pair for pair in zip(*found, strict=True) if pair[0] is not pair[1])
        raise InvalidValue(
            f"its names leave open which of {one} and {other} comes first; a file that torch saved "
            "keeps the order"
        )
    return found[0]


def _tree(layers: Sequence[Layer]) -> Tree:
    """Layers by the last part of their names; inner nodes end in a dot, as a module may be both."""
    root: dict[str, Any] = {}
    for layer in layers:
        *path, last = layer.name.split(".")
        at = root
        for part in path:
            at = at.setdefault(f"{part}.", {})
        at[last] = layer
    return root


class _Search:
    """All orders of a tree that fill our places, but no more than two: a second one is one too
    many.
    """

    def __init__(self, ours: Sequence[Layer], fits: Fits) -> None:
        self._ours = ours
        self._fits = fits
        self._known: dict[tuple[int, frozenset[str], int], list[list[Layer]]] = {}
        self._steps = 0

    def fill(self, tree: Tree | Layer, place: int) -> list[list[Layer]]:
        """The orders in which a part of the tree fills the places from `place` on."""
        if isinstance(tree, Layer):
            return [[tree]] if self._fits(self._ours[place], tree) else []
        return self._order(tree, frozenset(tree), place)

    def _order(self, tree: Tree, names: frozenset[str], place: int) -> list[list[Layer]]:
        """The orders of some children of a node, those that remain."""
        if not names:
            return [[]]
        key = id(tree), names, place
        if key not in self._known:
            self._steps += 1
            if self._steps > _PATIENCE:
                raise InvalidValue("its names leave open in which order its layers come")
            self._known[key] = list(islice(self._orders(tree, names, place), 2))
        return self._known[key]

    def _orders(self, tree: Tree, names: frozenset[str], place: int) -> Iterator[list[Layer]]:
        due = [name for name in names if any(_paired(name, x, tree) for x in tree.keys() - names)]
        for name in sorted(due or names):
            if any(_precedes(other, name, tree) for other in names):
                continue
            for first in self.fill(tree[name], place):
                for rest in self._order(tree, names - {name}, place + len(first)):
                    yield first + rest


def _precedes(name: str, other: str, tree: Tree) -> bool:
    """Whether one sibling must come before another by its numbers."""
    numbers, others = _numbers(name), _numbers(other)
    if not numbers or not others:
        return False
    if _words(name) == _words(other):
        return numbers < others
    return _kinds(name, other, tree) == {"norm"} and numbers[-1] < others[-1]


def _paired(name: str, other: str, tree: Tree) -> bool:
    """Whether two siblings are, by their names, a convolution and its batch normalisation."""
    if _kinds(name, other, tree) != {"norm", "weights"}:
        return False
    return _KIND.sub("", name).strip("_") == _KIND.sub("", other).strip("_")


def _kinds(name: str, other: str, tree: Tree) -> set[str]:
    """Of two siblings, if both are layers."""
    pair = tree[name], tree[other]
    return {x.kind for x in pair} if all(isinstance(x, Layer) for x in pair) else set()


def _words(name: str) -> str:
    return re.sub(r"\d+", "#", name).removesuffix(".")


def _numbers(name: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", name)]
