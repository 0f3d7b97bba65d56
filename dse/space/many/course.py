"""Many designs on their way through a template at once, each row at a point of its own walk.

What a walk does for one design (`dse.space.expand`) is done here for columns of them: rows that
decide alike go on together, and rows that come to the same place are joined again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

import numpy as np

from dse.blocks import Identity
from dse.errors import InvalidDesign
from dse.ir import Shape
from dse.space.agenda import item_holes, value_holes
from dse.space.many.codes import Codes, Options
from dse.space.many.lanes import Array, apart, lanes, plain
from dse.space.many.rows import COSTS, SHAPE, Rows, join
from dse.space.many.stages import Placed, Stager
from dse.space.template import (
    BlockItem,
    BlockTemplate,
    ChoiceItem,
    GroupItem,
    Hole,
    Item,
    Listing,
    Pick,
    Scope,
    Table,
    Template,
    Value,
)

Names = frozenset[str]


@dataclass
class _Trace:
    """Rows that have placed the same blocks since they came in."""

    rows: Rows
    placed: tuple[tuple[BlockItem, Scope, tuple[int, ...]], ...] = ()
    current: int = 0
    named: Mapping[tuple[Scope, str], int] = field(default_factory=dict)

    def only(self, rows: Array) -> _Trace:
        return replace(self, rows=self.rows.take(rows))

    def anchored(self, item: BlockItem | GroupItem, scope: Scope) -> _Trace:
        if not item.anchor:
            return self
        return replace(self, named={**self.named, (scope, item.name): self.current})

    def find(self, name: str, scope: Scope) -> int | None:
        place: Scope | None = scope
        while place is not None:
            if (place, name) in self.named:
                return self.named[place, name]
            place = place.parent
        return None


class Course(ABC):
    """A pass over the template of a space, for its images and classes."""

    def __init__(self, template: Template, image: Shape, classes: int) -> None:
        self._template = template
        self._image = image
        self._classes = classes
        self._options = Options()
        self._codes = Codes(self._options)
        self._stager = Stager(self._codes, classes)
        self._names: dict[tuple[Item, Scope], Names] = {}
        self._alphas: list[float] = []
        self._depth = 0

    # -- what a kind of course does in its own way

    @abstractmethod
    def decide(self, rows: Rows, name: str, hole: Hole) -> Rows:
        """The rows with a decision made where it was not."""

    @abstractmethod
    def column(self, rows: Rows, name: str) -> Array:
        """The decisions under a name, as numbers of options."""

    @abstractmethod
    def refused(self, rows: Rows, refusal: InvalidDesign) -> None:
        """Take note of rows that make no network."""

    def settled(self, rows: Rows, later: Names) -> Rows:
        """The rows after an item, of whose decisions only those `later` play a part again."""
        return rows

    # -- the way through

    def follow(self, rows: Rows) -> Rows:
        """Lead rows that stand at the beginning to the end; those that make no network fall out."""
        template, top = self._template, self._template.top
        later = self._all_names(template.items, top)
        rows = self._close(template.scale, top, rows)
        codes = range(self._codes.size(template.scale))
        self._alphas = [float(self._codes.closed(template.scale, code)) for code in codes]
        rows = rows.having(scale=self._code(template.scale, top, rows))
        rows = self._items(template.items, top, self.settled(rows, later), frozenset())
        scores = rows.state["channels"] == self._classes
        scores &= (rows.state["height"] == 0) & ~rows.state["bare"]
        if not scores.all():
            self.refused(rows.take(~scores), InvalidDesign("a network ends in one score per class"))
            rows = rows.take(scores)
        return rows

    def start(self, count: int) -> Rows:
        """Rows at the beginning, all alike."""
        channels, height, width = self._image
        state = {"channels": channels, "height": height, "width": width}
        state |= dict.fromkeys(COSTS, 0) | {"scale": 0}
        columns = {name: np.full(count, value, np.int64) for name, value in state.items()}
        return Rows({**columns, "bare": np.ones(count, bool)})

    def _items(self, items: tuple[Item, ...], scope: Scope, rows: Rows, later: Names) -> Rows:
        for part, rest in _closed_parts(items):
            if not len(rows):
                return rows
            after = later | self._all_names(rest, scope)
            [first, *others] = part
            if others or isinstance(first, BlockItem):
                rows = self.place(part, scope, rows, after)
            elif isinstance(first, ChoiceItem):
                rows = self.decide(rows, first.hole.name(scope), first.hole)
                rows = join(
                    [
                        self._items(first.candidates[option], scope, some, after)
                        for option, some in self._split(first.hole, scope, rows)
                    ]
                )
                rows = self.settled(rows, after)
            else:
                rows = self._group(first, scope, rows, after)
        return rows

    def _group(self, item: GroupItem, scope: Scope, rows: Rows, later: Names) -> Rows:
        if item.repeat is None:
            return self._items(item.items, scope.within(item, 0), rows, later)
        rows = self._close(item.repeat, scope, rows)
        counts = self._numbers(item.repeat, scope, rows)
        column = f"repetitions {self._depth}"
        rows = rows.having(**{column: counts})
        self._depth += 1
        most = int(counts.max(initial=0))
        scopes = [scope.within(item, number) for number in range(1, most + 1)]
        for number, inner in enumerate(scopes):
            after = later.union(*(self._all_names(item.items, s) for s in scopes[number + 1 :]))
            going = rows.state[column] > number
            on = self._items(item.items, inner, rows.take(going), after)
            rows = self.settled(join([rows.take(~going), on]), after)
        self._depth -= 1
        return Rows({k: v for k, v in rows.state.items() if k != column}, rows.known)

    # -- blocks, and lists of nodes that read each other

    def place(self, items: tuple[Item, ...], scope: Scope, rows: Rows, later: Names) -> Rows:
        """The rows after `items`, in which nothing is read from outside and nothing is left that
        could be.
        """
        traces = [_Trace(rows)]
        for item in items:
            traces = [after for trace in traces for after in self._trace(item, scope, trace)]
        return self.settled(join([self._counted(trace) for trace in traces]), later)

    def _trace(self, item: Item, scope: Scope, trace: _Trace) -> list[_Trace]:
        """Split a trace by what an item places."""
        if not len(trace.rows):
            return [trace]
        if isinstance(item, BlockItem):
            return self._trace_block(item, scope, trace)
        if item.inputs:
            read = trace.find(item.inputs[0], scope)
            if read is None:
                return self._unread(trace, item.inputs[0])
            trace = replace(trace, current=read)
        if isinstance(item, ChoiceItem):
            rows = self.decide(trace.rows, item.hole.name(scope), item.hole)
            return [
                after
                for option, some in self._split(item.hole, scope, rows)
                for after in self._trace_all(
                    item.candidates[option], scope, replace(trace, rows=some)
                )
            ]
        if item.repeat is None:
            after = self._trace_all(item.items, scope.within(item, 0), trace)
            return [one.anchored(item, scope) for one in after]
        rows = self._close(item.repeat, scope, trace.rows)
        counts = self._numbers(item.repeat, scope, rows)
        found = []
        for count in np.unique(counts).tolist():
            some = [replace(trace, rows=rows.take(counts == count))]
            for number in range(1, count + 1):
                inner = scope.within(item, number)
                some = [t for one in some for t in self._trace_all(item.items, inner, one)]
            found += [one.anchored(item, scope) for one in some]
        return found

    def _trace_all(self, items: tuple[Item, ...], scope: Scope, trace: _Trace) -> list[_Trace]:
        traces = [trace]
        for item in items:
            traces = [after for one in traces for after in self._trace(item, scope, one)]
        return traces

    def _trace_block(self, item: BlockItem, scope: Scope, trace: _Trace) -> list[_Trace]:
        reads = [trace.find(name, scope) for name in item.inputs] or [trace.current]
        if None in reads:
            return self._unread(trace, item.inputs[reads.index(None)])
        read = tuple([number for number in reads if number is not None])
        if item.repeat is not None:
            trace = replace(trace, rows=self._close(item.repeat, scope, trace.rows))
        copies = self._copies(item, scope, trace.rows)
        nothing = (copies == 0) | (item.block.cls is Identity)
        found = []
        if nothing.any():
            found.append(replace(trace.only(nothing), current=read[0]).anchored(item, scope))
        # A single copy has no use for the template of the others, and does not ask for its holes.
        alone = ~nothing & (np.abs(copies) == 1) & (item.first is not item.block)
        for some, templates in (
            (alone, [item.first]),
            (~nothing & ~alone, dict.fromkeys([item.first, item.block])),
        ):
            if not some.any():
                continue
            rows = trace.rows.take(some)
            for template in templates:
                rows = self._close(template, scope, rows)
            placed = (*trace.placed, (item, scope, read))
            on = replace(trace, rows=rows, placed=placed, current=len(placed))
            found.append(on.anchored(item, scope))
        return found

    def _unread(self, trace: _Trace, name: str) -> list[_Trace]:
        self.refused(trace.rows, InvalidDesign(f"there is no node {name!r} to be read"))
        return [trace.only(np.zeros(len(trace.rows), bool))]

    def _counted(self, trace: _Trace) -> Rows:
        """The rows of a trace with its blocks' shapes and costs; those they do not fit fall out."""
        rows = trace.rows
        if not trace.placed or not len(rows):
            return rows
        if trace.current != len(trace.placed):
            self.refused(rows, InvalidDesign("every node but the last is read by another"))
            return rows.take(np.zeros(len(rows), bool))
        placed = [
            Placed(
                item,
                self._copies(item, scope, rows),
                self._code(item.first, scope, rows),
                self._code(item.block, scope, rows),
                reads,
            )
            for item, scope, reads in trace.placed
        ]
        state = rows.state
        image = [state[name] for name in SHAPE]
        out = {name: state[name].copy() for name in (*SHAPE, *COSTS, "bare")}
        scale = (state["scale"], self._alphas)

        def run(group: Array) -> None:
            channels, height, width = [lanes(column[group]) for column in image]
            shape = Shape((channels, height, width) if height > 0 else (channels,))
            begins = bool(lanes(state["bare"][group]))
            output, spent, stands = self._stager.follow(placed, shape, group, scale, begins)
            sizes = (*output, 0, 0)[:3]
            for name, size in zip(SHAPE, sizes, strict=True):
                out[name][group] = plain(size)
            for name in COSTS[:3]:
                out[name][group] += plain(getattr(spent, name))
            peak = plain(spent.peak_activation_bytes)
            out[COSTS[3]][group] = np.maximum(out[COSTS[3]][group], peak)
            if stands:
                out["bare"][group] = False

        kept = np.ones(len(rows), bool)
        for group, refusal in apart(np.arange(len(rows)), run):
            if refusal is not None:
                kept[group] = False
                self.refused(rows.take(group), refusal)
        counted = rows.having(**out)
        return counted if kept.all() else counted.take(kept)

    # -- values

    def _close(self, value: Value, scope: Scope, rows: Rows) -> Rows:
        """The rows with all holes of a value decided."""
        match value:
            case Pick():
                return self.decide(rows, value.hole.name(scope), value.hole)
            case Table():
                rows = self.decide(rows, value.hole.name(scope), value.hole)
                if not any(True for v in value.values.values() for _ in value_holes(v, scope)):
                    return rows
                return join(
                    [
                        self._close(value.values[option], scope, some)
                        for option, some in self._split(value.hole, scope, rows)
                    ]
                )
            case Listing():
                parts = value.values
            case BlockTemplate():
                parts = value.parts
            case _:
                return rows
        return reduce(lambda done, part: self._close(part, scope, done), parts, rows)

    def _code(self, value: Value, scope: Scope, rows: Rows) -> Array:
        def column(hole: Hole) -> Array:
            return self.column(rows, hole.name(scope))

        return self._codes.of(value, column, len(rows))

    def _numbers(self, value: Value, scope: Scope, rows: Rows) -> Array:
        """The numbers that a repeat is, row by row."""
        every = range(self._codes.size(value))
        table = np.array([self._codes.closed(value, code) for code in every], np.int64)
        return table[self._code(value, scope, rows)]

    def _copies(self, item: BlockItem, scope: Scope, rows: Rows) -> Array:
        if item.repeat is None:
            return np.full(len(rows), -1)
        return self._numbers(item.repeat, scope, rows)

    def _split(self, hole: Hole, scope: Scope, rows: Rows):  # type: ignore[no-untyped-def]
        """The rows by their option at a hole, with the option."""
        column = self.column(rows, hole.name(scope))
        for number, option in enumerate(self._options.of(hole.choice)):
            here = column == number
            if here.any():
                yield option, rows.take(here)

    def _all_names(self, items: Sequence[Item], scope: Scope) -> Names:
        return frozenset().union(*(self._names_of(item, scope) for item in items))

    def _names_of(self, item: Item, scope: Scope) -> Names:
        names = self._names.get((item, scope))
        if names is None:
            names = frozenset(hole.name(inner) for hole, inner in item_holes(item, scope))
            self._names[item, scope] = names
        return names


