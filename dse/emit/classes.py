"""Scopes as classes: one class per distinct text, named after its block, with the arguments it
needs.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from dse.emit.expressions import Item, constructor, environment, step_item, wrapped
from dse.emit.naming import NamedScope, NamingTape, Options, argument_fields
from dse.emit.statements import LIMIT, Body
from dse.ir import Scope, Step, Value
from dse.ir.activation import TITLES
from dse.network import Network

_INDENT = 8


@dataclass(slots=True)
class ClassText:
    """One class of the emitted file.

    Attributes:
        title: its name, or what its name is made from if two texts claim it.
        arguments: the names its constructor takes, in order.
        body: everything below the ``class`` line but its docstring, as (attributes, statements).
        scopes: the scopes that are its instances.
    """

    title: str
    summary: str
    arguments: tuple[str, ...]
    inputs: tuple[str, ...]
    attributes: tuple[str, ...]
    statements: tuple[str, ...]
    scopes: list[NamedScope] = field(default_factory=list)
    name: str = ""

    def render(self) -> str:
        """The class as source text."""
        head = f"def __init__({', '.join(['self', *self._typed()])}) -> None:"
        return (
            environment()
            .get_template("class.py.j2")
            .render(
                name=self.name,
                docstring="\n".join(
                    textwrap.wrap(self.summary, LIMIT - 11, subsequent_indent="    ")
                ),
                signature=wrapped(head, 4, LIMIT),
                attributes=[
                    line for text in self.attributes for line in wrapped(text, _INDENT, LIMIT)
                ],
                inputs=self.inputs,
                statements=[
                    line for text in self.statements for line in wrapped(text, _INDENT, LIMIT)
                ],
            )
        )

    def _typed(self) -> list[str]:
        return [f"{argument}: int" for argument in self.arguments]


class Classes:
    """The classes of one network, and how an instance of each is written."""

    def __init__(self, network: Network) -> None:
        self.program, self.texts = _settled(network)
        _assign_names(self.texts)
        self._of_scope = {id(scope): text for text in self.texts for scope in text.scopes}
        for text in self.texts:
            names = self._nested_names(text)
            text.attributes = tuple(_fill(line, names) for line in text.attributes)

    def construct(self, scope: NamedScope) -> str:
        """The expression that makes this instance: ``Fire(96, 16, 64, 64)``."""
        text = self._of_scope[id(scope)]
        return f"{text.name}({', '.join(map(str, _call_arguments(scope, text)))})"

    def _nested_names(self, text: ClassText) -> dict[str, str]:
        """What stands behind each placeholder of a nested block."""
        inner = (item for item in text.scopes[0].body if isinstance(item, NamedScope))
        return {scope.label: self._renamed(self.construct(scope), text) for scope in inner}

    @staticmethod
    def _renamed(expression: str, text: ClassText) -> str:
        return _single_width(expression) if "channels" in text.arguments[:1] else expression


def _settled(network: Network) -> tuple[Scope, list[ClassText]]:
    """Lower until every option that is an argument varies among the instances of its class."""
    options = _varying_options(network)
    while True:
        program = network.lower(NamingTape(network, options))
        texts = _class_texts(program, options)
        constant = _constant_options(texts, options)
        if not constant:
            return program, texts
        options = {path: names - constant.get(path, frozenset()) for path, names in options.items()}


def _varying_options(network: Network) -> dict[str, frozenset[str]]:
    """For each scope the options that differ among all blocks of its kind: the first guess."""
    program = network.lower(NamingTape(network, {}))
    # A block that is one module of torch's is written as that: it has no class to take arguments.
    scopes = [scope for scope in _class_scopes(program) if not _is_single_module(scope)]
    seen: dict[tuple[type, str], set[object]] = {}
    for scope in scopes:
        assert scope.block is not None
        for name in argument_fields(type(scope.block)):
            seen.setdefault((type(scope.block), name), set()).add(getattr(scope.block, name))
    return {
        scope.path: frozenset(
            name
            for name in argument_fields(type(scope.block))
            if len(seen[type(scope.block), name]) > 1
        )
        for scope in scopes
        if scope.block is not None
    }


def _constant_options(texts: list[ClassText], options: Options) -> dict[str, frozenset[str]]:
    """Options that are arguments of a class whose instances all pass the same value."""
    found: dict[str, frozenset[str]] = {}
    for text in texts:
        block = text.scopes[0].block
        assert block is not None
        for name in argument_fields(type(block)):
            if name in block.widths() or name not in text.arguments:
                continue
            if len({scope.arguments[name] for scope in text.scopes}) == 1:
                for scope in text.scopes:
                    found[scope.path] = found.get(scope.path, frozenset()) | {name}
    return {path: names for path, names in found.items() if names & options[path]}


def _class_scopes(scope: Scope) -> Iterator[NamedScope]:
    """Scopes that become classes, inner ones first, in order of use."""
    for item in scope.body:
        if isinstance(item, NamedScope):
            yield from _class_scopes(item)
            if item.own_class:
                yield item


def _class_texts(program: Scope, options: Options) -> list[ClassText]:
    """The distinct classes of a program, each with its instances."""
    texts: dict[tuple[object, ...], ClassText] = {}
    for scope in _class_scopes(program):
        if _is_single_module(scope):
            continue
        made = _class_text(scope, options)
        # Nested blocks are placeholders in the text, so what they are is part of the key.
        nested = tuple(
            _nested_key(item, options) for item in scope.body if isinstance(item, NamedScope)
        )
        key = (made.title, made.arguments, made.attributes, made.statements, nested)
        texts.setdefault(key, made).scopes.append(scope)
    return list(texts.values())


def _nested_key(scope: NamedScope, options: Options) -> tuple[object, ...]:
    text = _class_text(scope, options)
    used = tuple(str(scope.arguments.get(name, name)) for name in text.arguments)
    inner = tuple(_nested_key(item, options) for item in scope.body if isinstance(item, NamedScope))
    return (text.title, text.attributes, text.statements, used, inner)


_MAX_KEPT = 10_000
_written: dict[tuple[object, ...], ClassText] = {}
"""Texts of scopes by what they hang on; read only."""


def _class_text(scope: NamedScope, options: Options) -> ClassText:
    """The text of a scope, which is written once for all scopes that are alike."""
    within = [scope.path, *(inner.path for inner in _class_scopes(scope))]
    key = (
        scope.block,
        tuple([tuple(map(int, value.shape)) for value in scope.operands]),
        tuple([options.get(path) for path in within]),
    )
    known = _written.get(key)
    if known is None:
        if len(_written) >= _MAX_KEPT:
            _written.clear()
        known = _written[key] = _write_class(scope)
    return replace(known, scopes=[])


def _write_class(scope: NamedScope) -> ClassText:
    attributes, items = scope_items(scope)
    attributes[:0] = [f"{name} = {width}" for name, width in scope.locals.items()]
    inputs = [(value, name) for value, name in zip(scope.inputs, "xyzuvw", strict=False)]
    statements = Body(items, inputs, scope.output).statements()
    statements = _kept_options(scope, attributes, statements)
    block = scope.block
    assert block is not None
    summary = scope.summary or (block.__doc__ or "").strip().splitlines()[0]
    # What a nested block is given counts as used as well.
    nested = [
        str(value)
        for item in scope.body
        if isinstance(item, NamedScope)
        for value in item.arguments.values()
    ]
    words = set(re.findall(r"[A-Za-z_]\w*", " ".join([*attributes, *statements, *nested])))
    arguments = tuple(name for name in scope.arguments if name in words)
    widths = {"in_channels", "in_features", *block.widths()}
    if [name for name in arguments if name in widths] == ["in_channels"]:
        attributes = [_single_width(line) for line in attributes]
        arguments = tuple("channels" if name == "in_channels" else name for name in arguments)
    return ClassText(
        title=scope.title,
        summary=summary,
        arguments=arguments,
        inputs=tuple(name for _, name in inputs),
        attributes=tuple(attributes),
        statements=tuple(statements),
    )


def _kept_options(scope: NamedScope, attributes: list[str], statements: list[str]) -> list[str]:
    """Arguments that `forward` needs, for a function's setting: made attributes and read there."""
    for name in scope.arguments:
        bare = re.compile(rf"(?<![\w.]){name}\b(?!=)")
        if any(bare.search(line) for line in statements):
            attributes.insert(0, f"self.{name} = {name}")
            statements = [bare.sub(f"self.{name}", line) for line in statements]
    return statements


