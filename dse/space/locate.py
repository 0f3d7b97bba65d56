"""The inverse of binding: the decisions that lead to a given network.

Blocks are matched in order against the document, following every way at a choice, a repeat or a
range until one explains the whole network. States that were visited before are not visited again: a
state is the place in the document, the place in the network, and those earlier decisions that can
still matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from dse.blocks import Block, Identity
from dse.cost import count_block
from dse.errors import InvalidDesign
from dse.ir import Shape
from dse.network import Network
from dse.space.agenda import Agenda, Agendas, outcomes
from dse.space.choices import Scalar
from dse.space.match import Made, match_block
from dse.space.template import (
    BlockItem,
    BlockTemplate,
    ChoiceItem,
    GroupItem,
    Item,
    Scope,
    Template,
)
from dse.space.values import build_block

_IMAGE = -1
"""The position of the image among the blocks, which are counted from 0."""
_MAX_STATES = 300_000
_MOST_CLOSED = 1_000
"""Ways to close the holes of a block that does not stand in the network, of those followed up."""

Named = tuple[tuple[tuple[Scope, str], int], ...]
"""What the names that `inputs` refer to stand for."""


@dataclass(slots=True)
class _Target:
    """A block of the network, identities left out, and the positions it reads."""

    block: Block
    reads: tuple[int, ...]


@dataclass(slots=True)
class _Stage:
    """A stage so far: where the next of its blocks stands in the network, and what that reads."""

    position: int
    reads: tuple[int, ...]
    known: dict[str, Scalar]


@dataclass(slots=True)
class _State:
    agenda: Agenda | None
    position: int
    current: int
    named: Named
    known: dict[str, Scalar]


def matches(template: Template, network: Network) -> Iterator[dict[str, Scalar]]:
    """Decisions that reproduce the network's blocks one by one, unscaled designs first."""
    targets = _targets(network)
    agendas = Agendas()
    start = agendas.push(template.items, template.top, None)
    scales = sorted(outcomes(template.scale, template.top, {}), key=lambda way: way[1] != 1)
    for known, alpha in scales:
        search = _Search(targets, network, agendas, float(alpha))
        yield from search.run(_State(start, 0, _IMAGE, (), known))


def _targets(network: Network) -> list[_Target]:
    """The network without its identities."""
    stands_for = {_IMAGE: _IMAGE}
    targets: list[_Target] = []
    for position, (node, sources) in enumerate(zip(network.nodes, network.sources(), strict=True)):
        reads = tuple(stands_for[source] for source in sources)
        if isinstance(node.block, Identity):
            stands_for[position] = reads[0]
        else:
            stands_for[position] = len(targets)
            targets.append(_Target(node.block, reads))
    return targets


def _shapes(network: Network) -> dict[int, Shape]:
    """What stands at the positions of the targets, and at the image's."""
    made = [
        scope.output.shape
        for scope, node in zip(network.lower().body, network.nodes, strict=True)
        if not isinstance(node.block, Identity)
    ]
    return {_IMAGE: network.input, **dict(enumerate(made))}