# -- which nodes read each other


def _closed_parts(items: tuple[Item, ...]) -> list[tuple[tuple[Item, ...], tuple[Item, ...]]]:
    """Cut a list of nodes where nothing is read across the cut; each part with what follows it."""
    first = list(range(len(items)))
    for at, item in enumerate(items):
        for name in _reads(item):
            makers = [before for before in range(at) if name in _makes(items[before])]
            first[at] = min([first[at], *makers])
    parts = []
    end = len(items)
    while end > 0:
        begin = end - 1
        at = end - 1
        while at >= begin:
            begin = min(begin, first[at])
            at -= 1
        parts.append((items[begin:end], items[end:]))
        end = begin
    return parts[::-1]


def _makes(item: Item) -> Names:
    """Names that an item gives to values, for those after it to read."""
    if isinstance(item, ChoiceItem):
        inner = [part for candidate in item.candidates.values() for part in candidate]
        return frozenset().union(*map(_makes, inner))
    return frozenset([item.name] if item.anchor else [])


def _reads(item: Item) -> Names:
    """Names that an item reads, from before it or from within."""
    names = frozenset(item.inputs)
    if isinstance(item, ChoiceItem):
        inner = [part for candidate in item.candidates.values() for part in candidate]
    else:
        inner = list(item.items) if isinstance(item, GroupItem) else []
    return names.union(*map(_reads, inner))