def _single_width(text: str) -> str:
    """Where the input's width is the only one, it is called just ``channels``."""
    return re.sub(r"\bin_channels\b", "channels", text)


def _call_arguments(scope: NamedScope, text: ClassText) -> list[int]:
    values = dict(scope.arguments)
    if "channels" in text.arguments and "channels" not in values:
        values["channels"] = values["in_channels"]
    if text.arguments[:1] == ("channels",) and "in_channels" in values:
        values["channels"] = values["in_channels"]
    return [values[name] for name in text.arguments]


def _fill(line: str, names: dict[str, str]) -> str:
    return re.sub(r"<(\w+)>", lambda match: names[match.group(1)], line)


def scope_items(scope: Scope) -> tuple[list[str], list[Item]]:
    """The attributes a scope's `__init__` makes and the items of its `forward`.

    A nested block's constructor is left as ``<label>``, to be filled in when classes have their
    names.
    """
    attributes: list[str] = []
    items: list[Item] = []
    for part in scope.body:
        if isinstance(part, Step):
            made = constructor(part) if part.op.module else None
            if made is not None:
                attributes.append(f"self.{part.label} = {made}")
            items.append(step_item(part, part.label if made else ""))
        elif isinstance(part, NamedScope):
            attributes.append(f"self.{part.label} = <{part.label}>")
            items.append(call_item(part.label, part.operands, part.result))
    return attributes, items


