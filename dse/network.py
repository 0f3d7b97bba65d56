"""A network: the graph of named blocks, with final integers.

Written as JSON or YAML it is a document of nodes, each with one block in its short form::

    {"name": "tiny", "input": "3x32x32", "classes": 10, "nodes": [
        {"name": "stem", "conv": {"channels": 16, "stride": 2}},
        {"name": "stage1.0", "fire": {"squeeze": 8, "expand1x1": 16, "expand3x3": 16}},
        {"name": "pool", "global_pool": {}},
        {"name": "classifier", "classifier": {"dropout": 0.1}}]}

A node takes the value of the node before it unless it says `inputs`. Nodes called ``stage1.0``,
``stage1.1`` form one stage; node names are module paths in emitted code.
"""

from __future__ import annotations

import hashlib
import json
import keyword
import re
import sys
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializeAsAny,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)

from dse.blocks.base import Block, first_problem, read_block
from dse.errors import DseError, InvalidDesign, UnknownName
from dse.ir import Scope, Shape, Tape, Value

_NETWORK_NAME = re.compile(r"[a-z][a-z0-9]*([-._][a-z0-9]+)*")
_NODE_NAME = re.compile(r"[a-z][a-z0-9_]*(\.(0|[1-9][0-9]{0,3}))?")
_TITLE = re.compile(r"[A-Za-z][A-Za-z0-9 .()+-]*")
# Names that the emitted class needs for itself, or inherits from torch's Module: setting one of the
# latter would leave the method in place and the layer out of reach. A test compares with torch.
_TAKEN = re.compile(
    r"x|input|self|num_classes|torch|nn"
    r"|apply|bfloat16|buffers|children|compile|cpu|cuda|double|eval|float|forward|half|ipu|modules"
    r"|mtia|parameters|state_dict|to|to_empty|train|training|type|xpu|zero_grad|add_module"
    r"|call_super_init|dump_patches|extra_repr|load_state_dict|requires_grad_|share_memory"
    r"|(get|named|register|set)_\w+"
)


def _check_name(text: str) -> str:
    if not _NETWORK_NAME.fullmatch(text) or len(text) > 80:
        raise ValueError(
            f"a network's name is lower-case letters and digits joined by - . or _, got {text!r}"
        )
    return text


def _check_title(text: str) -> str:
    if not _TITLE.fullmatch(text) or len(text) > 80:
        raise ValueError(f"a title is letters, digits, spaces and .()+-, got {text!r}")
    return text


def _check_text(text: str) -> str:
    # Printable: neither control characters nor lone surrogates nor marks that reorder what a reader
    # sees.
    if not text.isprintable() or '"' in text or "\\" in text or len(text) > 2000:
        raise ValueError(
            "a description is one line of at most 2000 characters without double quotes or "
            "backslashes, "
            f"got {text[:60]!r}"
        )
    return text


def _check_node_name(text: str) -> str:
    base = text.partition(".")[0]
    if not _NODE_NAME.fullmatch(text) or len(text) > 60:
        raise ValueError(
            "a node is named in lower-case letters, digits and _, with .0, .1 for the blocks of a "
            "stage; "
            f"got {text!r}"
        )
    if keyword.iskeyword(base) or _TAKEN.fullmatch(base):
        raise ValueError(f"a node's name may not be a word of Python or torch, got {text!r}")
    return text


def _read_input(value: Any) -> Shape:
    if isinstance(value, str):
        try:
            return Shape.parse(value)
        except DseError as error:
            raise ValueError(str(error)) from None
    if isinstance(value, list | tuple) and len(value) == 3:
        return _read_input("x".join(str(part) for part in value))
    raise ValueError(f"an input is written CHANNELSxHEIGHTxWIDTH, as in 3x224x224; got {value!r}")


InputShape = Annotated[Any, BeforeValidator(_read_input), PlainSerializer(str)]
NodeName = Annotated[str, AfterValidator(_check_node_name)]


