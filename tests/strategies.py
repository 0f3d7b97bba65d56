"""Random blocks and networks, drawn from the blocks' own fields: a new block is covered at once."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from dse.blocks import Attention, Block, block_kinds
from dse.blocks.base import Activation, NestedMark, WidthMark
from dse.errors import InvalidDesign
from dse.ir import Shape, Tape
from dse.ir.activation import ACTIVATIONS
from dse.network import Network, read_network

Nodes = list[dict[str, Any]]

KINDS = sorted(block_kinds())

WIDTHS = st.sampled_from([1, 2, 3, 4, 6, 8, 12, 16])
COUNTS = st.sampled_from([1, 2, 3, 4, 5])
SHAPES = st.builds(lambda *sizes: Shape(sizes), WIDTHS, st.integers(1, 12), st.integers(1, 12))

_activation_check = get_args(Activation)[1]


def activations() -> SearchStrategy[str]:
    slopes = st.integers(0, 99).map(lambda n: f"leaky_relu({n / 100:g})")
    return st.sampled_from(ACTIVATIONS) | slopes


def values(annotation: Any, metadata: tuple[Any, ...]) -> SearchStrategy[Any]:
    """Small values of one field, by its type and bounds.

    Raises:
        NotImplementedError: a block has a field of a new type; say here how to draw it.
    """
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *more = get_args(annotation)
        return values(inner, (*metadata, *more))
    if any(isinstance(mark, NestedMark) for mark in metadata):
        nested = [cls for cls in block_kinds().values() if issubclass(cls, Attention)]
        return st.none() | st.sampled_from(nested).flatmap(blocks)
    if origin in (Union, UnionType):
        return st.one_of(
            [
                st.none() if part is NoneType else values(part, metadata)
                for part in get_args(annotation)
            ]
        )
    if origin is Literal:
        return st.sampled_from(get_args(annotation))
    bounds = [limit for mark in metadata for limit in getattr(mark, "metadata", [mark])]
    low, high = _range(bounds)
    if origin is tuple:
        sizes = {type(b): b for b in bounds}
        most = sizes[MaxLen].max_length if MaxLen in sizes else 3
        least = sizes[MinLen].min_length if MinLen in sizes else 0
        item = values(get_args(annotation)[0], ())
        return st.lists(item, min_size=least, max_size=min(most, 3)).map(tuple)
    if annotation is bool:
        return st.booleans()
    if annotation is int:
        wide = any(isinstance(mark, WidthMark) for mark in metadata)
        return (WIDTHS if wide else COUNTS | st.just(int(low))).filter(lambda n: low <= n <= high)
    if annotation is float:
        edges = {type(b) for b in bounds}
        return (
            st.integers(0, 40)
            .map(lambda n: low + (high - low) * n / 40)
            .filter(lambda x: not (x == low and Gt in edges) and not (x == high and Lt in edges))
        )
    if annotation is str and _activation_check in metadata:
        return activations()
    raise NotImplementedError(f"no way to draw a field of type {annotation} with {metadata}")


def _range(bounds: list[Any]) -> tuple[float, float]:
    low, high = float("-inf"), float("inf")
    for bound in bounds:
        match bound:
            case Ge(ge=limit) | Gt(gt=limit):
                low = limit  # type: ignore[assignment]
            case Le(le=limit) | Lt(lt=limit):
                high = limit  # type: ignore[assignment]
    return low, high


@st.composite
def blocks(draw: DrawFn, cls: type[Block]) -> Block:
    """A block of one class, each field drawn."""
    fields = cls.model_fields.items()
    return cls(**{name: draw(values(f.annotation, tuple(f.metadata))) for name, f in fields})


def output_of(block: Block, *inputs: Shape, classes: int = 3) -> Shape | None:
    """What comes out of a block, or None where it cannot take these inputs."""
    tape = Tape("trial", classes, *inputs)
    try:
        return tape.call("node", block, *tape.root.inputs).shape
    except InvalidDesign:
        return None


def ending(shape: Shape, classes: int) -> Nodes:
    """The nodes from any shape to class scores."""
    pool: Nodes = [{"name": "last_pool", "global_pool": {}}] if shape.is_map else []
    return [*pool, {"name": "scores", "classifier": {}}]


@st.composite
def minimal_networks(draw: DrawFn, kind: str) -> Network:
    """An image, one block of `kind` with random fields, and a classifier.

    A block of several inputs reads as many branches; one that cannot take a map gets a vector.
    """
    cls = block_kinds()[kind]
    block = draw(blocks(cls))
    shape = draw(SHAPES)
    classes = draw(st.integers(2, 5))
    before: Nodes = []
    inputs: list[str] = []
    if cls.arity > 1:
        width = draw(WIDTHS)
        conv = {"conv": {"channels": width, "kernel": 1}}
        before = [{"name": "trunk", "identity": {}}]
        for n in range(cls.arity):
            before.append({"name": f"branch{n}", **conv, "inputs": ["trunk"]})
            inputs.append(f"branch{n}")
        given = [Shape((width, *shape[1:]))] * cls.arity
    else:
        given = [shape]
    output = output_of(block, *given, classes=classes)
    if output is None and cls.arity == 1:
        before = [{"name": "first_pool", "global_pool": {}}]
        output = output_of(block, Shape(shape[:1]), classes=classes)
    assume(output is not None)
    assert output is not None
    node = {"name": "block", **block.document(), **({"inputs": inputs} if inputs else {})}
    nodes = [*before, node, *ending(output, classes)]
    return read_network(
        {
            "name": f"minimal-{kind.replace('_', '-')}",
            "input": str(shape),
            "classes": classes,
            "nodes": nodes,
        }
    )


@st.composite
def networks(draw: DrawFn, most: int = 6) -> Network:
    """A chain of random blocks, some of them in stages, here and there forked and fused again.

    A drawn block that does not fit what comes before it is left out.
    """
    shape = start = draw(SHAPES.filter(lambda s: s.height > 4 and s.width > 4))
    classes = draw(st.integers(2, 5))
    nodes: Nodes = []
    stage, index = 0, 0
    for number in range(draw(st.integers(1, most))):
        if nodes and shape.is_map and draw(st.integers(0, 5)) == 0:
            nodes += _fork(number, nodes[-1]["name"], draw(WIDTHS))
            shape = Shape((nodes[-2]["conv"]["channels"], *shape[1:]))
            stage, index = number, 0
            continue
        block = draw(st.sampled_from(KINDS).map(block_kinds().__getitem__).flatmap(blocks))
        output = output_of(block, shape, classes=classes) if block.arity == 1 else None
        if output is None:
            continue
        if draw(st.booleans()):
            stage, index = number, 0
        nodes.append({"name": f"stage{stage}.{index}", **block.document()})
        index += 1
        shape = output
    nodes += ending(shape, classes)
    return read_network({"name": "random", "input": str(start), "classes": classes, "nodes": nodes})


def _fork(number: int, source: str, width: int) -> Nodes:
    conv = {"conv": {"channels": width, "kernel": 1}, "inputs": [source]}
    left, right = f"left{number}", f"right{number}"
    return [
        {"name": left, **conv},
        {"name": right, **conv},
        {"name": f"fusion{number}", "fusion": {}, "inputs": [left, right]},
    ]