def call_item(attribute: str, operands: tuple[Value, ...], result: Value) -> Item:
    """The item of a call of a whole block: ``self.fire2(x)``."""
    return Item(
        output=result,
        operands=operands,
        write=lambda texts: f"self.{attribute}({', '.join(texts)})",
        heavy=True,
        hint=attribute.partition("[")[0],
    )


def _is_single_module(scope: NamedScope) -> bool:
    """Whether a block of a stage is just one module of torch's, written as such."""
    return single_module(scope) is not None


def single_module(scope: Scope) -> Step | None:
    """The one op of a scope that is nothing else, if torch has a module for it."""
    if len(scope.body) != 1 or not isinstance(scope.body[0], Step):
        return None
    step = scope.body[0]
    return step if not step.label and constructor(step) is not None else None


def _assign_names(texts: list[ClassText]) -> None:
    """Give each class its title; where several claim one, what tells them apart or a number."""
    claims: dict[str, list[ClassText]] = {}
    for text in texts:
        claims.setdefault(text.title, []).append(text)
    taken = {title for title, group in claims.items() if len(group) == 1}
    for title, group in claims.items():
        for number, text in enumerate(group, start=1):
            name = title if len(group) == 1 else title + _distinction(text, group)
            if len(group) > 1 and (name in taken or name == title):
                name = f"{title}{number}" if number > 1 or title in taken else title
            taken.add(name)
            text.name = name


def _distinction(text: ClassText, group: list[ClassText]) -> str:
    """The worded fields (activation, attention) in which a class differs from its namesakes."""
    words = ""
    block = text.scopes[0].block
    assert block is not None
    for name in type(block).model_fields:
        value = getattr(block, name)
        others = {str(getattr(other.scopes[0].block, name, None)) for other in group}
        if len(others) > 1 and (isinstance(value, str) or hasattr(value, "kind")):
            word = value if isinstance(value, str) else value.kind
            title = TITLES.get(word.partition("(")[0])
            words += title or "".join(part.title() for part in re.findall(r"[a-z0-9]+", word))
    return words
