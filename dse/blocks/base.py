"""What every block is: pydantic fields, and one `lower` that says its dataflow on a tape.

Everything else about a block follows from these two: validation, JSON and YAML, cost, drawings,
source code, ONNX. A subclass registers itself by its `kind`; a new block is one file and one import
line.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic.fields import FieldInfo

from dse.errors import DseError, InvalidDesign, UnknownName
from dse.ir.activation import ACTIVATIONS, canonical_activation

if TYPE_CHECKING:
    from dse.ir.tape import Tape, Value


class WidthMark:
    """Marks a width: scaled by the width multiplier, always an argument in emitted code."""


class NestedMark:
    """Marks a field that holds another block, written in the short form."""


def _known_activation(text: str) -> str:
    try:
        return canonical_activation(text)
    except DseError as error:
        raise ValueError(str(error)) from None


WIDEST = 65_536

Width = Annotated[int, Field(ge=1, le=WIDEST, strict=True), WidthMark()]
"""A number of channels or features."""

Count = Annotated[int, Field(ge=1, le=1_024, strict=True)]
"""A kernel, stride, multiplier or repetition."""

Padding = Annotated[int, Field(ge=0, le=64, strict=True)]

Probability = Annotated[float, Field(ge=0, lt=1)]

Activation = Annotated[
    str,
    AfterValidator(_known_activation),
    Field(
        description=f"one of {', '.join(ACTIVATIONS)}; leaky_relu takes its slope: leaky_relu(0.1)"
    ),
]


class Block(BaseModel):
    """A node type of networks."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    kind: ClassVar[str] = ""
    arity: ClassVar[int] = 1
    """How many values it takes."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        if not cls.kind:
            return  # an abstract role, such as Attention
        other = _REGISTRY.get(cls.kind)
        if other is not None and other.__qualname__ != cls.__qualname__:
            raise TypeError(f"two blocks are called {cls.kind!r}: {other} and {cls}")
        _REGISTRY[cls.kind] = cls

    def lower(self, t: Tape, x: Value, /) -> Value:
        """Record the block's dataflow from `x` and return its output.

        Raises:
            InvalidDesign: the block cannot take an input of this shape.
        """
        raise NotImplementedError

    def document(self) -> dict[str, Any]:
        """The block as it is written in JSON and YAML: ``{kind: {fields that differ from the
        default}}``.
        """
        return {self.kind: self.model_dump(mode="json", exclude_defaults=True)}

    @classmethod
    @cache
    def widths(cls) -> tuple[str, ...]:
        """Names of the fields that the width multiplier scales."""
        return tuple(name for name, info in cls.model_fields.items() if _carries(info, WidthMark))

    @classmethod
    @cache
    def nested(cls) -> tuple[str, ...]:
        """Names of the fields that may hold another block."""
        return tuple(name for name, info in cls.model_fields.items() if _carries(info, NestedMark))

    def scaled(self, alpha: float) -> Block:
        """This block with every width multiplied by `alpha`, rounded, and at least 1."""
        update: dict[str, Any] = {}
        for name in self.widths():
            width = getattr(self, name)
            if width is not None:
                update[name] = scale_width(width, alpha)
        for name in self.nested():
            inner = getattr(self, name)
            if isinstance(inner, Block):
                update[name] = inner.scaled(alpha)
        return self.model_copy(update=update) if update else self


_REGISTRY: dict[str, type[Block]] = {}


def scale_width(width: int, alpha: float) -> int:
    """`width` times `alpha`, rounded half up, at least 1.

    Raises:
        InvalidDesign: the result is wider than a block may be.
    """
    scaled = max(1, int(width * alpha + 0.5))
    if scaled > WIDEST:
        raise InvalidDesign(f"a width is at most {WIDEST}, got {width} x {alpha:g} = {scaled}")
    return scaled


def _carries(field: FieldInfo, mark: type) -> bool:
    """Whether a field is annotated with `mark`, also inside ``... | None``."""
    inner = [m for arg in get_args(field.annotation) for m in getattr(arg, "__metadata__", ())]
    return any(isinstance(m, mark) for m in [*field.metadata, *inner])


def block_kinds() -> dict[str, type[Block]]:
    """Every block by its kind, in alphabetical order."""
    return dict(sorted(_REGISTRY.items()))


def block_class(kind: str) -> type[Block]:
    """The block called `kind`.

    Raises:
        UnknownName: there is none.
    """
    try:
        return _REGISTRY[kind]
    except (KeyError, TypeError):
        raise UnknownName("block", kind, _REGISTRY) from None


def read_block(document: object) -> Block:
    """Read ``{kind: {fields}}``, or just ``kind`` where every field has a default.

    Raises:
        UnknownName: no such block.
        InvalidDesign: a field is unknown, missing or outside its range; names the field.
    """
    if isinstance(document, Block):
        return document
    if isinstance(document, str):
        document = {document: {}}
    if not isinstance(document, dict) or len(document) != 1:
        raise InvalidDesign(f"a block is written {{kind: {{fields}}}}, got {document!r}")
    [(kind, settings)] = document.items()
    if not isinstance(settings, dict | None):
        raise InvalidDesign(f"{kind}: the fields of a block are a mapping, got {settings!r}")
    if settings and not all(isinstance(name, str) for name in settings):
        raise InvalidDesign(f"{kind}: the names of fields are words, got {list(settings)!r}")
    try:
        return block_class(kind)(**(settings or {}))
    except ValidationError as error:
        raise InvalidDesign(f"{kind}: {first_problem(error)}") from None


def first_problem(error: ValidationError) -> str:
    """The first of pydantic's complaints as one clause: field, rule, value."""
    # A misspelt field shows up twice, as unknown and as missing: the first says what to do.
    problems = error.errors(include_url=False)
    problem = next((p for p in problems if p["type"] == "extra_forbidden"), problems[0])
    field = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        model = error.title
        known = _fields_of(model)
        return (
            str(UnknownName(f"field of {model}", field, known)) if known else f"{field} is no field"
        )
    if problem["type"] == "missing":
        return f"{field} is missing"
    if problem["type"] == "value_error":  # ours: says its own value
        reason = problem["msg"].removeprefix("Value error, ")
        return f"{field}: {reason}" if field else reason
    reason = problem["msg"][:1].lower() + problem["msg"][1:]
    return f"{field}: {reason}, got {problem['input']!r}" if field else reason


def _fields_of(title: str) -> tuple[str, ...]:
    return next((tuple(c.model_fields) for c in _REGISTRY.values() if c.__name__ == title), ())


def _read_nested(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    if value is None:
        return handler(None)
    try:
        return handler(read_block(value))
    except DseError as error:
        raise ValueError(str(error)) from None


def _write_nested(value: Block | None) -> Any:
    return None if value is None else value.document()


class Attention(Block):
    """A block that re-weights the channels of its input and keeps its shape; usable inside other
    blocks.
    """


OptionalAttention = Annotated[
    Attention | None,
    WrapValidator(_read_nested),
    PlainSerializer(_write_nested),
    NestedMark(),
]

PoolKind = Literal["max", "average"]
