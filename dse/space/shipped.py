"""Spaces as files: those that are shipped by name, others by path."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from dse.errors import DseError, InvalidDesign, UnknownName
from dse.ir import Shape
from dse.resources import resource_dir
from dse.space.compile import compile_network
from dse.space.document import read_yaml
from dse.space.reader import Here, is_scalar, shown
from dse.space.space import Contained, Space, every_choice

_ENDINGS = (".yaml", ".yml")
_NAME = re.compile(r"[a-z][a-z0-9]*([-._][a-z0-9]+)*")


DEFAULT_SPACE = "lightweight"
"""The space that is searched where none is asked for."""


def space_names() -> list[str]:
    """The names of the shipped spaces."""
    return sorted(path.stem for path in resource_dir("searchspaces").glob("*.yaml"))


def load_space(name_or_path: str | Path) -> Space:
    """A shipped space by its name, or any by the path of its YAML file.

    Raises:
        UnknownName: no space is called so, and it is no file.
        InvalidDesign: the file cannot be read, or is no space; says the place, the rule and the
            value.
    """
    path = Path(name_or_path)
    is_path = isinstance(name_or_path, Path) or path.suffix in _ENDINGS or len(path.parts) > 1
    if not is_path:
        if name_or_path not in space_names():
            raise UnknownName("space", name_or_path, space_names())
        path = resource_dir("searchspaces") / f"{name_or_path}.yaml"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = str(getattr(error, "strerror", "") or "").lower() or "not text in UTF-8"
        raise InvalidDesign(f"{name_or_path}: a space is a YAML file; {reason}") from None
    return parse_space(text, _name_of(path), path.name)


def _name_of(path: Path) -> str:
    """The file's name as a network's name may begin."""
    name = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")
    return (name if name[:1].isalpha() else f"space-{name}".rstrip("-"))[:60].rstrip("-")


def parse_space(text: str, name: str = "space", place: str | None = None) -> Space:
    """Read a space from YAML text; `place` names the file in errors.

    Raises:
        InvalidDesign: not YAML, or no space; says the place, the rule and the value.
    """
    if not _NAME.fullmatch(name):
        raise InvalidDesign(
            f"a space's name is lower-case letters and digits joined by - . or _, got {name!r}"
        )
    place = place or name
    root = Here(f"{place}: ")
    document = root.mapping(read_yaml(text, place), "a space")
    root.only(document, ("about", "contains", "network"), "a space")
    about = document.get("about", "")
    if not isinstance(about, str):
        root.at("about").fail(f"about is a sentence, got {shown(about)}")
    if "network" not in document:
        root.fail("a space has a network, got none")
    inside = root.at("network")
    network = inside.mapping(document["network"], "a network")
    inside.only(network, ("input", "classes", "scale", "nodes"), "a space's network")
    for key in ("input", "classes", "nodes"):
        if key not in network:
            inside.fail(f"{key} is missing")
    try:
        template = compile_network(network.get("scale", 1), network["nodes"], inside)
    except RecursionError:
        inside.fail("the document is nested too deeply")
    every_choice(template)
    return Space(
        name=name,
        about=" ".join(about.split()),
        contains=_read_contains(document.get("contains", []), root.at("contains")),
        input=_read_input(network["input"], inside.at("input")),
        classes=_read_classes(network["classes"], inside.at("classes")),
        template=template,
    )


def _read_input(value: Any, here: Here) -> Shape:
    try:
        return Shape.parse(str(value))
    except DseError as error:
        here.fail(str(error))


def _read_classes(value: Any, here: Here) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 2 <= value <= 1_000_000:
        here.fail(f"classes is an integer from 2 to 1,000,000, got {shown(value)}")
    return value


def _read_contains(value: Any, here: Here) -> tuple[Contained, ...]:
    if not isinstance(value, list):
        here.fail(f"contains is a list of presets, got {shown(value)}")
    entries = []
    for index, entry in enumerate(value):
        there = here.at(index)
        if isinstance(entry, str):
            entry = {"preset": entry}
        if not isinstance(entry, dict) or not isinstance(entry.get("preset"), str):
            there.fail(
                f"a preset is its name, or {{preset: name, argument: value}}; got {shown(entry)}"
            )
        if not all(isinstance(key, str) and is_scalar(entry[key]) for key in entry):
            there.fail(f"the arguments of a preset are words and numbers, got {shown(entry)}")
        arguments = {key: entry[key] for key in entry if key != "preset"}
        entries.append(Contained(entry["preset"], arguments))
    return tuple(entries)
