"""The compiled form of a space: the network document as a tree of small objects, its holes among
the leaves.

Values (of fields, repeats and the scale) are `Const`, `Pick`, `Table`, `Listing` or
`BlockTemplate`; nodes are `BlockItem`, `GroupItem` or `ChoiceItem`. What walks this tree: `expand`
(to decide and bind), `agenda` (to locate and count), `steps` (to stop anywhere on the way).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dse.blocks import Block
from dse.space.choices import Categorical, Choice, Scalar


@dataclass(eq=False, slots=True)
class Scope:
    """Where names live: the document's top, or one repetition of a group.

    Attributes:
        holes: what comes before the names of the holes in it, ``stage2.``.
        nodes: what comes before the names of the nodes in it, ``stage2_``.
        parent: the scope around it.
    """

    holes: str = ""
    nodes: str = ""
    parent: Scope | None = None
    inner: dict[tuple[GroupItem, int], Scope] = field(default_factory=dict)

    def within(self, group: GroupItem, number: int) -> Scope:
        """The scope of one repetition of `group` (0 for a group that is not repeated); always the
        same object.
        """
        scope = self.inner.get((group, number))
        if scope is None:
            name = f"{group.name}{number or ''}"
            scope = Scope(f"{self.holes}{group.path}{name}.", f"{self.nodes}{name}_", self)
            self.inner[group, number] = scope
        return scope


@dataclass(eq=False, slots=True)
class Hole:
    """A decision to be made.

    Attributes:
        choice: what it may become.
        text: its name, or its path within its scope.
        local: whether each scope has its own; a named hole without a dot is one decision for all.
        given: whether the document names it.
        place: where it stands in the document, for errors.
        branches: the options that decide which holes are met later: labels of what has holes
            again, and numbers of repetitions.
        offered: the options of a categorical choice by their identity.
    """

    choice: Choice
    text: str
    local: bool
    given: bool
    place: str
    branches: frozenset[Scalar] = frozenset()
    offered: dict[int, Scalar] = field(init=False)

    def __post_init__(self) -> None:
        options = self.choice.options if isinstance(self.choice, Categorical) else ()
        self.offered = {id(option): option for option in options}

    def name(self, scope: Scope) -> str:
        return scope.holes + self.text if self.local else self.text


# -- values ----------------------------------------------------------------------------------------


@dataclass(eq=False, slots=True)
class Const:
    """A value without holes: `value` as written, `plain` as the block's field will hold it."""

    value: Any
    plain: Any


@dataclass(eq=False, slots=True)
class Pick:
    """A hole for a scalar; `plain` maps options to what the block's field will hold."""

    hole: Hole
    plain: dict[Scalar, Any]


@dataclass(eq=False, slots=True)
class Table:
    """A hole whose options are labels of values, which may hold holes again."""

    hole: Hole
    values: dict[Scalar, Value]


@dataclass(eq=False, slots=True)
class Listing:
    """A list with holes in it."""

    values: tuple[Value, ...]


@dataclass(eq=False, slots=True)
class BlockTemplate:
    """A block some of whose fields are open.

    Attributes:
        cls: the block's class.
        fields: every field of the class; those the document leaves out hold their defaults.
        given: the fields that the document fixes, as written.
        open: the fields with holes.
        otherwise: the block that stands in its place where it does not fit its inputs.
        parts: what a walk closes: the values of the open fields, then `otherwise`.
        built: the blocks made so far, by the values of the open fields and the width multiplier.
    """

    cls: type[Block]
    fields: dict[str, Value]
    given: dict[str, Any]
    open: tuple[tuple[str, Value], ...]
    otherwise: BlockTemplate | None = None
    parts: tuple[Value, ...] = field(init=False)
    built: dict[Any, Block] = field(default_factory=dict)

    def __post_init__(self) -> None:
        spare = () if self.otherwise is None else (self.otherwise,)
        self.parts = (*[value for _, value in self.open], *spare)


Value = Const | Pick | Table | Listing | BlockTemplate

# -- nodes -----------------------------------------------------------------------------------------


@dataclass(eq=False, slots=True)
class BlockItem:
    """A block, once or repeated. `first` is the template of the first copy, where that differs."""

    name: str
    block: BlockTemplate
    first: BlockTemplate
    repeat: Value | None
    inputs: tuple[str, ...]
    place: str
    anchor: bool = False
    """Whether some `inputs` refer to its name."""


@dataclass(eq=False, slots=True)
class GroupItem:
    """A list of nodes under a name, once or repeated; `path` leads to it within its scope."""

    name: str
    path: str
    items: tuple[Item, ...]
    repeat: Value | None
    inputs: tuple[str, ...]
    place: str
    anchor: bool = False


@dataclass(eq=False, slots=True)
class ChoiceItem:
    """Labelled candidates, each a list of nodes, perhaps an empty one."""

    hole: Hole
    candidates: dict[Scalar, tuple[Item, ...]]
    inputs: tuple[str, ...]
    place: str


Item = BlockItem | GroupItem | ChoiceItem


@dataclass(eq=False, slots=True)
class Template:
    """The whole document's network."""

    scale: Value
    items: tuple[Item, ...]
    top: Scope