class _Search:
    """A depth-first search over states, for one width multiplier."""

    def __init__(
        self, targets: list[_Target], network: Network, agendas: Agendas, alpha: float
    ) -> None:
        self._targets = targets
        self._classes = network.classes
        self._shapes = _shapes(network)
        self._agendas = agendas
        self._alpha = alpha
        self._seen: set[tuple[object, ...]] = set()
        self._fitting: dict[tuple[object, ...], bool] = {}

    def run(self, start: _State) -> Iterator[dict[str, Scalar]]:
        stack = [start]
        while stack and len(self._seen) < _MAX_STATES:
            state = stack.pop()
            if state.agenda is None:
                if state.position == len(self._targets) == state.current + 1:
                    yield state.known
                continue
            key = self._key(state, state.agenda)
            if key not in self._seen:
                self._seen.add(key)
                after = list(self._successors(state, state.agenda))
                stack.extend(reversed(after))

    @staticmethod
    def _key(state: _State, agenda: Agenda) -> tuple[object, ...]:
        names = agenda.names
        relevant = frozenset(item for item in state.known.items() if item[0] in names)
        return id(agenda), state.position, state.current, state.named, relevant

    def _successors(self, state: _State, agenda: Agenda) -> Iterator[_State]:
        item, scope = agenda.item, agenda.scope
        if isinstance(item, BlockItem):
            yield from self._blocks(state, agenda, item)
        elif agenda.done:
            named = _remember(item, scope, state.current, state.named)
            yield _State(agenda.rest, state.position, state.current, named, state.known)
        else:
            current = state.current
            if item.inputs:
                found = _find(item.inputs[0], scope, state.named)
                if found is None:
                    return
                current = found
            if isinstance(item, GroupItem):
                yield from self._groups(state, agenda, item, current)
            else:
                yield from self._candidates(state, agenda, item, current)

    def _candidates(
        self, state: _State, agenda: Agenda, item: ChoiceItem, current: int
    ) -> Iterator[_State]:
        name = item.hole.name(agenda.scope)
        known = state.known
        labels = (known[name],) if name in known else tuple(item.candidates)
        for label in labels:
            inner = self._agendas.push(item.candidates[label], agenda.scope, agenda.rest)
            made = known if name in known else {**known, name: label}
            yield _State(inner, state.position, current, state.named, made)

    def _groups(
        self, state: _State, agenda: Agenda, item: GroupItem, current: int
    ) -> Iterator[_State]:
        for made, count in self._counts(item, agenda.scope, state.known):
            inner = self._agendas.push_group(item, agenda.scope, count, agenda.rest)
            known = {**state.known, **made} if made else state.known
            yield _State(inner, state.position, current, state.named, known)

    def _blocks(self, state: _State, agenda: Agenda, item: BlockItem) -> Iterator[_State]:
        scope = agenda.scope
        reads: tuple[int, ...] = (state.current,)
        if item.inputs:
            found = [_find(name, scope, state.named) for name in item.inputs]
            if None in found:
                return
            reads = tuple(position for position in found if position is not None)
        if item.block.otherwise is not None:
            yield from self._fitted(state, agenda, item, reads)
            return
        nothing = item.block.cls is Identity
        run = 0 if nothing else self._run(item, state.position, reads)
        for made, count in self._counts(item, scope, state.known):
            copies = 0 if nothing else 1 if count is None else count
            if copies > run:
                continue
            known = {**state.known, **made} if made else state.known
            end = state.position + copies
            current = end - 1 if copies else reads[0]
            named = _remember(item, scope, current, state.named)
            for ways in self._copies(item, scope, known, state.position, copies):
                yield _State(agenda.rest, end, current, named, {**known, **ways})

    def _run(self, item: BlockItem, position: int, reads: tuple[int, ...]) -> int:
        """How many blocks of the item's kind follow each other from here."""
        targets, start = self._targets, position
        while position < len(targets) and type(targets[position].block) is item.block.cls:
            if targets[position].reads != (reads if position == start else (position - 1,)):
                break
            position += 1
        return position - start

    def _copies(
        self, item: BlockItem, scope: Scope, known: dict[str, Scalar], position: int, copies: int
    ) -> Iterator[dict[str, Scalar]]:
        if copies == 0:
            yield {}
            return
        blocks = [target.block for target in self._targets[position : position + copies]]
        if any(block != blocks[-1] for block in blocks[1:]):
            return
        for way in match_block(item.first, blocks[0], scope, known, self._alpha):
            if copies == 1:
                yield way
                continue
            both = {**known, **way}
            for more in match_block(item.block, blocks[1], scope, both, self._alpha):
                yield {**way, **more}

    # -- blocks with another that stands in their place where they do not fit

    def _fitted(
        self, state: _State, agenda: Agenda, item: BlockItem, reads: tuple[int, ...]
    ) -> Iterator[_State]:
        scope = agenda.scope
        for made, count in self._counts(item, scope, state.known):
            ends = [_Stage(state.position, reads, {**state.known, **made})]
            for copy in range(1 if count is None else count):
                template = item.block if copy else item.first
                ends = [after for end in ends for after in self._copy(template, scope, end)]
            for end in ends:
                current = end.reads[0]
                named = _remember(item, scope, current, state.named)
                yield _State(agenda.rest, end.position, current, named, end.known)

    def _copy(self, template: BlockTemplate, scope: Scope, stage: _Stage) -> Iterator[_Stage]:
        position, reads, known = stage.position, stage.reads, stage.known
        target = self._targets[position] if position < len(self._targets) else None
        for candidate in (template, template.otherwise):
            if candidate is None:
                continue
            ways: list[Made] = [{}]
            if candidate.cls is Identity:
                end = (position, reads)
            elif target is not None and target.reads == reads:
                ways = match_block(candidate, target.block, scope, known, self._alpha)
                end = (position + 1, (position,))
            else:
                continue
            for way in ways:
                both = {**known, **way}
                # Whichever of the two stands there, a walk closes the holes of both.
                for more, (_, values) in islice(outcomes(template, scope, both), _MOST_CLOSED):
                    if self._fits(template, values, reads) == (candidate is template):
                        yield _Stage(*end, {**both, **more})

    def _fits(
        self, template: BlockTemplate, values: tuple[object, ...], reads: tuple[int, ...]
    ) -> bool:
        """Whether the block of a template can take what stands at some positions."""
        key = template, values, reads
        fits = self._fitting.get(key)
        if fits is None:
            inputs = tuple([self._shapes[position] for position in reads])
            try:
                block = build_block(template, values, self._alpha)
                count_block("", block, inputs, (True,) * len(inputs), self._classes)
                fits = True
            except InvalidDesign:
                fits = False
            self._fitting[key] = fits
        return fits

    @staticmethod
    def _counts(
        item: BlockItem | GroupItem, scope: Scope, known: dict[str, Scalar]
    ) -> Iterator[tuple[dict[str, Scalar], int | None]]:
        if item.repeat is None:
            yield {}, None
            return
        for made, count in outcomes(item.repeat, scope, known):
            yield made, int(count)


def _remember(item: Item, scope: Scope, current: int, named: Named) -> Named:
    if isinstance(item, ChoiceItem) or not item.anchor:
        return named
    key = (scope, item.name)
    return (*(pair for pair in named if pair[0] != key), (key, current))


def _find(name: str, scope: Scope, named: Named) -> int | None:
    known = dict(named)
    place: Scope | None = scope
    while place is not None:
        if (place, name) in known:
            return known[place, name]
        place = place.parent
    return None
