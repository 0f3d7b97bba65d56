"""Compiling values: constants, holes, tables of labelled values, and blocks with open fields."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from math import isfinite
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from dse.blocks import Block, block_class
from dse.blocks.base import first_problem
from dse.errors import DseError, InvalidDesign, UnknownName
from dse.space.choices import Categorical, Choice, Integer, Real
from dse.space.reader import Here, check_labels, check_options, shown
from dse.space.template import BlockTemplate, Const, Hole, Listing, Pick, Table, Value

_NAME = re.compile(r"\.?[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*")
_MAX_BUILT = 20_000
_BETWEEN = ("between", "step", "log", "name")


class FieldType:
    """What a value must be: a block's field, or a number of the document's own."""

    def __init__(self, adapter: TypeAdapter[Any] | None, nested: bool = False) -> None:
        self.adapter = adapter
        self.nested = nested

    def read(self, value: Any, here: Here) -> Any:
        """`value` as the field will hold it.

        Raises:
            InvalidDesign: the field cannot hold it.
        """
        if self.adapter is None:
            return value
        try:
            return self.adapter.validate_python(value)
        except ValidationError as error:
            problem = first_problem(error)
            if error.errors()[0]["type"] != "value_error":
                problem = f"{problem}, got {shown(value)}" if "got" not in problem else problem
            here.fail(problem)


@cache
def _field_type(cls: type[Block], name: str) -> FieldType:
    hints = get_type_hints(cls, include_extras=True)
    return FieldType(TypeAdapter(hints[name]), nested=name in cls.nested())


def is_hole(value: object) -> bool:
    return isinstance(value, dict) and ("choose" in value or "between" in value)


def read_value(document: Any, kind: FieldType, here: Here) -> Value:
    """Compile the value of a field, a repeat or the scale.

    Raises:
        InvalidDesign: a malformed hole, or a value that the field cannot hold; says where.
    """
    if is_hole(document):
        return _read_hole(document, kind, here)
    if kind.nested and document is not None:
        return read_block(document, here).template()
    if isinstance(document, list) and any(map(is_hole, document)):
        anything = FieldType(None)
        items = [read_value(item, anything, here.at(i, str(i))) for i, item in enumerate(document)]
        return Listing(tuple(items))
    plain = kind.read(document, here)
    return Const(_hashable(document, here), plain)


def _hashable(value: Any, here: Here) -> Any:
    if isinstance(value, list):
        return tuple(_hashable(item, here) for item in value)
    if isinstance(value, dict):
        here.fail(f"a value is a word, a number, a list or a hole, got {shown(value)}")
    return value


def _read_hole(document: dict[Any, Any], kind: FieldType, here: Here) -> Value:
    if "between" in document:
        here.only(document, _BETWEEN, "a range")
        choice = _read_between(document, here)
        for end in (choice.low, choice.high):
            kind.read(end, here.at("between"))
        return Pick(make_hole(document, choice, here), {})
    here.only(document, ("choose", "name"), "a choice")
    options, below = document["choose"], here.at("choose")
    if isinstance(options, list):
        scalars = check_options(options, below)
        plain = {option: kind.read(option, below.at(i)) for i, option in enumerate(scalars)}
        return Pick(make_hole(document, Categorical(scalars), here), plain)
    labelled = below.mapping(options, "a choice is a list of options, or")
    labels = check_labels(labelled, below)
    values = {
        label: read_value(labelled[label], kind, below.at(label, str(label))) for label in labels
    }
    hole = make_hole(document, Categorical(labels), here)
    hole.branches = frozenset(label for label in labels if not isinstance(values[label], Const))
    return Table(hole, values)


def make_hole(document: dict[Any, Any], choice: Choice, here: Here) -> Hole:
    """The decision of a hole: by its name, or by its path if it has none."""
    name = document.get("name")
    if name is None:
        return Hole(choice, here.path.removesuffix(".") or "choice", True, False, here.place)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        here.fail(
            "a decision's name is letters, digits, _, - and dots, a dot first if local; "
            f"got {shown(name)}"
        )
    if name.startswith("."):
        if not here.grouped:
            here.fail(
                f"a name that starts with a dot is local to a group, got {name!r} outside any"
            )
        return Hole(choice, name[1:], True, True, here.place)
    return Hole(choice, name, False, True, here.place)


def _read_between(document: dict[Any, Any], here: Here) -> Integer | Real:
    ends, step, log = document["between"], document.get("step"), document.get("log", False)
    if not isinstance(ends, list) or len(ends) != 2 or not all(map(_is_number, ends)):
        here.fail(f"between takes two numbers, [lowest, highest]; got {shown(ends)}")
    low, high = ends
    if low > high:
        here.fail(f"between takes the lower number first, got {shown(ends)}")
    if not isinstance(log, bool):
        here.fail(f"log is true or false, got {shown(log)}")
    if log and (step is not None or low <= 0):
        here.fail(f"log takes no step and a range above 0, got {shown(document)}")
    if step is not None and (not _is_number(step) or step <= 0):
        here.fail(f"step is a number above 0, got {shown(step)}")
    real = any(isinstance(number, float) for number in (low, high, step))
    if step is not None:
        count = (high - low) / step
        if abs(count - round(count)) > 1e-9 or count > 1e6:
            here.fail(
                f"steps lead from the lowest to the highest, got step {step} for {low} to {high}"
            )
    if real:
        return Real(float(low), float(high), None if step is None else float(step), log)
    return Integer(low, high, 1 if step is None else step, log)


def _is_number(value: object) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and isfinite(value)
        and abs(value) <= 1e12
    )


# -- blocks ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Draft:
    """A block as the document writes it: its fields are compiled, rules between them not checked
    yet.
    """

    cls: type[Block]
    fields: dict[str, Value]
    here: Here

    def changed(self, fields: dict[str, Value]) -> Draft:
        """The same with some fields replaced or added."""
        return replace(self, fields=self.fields | fields)

    def template(self, otherwise: BlockTemplate | None = None) -> BlockTemplate:
        """The block's template.

        Raises:
            InvalidDesign: a field is missing, or a rule between fields is broken.
        """
        fields = self.fields
        every: dict[str, Value] = {}
        for name, info in self.cls.model_fields.items():
            if name in fields:
                every[name] = fields[name]
            elif info.is_required():
                self.here.fail(f"{name} is missing")
            else:
                default = info.get_default(call_default_factory=True)
                every[name] = Const(default, default)
        given = {name: v.value for name, v in fields.items() if isinstance(v, Const)}
        open_ = tuple((name, v) for name, v in fields.items() if not isinstance(v, Const))
        template = BlockTemplate(self.cls, every, given, open_, otherwise)
        # Rules between fields, and those of nested blocks, show in whole blocks only.
        for pick in (0, -1):
            try:
                build_block(template, tuple(_example(value, pick) for _, value in open_))
            except DseError as error:
                self.here.fail(str(error))
        return template


def read_block(document: Any, here: Here) -> Draft:
    """Compile ``{kind: {fields}}``, or just ``kind``.

    Raises:
        InvalidDesign: no such block or field, or a value that the field cannot hold.
    """
    if isinstance(document, str):
        document = {document: {}}
    if not isinstance(document, dict) or len(document) != 1:
        here.fail(f"a block is written {{kind: {{fields}}}}, got {shown(document)}")
    [(kind, settings)] = document.items()
    try:
        cls = block_class(kind)
    except UnknownName as error:
        here.fail(str(error))
    inside = here.at(kind)
    settings = inside.mapping({} if settings is None else settings, "the fields of a block")
    return Draft(cls, read_fields(cls, settings, inside), inside)


def read_fields(cls: type[Block], settings: dict[Any, Any], here: Here) -> dict[str, Value]:
    """Compile some fields of a block.

    Raises:
        InvalidDesign: no such field, or a value that it cannot hold.
    """
    fields = {}
    for name, value in settings.items():
        if name not in cls.model_fields:
            here.fail(str(UnknownName(f"field of {cls.kind}", name, cls.model_fields)))
        fields[name] = read_value(value, _field_type(cls, name), here.at(name, name))
    return fields


def _example(value: Value, pick: int) -> Any:
    """The value with every hole closed by its first (0) or last (-1) option."""
    match value:
        case Const():
            return value.value
        case Pick():
            return value.hole.choice.values()[pick]
        case Table():
            return _example(value.values[value.hole.choice.values()[pick]], pick)
        case Listing():
            return tuple(_example(item, pick) for item in value.values)
        case BlockTemplate():
            return value, tuple(_example(item, pick) for _, item in value.open)


def build_block(template: BlockTemplate, values: tuple[Any, ...], alpha: float = 1) -> Block:
    """The block with its open fields closed by `values`, its widths times `alpha`; each is built
    once.

    A nested block stands among the values as the pair of its template and its own values, and so
    does, after them, what stands in the block's place where it does not fit.

    Raises:
        InvalidDesign: a rule between fields is broken.
    """
    key = (values, alpha)
    block = template.built.get(key)
    if block is None:
        settings = dict(template.given)
        for (name, _), value in zip(template.open, values, strict=False):
            settings[name] = _closed(value)
        block = _make(template.cls, settings).scaled(alpha)
        if len(template.built) >= _MAX_BUILT:
            template.built.clear()
        template.built[key] = block
    return block


def _closed(value: Any) -> Any:
    if isinstance(value, tuple) and value and isinstance(value[0], BlockTemplate):
        return build_block(*value)
    return value


def _make(cls: type[Block], settings: dict[str, Any]) -> Block:
    try:
        return cls(**settings)
    except ValidationError as error:
        raise InvalidDesign(f"{cls.kind}: {first_problem(error)}") from None
