"""Which layer of a file belongs to which layer of ours.

By name where the file has all of our names. Otherwise by structure: both list their layers in order
of construction, and these lists must agree in kind and shape from first to last. Shapes alone do
not tell a shortcut's convolution from the last one of the block beside it, and some build the
shortcut first: where both sides name their shortcuts, these are a list of their own. Where a file
does not keep the order, it follows from its names, or the file is refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from dse.errors import InvalidValue
from dse.runtime.weights.arrange import arranged
from dse.runtime.weights.layers import Layer

_AUXILIARY = re.compile(r"(^|\.)aux[^.]*", re.IGNORECASE)
_SHORTCUT = re.compile(r"(^|\.)(downsample|shortcut|identity|skip|proj(ection)?(\.|$))")

_SHOWN = 4

Pair = tuple[Layer, Layer]


@dataclass(frozen=True)
class Match:
    """Layers of ours, each with its partner in the file.

    Attributes:
        how: what the layers were found by.
        pairs: all but those that make the class scores, if the file is for other classes.
        heads: the latter, each with that of the file, if it has one.
        unused: layers of the file that serve its training alone.
    """

    how: Literal["name", "structure"]
    pairs: list[Pair]
    heads: list[tuple[Layer, Layer | None]]
    unused: list[Layer]


def match(
    ours: Sequence[Layer], theirs: Sequence[Layer], heads: Collection[str], *, ordered: bool
) -> Match:
    """Find the partner of each of our layers.

    Args:
        ours: all layers of our module.
        theirs: all layers of the file.
        heads: the names of our layers whose size is the number of classes: those of the file may
            have another, or be missing.
        ordered: whether the file lists its layers in order of construction.

    Raises:
        InvalidValue: the two do not fit each other; names the first layers that have no partner.
    """
    names = {layer.name for layer in ours}
    unused = [x for x in theirs if _AUXILIARY.search(x.name) and x.name not in names]
    theirs = [x for x in theirs if x not in unused]
    missing = _check_same_layers(ours, theirs, heads)
    wanted = [x for x in ours if x not in missing]
    by_name = {layer.name: layer for layer in theirs}
    how: Literal["name", "structure"] = "structure"
    if all(own.name in by_name and _fits(own, by_name[own.name], heads) for own in wanted):
        how = "name"
        pairs = [(own, by_name[own.name]) for own in wanted]
    else:
        pairs = _by_structure(wanted, theirs, heads, ordered)
    for own, other in pairs:
        bias = other.tensors.get("bias")
        if bias is not None and "bias" not in own.tensors and bias.count_nonzero():
            raise InvalidValue(f"{other} has a bias, {own} of the network has none")
    return Match(
        how,
        [pair for pair in pairs if pair[0].signature == pair[1].signature],
        [
            *(pair for pair in pairs if pair[0].signature != pair[1].signature),
            *((own, None) for own in missing),
        ],
        unused,
    )


def _check_same_layers(
    ours: Sequence[Layer], theirs: Sequence[Layer], heads: Collection[str]
) -> list[Layer]:
    """Check that both sides have the same layers, in any order; return the heads that the file
    lacks, being of a network without its classifier.

    Raises:
        InvalidValue: they have not.
    """
    free = Counter(x.signature for x in theirs)
    lost = []
    for layer in (x for x in ours if x.name not in heads):
        if free[layer.signature]:
            free[layer.signature] -= 1
        else:
            lost.append(layer)
    extra = []
    for layer in reversed(theirs):
        if free[layer.signature]:
            free[layer.signature] -= 1
            extra.append(layer)
    missing = []
    for own in (x for x in ours if x.name in heads):
        partner = next((x for x in extra if _fits(own, x, heads)), None)
        if partner is None:
            missing.append(own)
        else:
            extra.remove(partner)
    if lost or extra:
        raise InvalidValue(_unmatched(lost, extra[::-1]))
    return missing


def _by_structure(
    ours: Sequence[Layer], theirs: Sequence[Layer], heads: Collection[str], ordered: bool
) -> list[Pair]:
    """The layers in pairs, those of shortcuts apart if both sides name them."""
    own, own_rest = _without_shortcuts(ours)
    other, other_rest = _without_shortcuts(theirs)
    if own and Counter(x.signature for x in own) == Counter(x.signature for x in other):
        parts = [(own, other), (own_rest, other_rest)]
    else:
        parts = [(list(ours), list(theirs))]

    def fits(own: Layer, other: Layer) -> bool:
        return _fits(own, other, heads)

    pairs: list[Pair] = []
    for mine, found in parts:
        agrees = all(map(fits, mine, found))
        order = found if ordered and agrees else arranged(mine, found, fits)
        pairs += zip(mine, order, strict=True)
    return pairs


def _without_shortcuts(layers: Sequence[Layer]) -> tuple[list[Layer], list[Layer]]:
    found = [layer for layer in layers if _SHORTCUT.search(layer.name)]
    return found, [layer for layer in layers if layer not in found]


def _fits(own: Layer, other: Layer, heads: Collection[str]) -> bool:
    if own.name in heads and own.kind == other.kind:
        return own.shape[1:] == other.shape[1:]
    return own.signature == other.signature


def _unmatched(lost: Sequence[Layer], extra: Sequence[Layer]) -> str:
    parts = []
    if lost:
        parts.append(f"it has nothing for {_some(lost)}")
    if extra:
        parts.append(f"the network has no place for {_some(extra)}")
    return "; ".join(parts)


def _some(layers: Sequence[Layer]) -> str:
    shown = ", ".join(map(str, layers[:_SHOWN]))
    more = len(layers) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