class Node(BaseModel):
    """One named block of a network and where its inputs come from; none given means the node
    before.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    name: NodeName
    block: SerializeAsAny[Block]
    inputs: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _read_short_form(cls, data: Any) -> Any:
        if not isinstance(data, dict) or isinstance(data.get("block"), Block):
            return data
        rest = {key: value for key, value in data.items() if key not in ("name", "inputs")}
        place = f"node {data.get('name', '?')}"
        if len(rest) != 1:
            raise ValueError(
                f"{place}: a node has a name and one block, "
                f"got {', '.join(map(str, rest)) or 'no block'}"
            )
        try:
            block = read_block(rest)
        except DseError as error:
            raise ValueError(f"{place}: {error}") from None
        return {"block": block, **{k: data[k] for k in ("name", "inputs") if k in data}}

    @model_serializer
    def _write_short_form(self) -> dict[str, Any]:
        document: dict[str, Any] = {"name": self.name, **self.block.document()}
        if self.inputs:
            document["inputs"] = list(self.inputs)
        return document


class Network(BaseModel):
    """A network as data. Two networks are equal when they compute the same thing, whatever their
    names.

    Attributes:
        name: of files and runs, as in ``hl-cnn``.
        title: for people, and as the emitted class's name, as in ``HL-CNN``; made from the name
            if empty.
        about: one line on what it is and where it comes from.
        input: channels, height and width of an image.
        classes: number of classes.
        nodes: the blocks in order of execution; the last one's output is the class scores.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    name: Annotated[str, AfterValidator(_check_name)]
    title: Annotated[str, AfterValidator(lambda text: text and _check_title(text))] = ""
    about: Annotated[str, AfterValidator(_check_text)] = ""
    input: InputShape
    classes: Annotated[int, Field(ge=2, le=1_000_000, strict=True)]
    nodes: Annotated[tuple[Node, ...], Field(min_length=1, max_length=4_000)]

    @field_validator("nodes")
    @classmethod
    def _check_graph(cls, nodes: tuple[Node, ...]) -> tuple[Node, ...]:
        check_graph(nodes)
        return nodes

    # -- derived

    @property
    def class_name(self) -> str:
        """The name of the emitted class: the title without its punctuation."""
        if self.title:
            return re.sub(r"[^A-Za-z0-9]", "", self.title)
        return "".join(part[:1].upper() + part[1:] for part in re.split(r"[-._]", self.name))

    @property
    def module_name(self) -> str:
        """The name of the emitted file, without its ending."""
        name = re.sub(r"[-.]", "_", self.name)
        # Run as a script, a file called types.py would stand in for Python's own.
        return f"{name}_network" if name in sys.stdlib_module_names | {"torch"} else name

    def sources(self) -> list[tuple[int, ...]]:
        """For each node the positions of the nodes it reads; -1 is the image."""
        at: dict[str, int] = {}
        result = []
        for position, node in enumerate(self.nodes):
            reads = node.inputs
            result.append(tuple([at[name] for name in reads]) if reads else (position - 1,))
            at[node.name] = position
        return result

    def lower(self, tape: Tape | None = None) -> Scope:
        """The network as a program: one scope per node, each a tree of primitive ops.

        Without a tape it is made once and kept, for all to read and nobody to change.

        Raises:
            InvalidDesign: a block cannot take what the blocks before it give, or the result is
                not one score per class.
        """
        return self._program if tape is None else self._record(tape)

    @cached_property
    def _program(self) -> Scope:
        return self._record(Tape(self.name, self.classes, self.input))

    def _record(self, tape: Tape) -> Scope:
        values: list[Value] = []
        image = tape.root.inputs[0]
        for node, sources in zip(self.nodes, self.sources(), strict=True):
            inputs = [values[i] if i >= 0 else image for i in sources]
            values.append(tape.call(node.name, node.block, *inputs))
        tape.root.output = values[-1]
        check_scores(values[-1].shape, self.classes, self.nodes[-1].name)
        return tape.root

    def __getstate__(self) -> dict[Any, Any]:
        """Pickled without the program, which is many times the size and quickly made again."""
        state = super().__getstate__()
        own = {name: value for name, value in state["__dict__"].items() if name != "_program"}
        return {**state, "__dict__": own}

    @cached_property
    def digest(self) -> str:
        """16 hexadecimal digits, equal for networks that compute the same, in every process and
        version.

        It is taken over the program: the ops in order with their settings and inputs. Names play no
        part.
        """
        numbers: dict[int, int] = {}
        program = self.lower()
        numbers[id(program.inputs[0])] = 0
        lines = [f"{self.input}->{self.classes}"]
        for number, step in enumerate(program.steps(), start=1):
            numbers[id(step.output)] = number
            inputs = " ".join(str(numbers[id(value)]) for value in step.inputs)
            lines.append(f"{step.op.signature()} {inputs}")
        lines.append(f"-> {numbers[id(program.output)]}")
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Network) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    # -- transforms

    def scaled(self, alpha: float) -> Network:
        """A copy with every width multiplied by `alpha`, rounded to integers of at least 1.

        Raises:
            InvalidDesign: alpha is not a positive number, or the scaled blocks do not fit each
                other.
        """
        if not 0 < alpha <= 64:
            raise InvalidDesign(f"a width multiplier is above 0 and at most 64, got alpha={alpha}")
        if alpha == 1:
            return self
        nodes = tuple(
            node.model_copy(update={"block": node.block.scaled(alpha)}) for node in self.nodes
        )
        return self.replaced(nodes=nodes)

    def resized(self, *, input: Shape | None = None, classes: int | None = None) -> Network:
        """A copy for other images or another number of classes."""
        return self.replaced(
            input=self.input if input is None else input,
            classes=self.classes if classes is None else classes,
        )

    def replaced(self, **changes: Any) -> Network:
        """A validated copy with some fields changed."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return read_network({**fields, **changes})

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Network:
        """As `replaced`: what is derived from the fields must not outlive a change of them."""
        return self.replaced(**(update or {}))

    # -- text

    def to_json(self) -> str:
        """The design as JSON: one node a line, default fields left out; ends with a newline."""
        head = self.model_dump(mode="json", exclude={"nodes"}, exclude_defaults=True)
        lines = [
            f"  {json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}," for k, v in head.items()
        ]
        nodes = [f"    {json.dumps(node.model_dump(mode='json'))}" for node in self.nodes]
        return "\n".join(["{", *lines, '  "nodes": [', ",\n".join(nodes), "  ]", "}", ""])

    def __str__(self) -> str:
        from dse.cost import table  # the table is a walk over the program, one floor up

        return table(self)


def check_graph(nodes: tuple[Node, ...]) -> None:
    """Names are unique, stages are unbroken, every node reads what comes before it, nothing is left
    unread.

    Raises:
        ValueError: for pydantic to report; the message says the rule, the value and the node.
    """
    seen: set[str] = set()
    stages: set[str] = set()
    previous = ""
    for position, node in enumerate(nodes):
        if node.name in seen:
            raise ValueError(f"node names are unique, got {node.name!r} twice")
        stage, _, index = node.name.partition(".")
        if index and stage != previous.partition(".")[0]:
            if stage in stages or int(index) != 0:
                raise ValueError(
                    f"the blocks of a stage count from 0 and stand together, got {node.name!r}"
                )
        elif index and (
            not previous.partition(".")[2] or int(index) != int(previous.partition(".")[2]) + 1
        ):
            raise ValueError(
                f"the blocks of a stage count up by 1, got {node.name!r} after {previous!r}"
            )
        elif not index and stage in stages:
            raise ValueError(f"a node may not be called like a stage, got {node.name!r}")
        for name in node.inputs:
            if name not in seen:
                raise ValueError(f"node {node.name}: inputs are nodes before it, got {name!r}")
        given = len(node.inputs) or 1
        if given != node.block.arity:
            raise ValueError(
                f"node {node.name}: {node.block.kind} takes {node.block.arity} inputs, got {given}"
            )
        seen.add(node.name)
        stages.add(stage)
        previous = node.name
        if position == 0 and node.inputs:
            raise ValueError(f"node {node.name}: the first node takes the image")
    read = {name for node in nodes for name in node.inputs}
    read |= {nodes[i].name for i, after in enumerate(nodes[1:]) if not after.inputs}
    for node in nodes[:-1]:
        if node.name not in read:
            raise ValueError(
                f"every node but the last is read by another, got {node.name!r} unread"
            )


def check_scores(shape: Shape, classes: int, node: str) -> None:
    """The network's output is one score per class.

    Raises:
        InvalidDesign: it is not.
    """
    if shape != (classes,):
        raise InvalidDesign(
            f"a network ends in one score per class ({int(classes)}), got {shape} from {node}; "
            "end it with a classifier or conv_classifier"
        )


def read_network(document: object) -> Network:
    """Read a network from a document (a mapping, as JSON or YAML give) and check that it can be
    built.

    Raises:
        InvalidDesign: says the field or node, the rule and the value.
    """
    if not isinstance(document, dict):
        raise InvalidDesign(f"a network is a mapping, got {type(document).__name__}")
    try:
        network = Network(**document)
    except ValidationError as error:
        problem = first_problem(error)
        unknown = [key for key in document if key not in Network.model_fields]
        if unknown:
            problem = str(UnknownName("field of a network", unknown[0], Network.model_fields))
        raise InvalidDesign(f"network {document.get('name', '')!r}: {problem}") from None
    except TypeError:
        raise InvalidDesign(f"the keys of a network are words, got {list(document)!r}") from None
    network.lower()
    return network


def parse_network(text: str, place: str) -> Network:
    """Read a network from JSON text; `place` names the file in errors.

    Raises:
        InvalidDesign: malformed JSON, or not a network.
    """
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidDesign(f"{place}: not JSON: {error.msg} at line {error.lineno}") from None
    except RecursionError:
        raise InvalidDesign(f"{place}: not a network: brackets nest too deep") from None
    except ValueError as error:  # a number of thousands of digits
        raise InvalidDesign(f"{place}: not JSON: {error}") from None
    try:
        return read_network(document)
    except InvalidDesign as error:
        raise InvalidDesign(f"{place}: {error}") from None


__all__ = ["Network", "Node", "parse_network", "read_network"]
