"""Compiling a space's document: nodes, groups and candidates, into the objects of `template`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from dse.blocks import Identity
from dse.network import NodeName
from dse.space.agenda import item_holes, most, value_holes
from dse.space.choices import Categorical
from dse.space.reader import Here, check_labels, shown
from dse.space.template import (
    BlockItem,
    BlockTemplate,
    ChoiceItem,
    GroupItem,
    Item,
    Scope,
    Template,
    Value,
)
from dse.space.values import (
    Draft,
    FieldType,
    is_hole,
    make_hole,
    read_block,
    read_fields,
    read_value,
)

_BESIDE_A_BLOCK = ("name", "inputs", "repeat", "first", "otherwise")
_NODE_NAME = re.compile(r"[a-z][a-z0-9_]*")
_ALLOWED = FieldType(TypeAdapter(NodeName))
_SCALE = FieldType(TypeAdapter(Annotated[float, Field(gt=0, le=64)]))
_COPIES = FieldType(TypeAdapter(Annotated[int, Field(ge=0, le=1000, strict=True)]))
_REPETITIONS = FieldType(TypeAdapter(Annotated[int, Field(ge=0, le=64, strict=True)]))


def compile_network(scale: Any, nodes: Any, here: Here) -> Template:
    """Compile the `scale` and `nodes` of a space's network.

    Raises:
        InvalidDesign: the document is malformed; says the field, the rule and the value.
    """
    factor = read_value(scale, _SCALE, here.at("scale", "scale"))
    names = _Names()
    items = names.read_list(nodes, here.at("nodes"))
    if not items:
        here.fail("a network has at least one node, got an empty list")
    names.mark(items)
    return Template(factor, items, Scope())


@dataclass
class _Own:
    """The names of one list of nodes: all that the document gives, and those used so far."""

    given: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)

    def unique(self, name: str) -> str:
        """`name`, with a number if it is taken."""
        number, unique = 1, name
        while unique in self.given or unique in self.used:
            number += 1
            unique = f"{name}{number}"
        self.used.add(unique)
        return unique

    def path(self, name: str) -> str:
        """What a choice adds to the names of its holes: a shared choice may stand here twice."""
        if name in self.used:
            return self.unique(name)
        self.used.add(name)
        return name


class _Names:
    """Reads lists of nodes, keeping the names that `inputs` may refer to."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.used: set[str] = set()

    def read_list(self, document: Any, here: Here) -> tuple[Item, ...]:
        """A list of nodes, one scope of names."""
        if not isinstance(document, list):
            here.fail(f"nodes are a list, got {shown(document)}")
        # Default names keep clear of those that are given, also further down the list.
        given = [node.get("name") for node in document if isinstance(node, dict)]
        own = _Own({name for name in given if isinstance(name, str)})
        items = []
        for index, node in enumerate(document):
            items.append(self._read(node, here.at(index), own))
        return tuple(items)

    def mark(self, items: tuple[Item, ...]) -> None:
        """Tell the items that they are referred to, so that walks need only remember those."""
        for item in items:
            if isinstance(item, ChoiceItem):
                for candidate in item.candidates.values():
                    self.mark(candidate)
                continue
            item.anchor = item.name in self.used
            if isinstance(item, GroupItem):
                self.mark(item.items)

    def _read(self, node: Any, here: Here, own: _Own, alone: bool = False) -> Item:
        if isinstance(node, str):
            node = {node: {}}
        node = here.mapping(node, "a node")
        inputs = here.words(node.get("inputs", []), "inputs")
        for name in inputs:
            if name not in self.seen:
                here.fail(f"inputs are nodes before it, got {name!r}")
        self.used.update(inputs)
        if "choose" in node:
            return self._read_choice(node, inputs, here, own)
        if "nodes" in node:
            return self._read_group(node, inputs, here, own)
        return self._read_block(node, inputs, here, own, alone)

    def _read_block(
        self,
        node: dict[Any, Any],
        inputs: tuple[str, ...],
        here: Here,
        own: _Own,
        alone: bool,
    ) -> BlockItem:
        rest = {k: v for k, v in node.items() if k not in _BESIDE_A_BLOCK}
        if len(rest) != 1:
            here.fail(
                "a node has a name and one block, nodes or choose; "
                f"got {', '.join(map(str, rest)) or 'no block'}"
            )
        [kind] = rest
        name = self._name(node.get("name"), str(kind), here, own)
        inside = here if alone else replace(here, path=f"{here.path}{name}.")
        repeat = self._repeat(node, _COPIES, inside)
        if "first" in node and repeat is None:
            here.fail("first is for repeated blocks, got no repeat")
        draft = read_block(rest, inside)
        spare = self._otherwise(node, draft, inside)
        block = first = _with_spare(draft, spare)
        if "first" in node:
            below = inside.at("first", "first")
            changes = read_fields(draft.cls, below.mapping(node["first"], "first"), below)
            if spare is not None and spare.cls is draft.cls:
                spare = spare.changed(changes)
            first = _with_spare(draft.changed(changes), spare)
        given = len(inputs) or 1
        if given != block.cls.arity:
            here.fail(f"{block.cls.kind} takes {block.cls.arity} inputs, got {given}")
        if given > 1 and repeat is not None and most(repeat) > 1:
            here.fail(f"a repeated block takes one input, got {block.cls.kind} with {given}")
        self.seen.add(name)
        return BlockItem(name, block, first, repeat, inputs, here.place)

    @staticmethod
    def _otherwise(node: dict[Any, Any], block: Draft, here: Here) -> Draft | None:
        if "otherwise" not in node:
            return None
        below = here.at("otherwise", "otherwise")
        if block.cls is Identity:
            below.fail("identity fits everywhere, nothing stands in its place")
        spare = read_block(node["otherwise"], below)
        if spare.cls.arity != block.cls.arity:
            below.fail(
                f"it takes as many inputs as {block.cls.kind} ({block.cls.arity}), "
                f"got {spare.cls.kind} with {spare.cls.arity}"
            )
        return spare

    def _read_group(
        self, node: dict[Any, Any], inputs: tuple[str, ...], here: Here, own: _Own
    ) -> GroupItem:
        here.only(node, ("name", "nodes", "repeat", "inputs"), "a group")
        if "name" not in node:
            here.fail("a group has a name, got none")
        name = self._name(node["name"], "", here, own)
        self._one_input(inputs, here)
        repeat = self._repeat(node, _REPETITIONS, replace(here, path=f"{here.path}{name}."))
        # Within the group paths start anew: the scope of each repetition says what comes before
        # them.
        inside = replace(here.at("nodes"), path="", grouped=True)
        items = self.read_list(node["nodes"], inside)
        self.seen.add(name)
        return GroupItem(name, here.path, items, repeat, inputs, here.place)

    def _read_choice(
        self, node: dict[Any, Any], inputs: tuple[str, ...], here: Here, own: _Own
    ) -> ChoiceItem:
        here.only(node, ("choose", "name", "inputs"), "a choice of nodes")
        self._one_input(inputs, here)
        below = here.at("choose")
        labelled = below.mapping(
            node["choose"], "a choice of nodes, each under a label (none: [] for nothing),"
        )
        labels = check_labels(labelled, below)
        given = node.get("name")
        path = own.path(given.removeprefix(".") if isinstance(given, str) else "choice")
        inside = replace(below, path=f"{here.path}{path}.")
        hole = make_hole(node, Categorical(labels), replace(inside, place=here.place))
        candidates = {}
        for label in labels:
            candidate = labelled[label]
            there = inside.at(label, str(label))
            if isinstance(candidate, list) or candidate is None:
                candidates[label] = self.read_list(candidate or [], there)
            elif isinstance(candidate, dict) and not is_hole(candidate):
                # The label of a candidate that is one node stands for its name in the names of
                # decisions.
                candidates[label] = (self._read(candidate, there, _Own(), alone=True),)
            else:
                candidates[label] = self.read_list([candidate], there)
        hole.branches = frozenset(
            label
            for label, items in candidates.items()
            if any(True for item in items for _ in item_holes(item, Scope()))
        )
        return ChoiceItem(hole, candidates, inputs, here.place)

    def _repeat(self, node: dict[Any, Any], kind: FieldType, here: Here) -> Value | None:
        if "repeat" not in node:
            return None
        repeat = read_value(node["repeat"], kind, here.at("repeat", "repeat"))
        for hole, _ in value_holes(repeat, Scope()):
            hole.branches = frozenset(hole.choice.values())
        return repeat

    def _name(self, given: Any, otherwise: str, here: Here, own: _Own) -> str:
        if given is None:
            return own.unique(otherwise)
        if not isinstance(given, str) or not _NODE_NAME.fullmatch(given) or len(given) > 40:
            here.fail(
                f"a node's name is lower-case letters, digits and _, at most 40; got {shown(given)}"
            )
        _ALLOWED.read(given, here.at("name"))
        if given in own.used:
            here.fail(f"names differ within a list of nodes, got {given!r} twice")
        own.used.add(given)
        return given

    def _one_input(self, inputs: tuple[str, ...], here: Here) -> None:
        if len(inputs) > 1:
            here.fail(f"groups and choices take one input, got {', '.join(inputs)}")


def _with_spare(block: Draft, spare: Draft | None) -> BlockTemplate:
    return block.template(None if spare is None else spare.template())
