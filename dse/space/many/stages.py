"""The cost of blocks placed in many designs at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from dse.blocks import Block, Identity
from dse.cost import FLOAT_BYTES, Cost, Dies, along_graph, count_block, total
from dse.errors import InvalidDesign
from dse.ir import Shape
from dse.space.many.codes import Codes
from dse.space.many.lanes import Array, lanes, most, plain
from dse.space.template import BlockItem, BlockTemplate
from dse.space.values import build_block


class Placed(NamedTuple):
    """A block, or a stage of blocks, in its place in many designs.

    Attributes:
        item: where it stands in the document.
        copies: how many there are, for each row.
        first: for each row how the template of the first copy is closed.
        others: the same for the template of the others.
        reads: the numbers of the values that it reads: 0 is what comes in, the blocks' own count
            from 1.
    """

    item: BlockItem
    copies: Array
    first: Array
    others: Array
    reads: tuple[int, ...]


class _Kin:
    """Blocks that differ in nothing but integers; `numbers` has a row of them for each."""

    def __init__(self, example: Block) -> None:
        self.example = example
        self.members: list[list[int]] = []
        self.numbers: Array = np.empty((0, 0), np.int64)


class _Family:
    """The blocks of one template built so far.

    Attributes:
        keys: what they were built from, in order.
        kin: for each key which kin the block belongs to; -1 if there is no block.
        member: for each key the block's row among its kin.
        groups: the kin.
        refusals: why there is no block, by key.
    """

    def __init__(self) -> None:
        self.keys: Array = np.empty(0, np.int64)
        self.kin: Array = np.empty(0, np.int64)
        self.member: Array = np.empty(0, np.int64)
        self.groups: list[_Kin] = []
        self.refusals: dict[int, InvalidDesign] = {}
        self._structures: dict[Any, int] = {}

    def find(self, keys: Array, build: Callable[[int], Block]) -> Array:
        """The positions of some keys among those known, after building what is new."""
        at = np.searchsorted(self.keys, keys)
        if len(self.keys):
            at = np.minimum(at, len(self.keys) - 1)
            new = keys[self.keys[at] != keys]
        else:
            new = keys
        if not len(new):
            return at
        self._add(np.unique(new), build)
        return np.searchsorted(self.keys, keys)

    def _add(self, keys: Array, build: Callable[[int], Block]) -> None:
        places = []
        for key in keys.tolist():
            try:
                places.append(self._join(build(key)))
            except InvalidDesign as refusal:
                self.refusals[key] = refusal
                places.append((-1, -1))
        for kin in self.groups:
            if len(kin.members) > len(kin.numbers):
                kin.numbers = np.array(kin.members, np.int64)
        every = np.concatenate([self.keys, keys])
        order = np.argsort(every)
        kin, member = np.array(places).T
        self.keys = every[order]
        self.kin = np.concatenate([self.kin, kin])[order]
        self.member = np.concatenate([self.member, member])[order]

    def _join(self, block: Block) -> tuple[int, int]:
        structure, numbers = split(block)
        at = self._structures.get(structure)
        if at is None:
            at = self._structures[structure] = len(self.groups)
            self.groups.append(_Kin(block))
        self.groups[at].members.append(numbers)
        return at, len(self.groups[at].members) - 1


class Stager:
    """Counts placed blocks, for one number of classes."""

    def __init__(self, codes: Codes, classes: int) -> None:
        self._codes = codes
        self._classes = classes
        self._families: dict[BlockTemplate, _Family] = {}

    def follow(
        self,
        placed: Sequence[Placed],
        image: Shape,
        rows: Array,
        scale: tuple[Array, Sequence[float]],
        begins: bool,
    ) -> tuple[Shape, Cost, bool]:
        """What comes out of placed blocks, what they cost, and whether anything stands there.

        Args:
            placed: the blocks; nothing outside reads what they make, but for the last value.
            image: what comes in, which nothing outside reads.
            rows: those of the rows that are counted.
            scale: for each of all rows the number of its width multiplier, and the multipliers.
            begins: whether no block stands before them.

        Raises:
            InvalidDesign: the blocks do not fit each other.
            Parted: the rows have to be counted apart.
        """
        values = [(-1, image)]
        stages: list[Placed] = []
        sources: list[tuple[int, ...]] = []
        parts: list[tuple[Cost, int]] = []
        for part in placed:
            given = [values[read] for read in part.reads]
            source = tuple([stage for stage, _ in given])
            shapes = tuple([shape for _, shape in given])
            stands, output, spent = self._stage(part, rows, scale, shapes, (True,) * len(shapes))
            if not stands:
                values.append(given[0])
                continue
            if begins and -1 in source and stages:
                raise InvalidDesign("only the first node reads the image")
            values.append((len(stages), output))
            stages.append(part)
            sources.append(source)
            parts.append((spent, 0))
        last, output = values[-1]
        if any(source != (at - 1,) for at, source in enumerate(sources)):
            read = {stage for source in sources for stage in source} | {last}
            if not read.issuperset(range(len(stages))):
                raise InvalidDesign("every node but the last is read by another")

            def count(at: int, shapes: tuple[Shape, ...], dies: Dies) -> tuple[Shape, Cost]:
                return self._stage(stages[at], rows, scale, shapes, dies)[1:]

            parts = [(spent, beside) for _, spent, beside in along_graph(image, sources, count)]
        return output, total(parts, most), bool(stages)

    def _stage(
        self,
        part: Placed,
        rows: Array,
        scale: tuple[Array, Sequence[float]],
        shapes: tuple[Shape, ...],
        dies: Dies,
    ) -> tuple[bool, Shape, Cost]:
        """Whether anything stands at a place, what comes out of it, and what it costs."""
        item = part.item
        template, code = item.first, part.first
        left = lanes(np.abs(part.copies[rows]))
        costs: list[tuple[Cost, int]] = []
        beside = 0
        while left > 0:
            block_stands, output, spent = self._fitted(template, code, rows, scale, shapes, dies)
            copies = 1
            if template is item.block and all(dies) and _same(output, shapes[0]):
                # What keeps its shape costs the same every time.
                copies = left
                spent = Cost(
                    copies * spent.params,
                    copies * spent.buffers,
                    copies * spent.macs,
                    spent.peak_activation_bytes,
                )
            if block_stands:
                costs.append((spent, beside))
                # What the first of them reads may be alive beside the others.
                alive = [s.size for s, over in zip(shapes, dies, strict=True) if not over]
                beside += FLOAT_BYTES * sum(alive)
                shapes, dies = (output,), (True,)
            left = left - copies
            template, code = item.block, part.others
        return bool(costs), shapes[0], total(costs, most)

    def _fitted(
        self,
        template: BlockTemplate,
        code: Array,
        rows: Array,
        scale: tuple[Array, Sequence[float]],
        shapes: tuple[Shape, ...],
        dies: Dies,
    ) -> tuple[bool, Shape, Cost]:
        """The same for one block, or the one that stands in its place where it does not fit."""
        block = self._block(template, code[rows], scale[0][rows], scale[1])
        if isinstance(block, Identity):
            return False, shapes[0], Cost(0, 0, 0, 0)
        try:
            return True, *count_block("rows", block, shapes, dies, self._classes, most)
        except InvalidDesign:
            spare = template.otherwise
            if spare is None:
                raise
        # The spare is the last of the template's parts, and the last counts fastest.
        return self._fitted(spare, code % self._codes.size(spare), rows, scale, shapes, dies)

    def _block(
        self, template: BlockTemplate, code: Array, scale: Array, multipliers: Sequence[float]
    ) -> Block:
        """One block for all rows, its integers lanes.

        Raises:
            Parted: the rows have blocks of several structures.
            InvalidDesign: a rule between fields is broken.
        """
        family = self._families.get(template)
        if family is None:
            family = self._families[template] = _Family()

        def build(key: int) -> Block:
            closed = self._codes.closed(template, key // len(multipliers))
            return build_block(template, closed[1], multipliers[key % len(multipliers)])

        keys = code * len(multipliers) + scale
        at = family.find(keys, build)
        kin = lanes(family.kin[at])
        if kin == -1:
            raise family.refusals[int(keys[0])]
        group = family.groups[int(kin)]
        table = group.numbers[family.member[at]]
        columns = iter([lanes(table[:, column]) for column in range(table.shape[1])])
        return filled(group.example, columns)


def split(block: Block) -> tuple[Any, list[int]]:
    """A block as its structure and its integers."""
    structure: list[Any] = [type(block)]
    numbers: list[int] = []
    for name in type(block).model_fields:
        value = getattr(block, name)
        if isinstance(value, Block):
            inner, more = split(value)
            structure.append(inner)
            numbers += more
        elif type(value) is int:
            structure.append(int)
            numbers.append(value)
        else:
            structure.append(value)
    return tuple(structure), numbers


def filled(example: Block, numbers: Iterator[Any]) -> Block:
    """The example with other integers."""
    fields: dict[str, Any] = {}
    for name in type(example).model_fields:
        value = getattr(example, name)
        if isinstance(value, Block):
            value = filled(value, numbers)
        elif type(value) is int:
            value = next(numbers)
        fields[name] = value
    return type(example).model_construct(**fields)


def _same(a: Shape, b: Shape) -> bool:
    return len(a) == len(b) and all(
        bool(np.all(plain(x) == plain(y))) for x, y in zip(a, b, strict=True)
    )
