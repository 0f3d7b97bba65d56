"""The recipes that have a name: one YAML file each, beside this one. A new one is one more file."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from dse.errors import InvalidValue, UnknownName
from dse.recipes.augment import Augment
from dse.recipes.recipe import Recipe

_FOLDER = Path(__file__).parent


def names() -> list[str]:
    """The names that `recipe` knows, sorted."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def recipe(name: str, /, **overrides: Any) -> Recipe:
    """The recipe called `name`, with some settings changed.

    `augment` may be a mapping, which changes only the settings it names; an `Augment`, which
    replaces them all; or None, which turns augmentation off.

    Example:
        >>> recipe("quick", epochs=5, augment={"rotate_degrees": 10}).epochs
        5

    Raises:
        UnknownName: no recipe, or no setting of one, has that name.
        InvalidValue: a setting is outside what it may be, or does not go with another.
    """
    if name not in names():
        raise UnknownName("recipe", name, names())
    named = _read(name)
    settings = {**named.model_dump(), **overrides}
    if "augment" in overrides:
        settings["augment"] = _augmentation(named.augment, overrides["augment"])
    try:
        return Recipe.model_validate(settings)
    except ValidationError as error:
        raise in_one_sentence(f"recipe {name!r}: ", error) from None


@cache
def _read(name: str) -> Recipe:
    text = (_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    return Recipe.model_validate({"name": name, **yaml.safe_load(text)})


def _augmentation(named: Augment, asked: object) -> object:
    """Settings of an augmentation, from what an override of it may be."""
    if asked is None:
        return Augment()
    if isinstance(asked, dict):
        return {**named.model_dump(), **asked}
    return asked


def in_one_sentence(place: str, error: ValidationError) -> InvalidValue | UnknownName:
    """The first complaint of pydantic, which writes several lines to a fault, as ours."""
    fault = error.errors(include_url=False)[0]
    path = [str(part) for part in fault["loc"]]
    setting = ".".join(path)
    if fault["type"] == "extra_forbidden":
        *outer, _ = path
        known = (Augment if outer else Recipe).model_fields
        return UnknownName("recipe setting", setting, (".".join([*outer, k]) for k in known))
    if fault["type"] == "value_error":  # of a rule between settings: it names them and their values
        return InvalidValue(place + fault["msg"].removeprefix("Value error, "))
    rule = fault["msg"].replace("Input should be", "must be", 1).partition(", unable to")[0]
    return InvalidValue(f"{place}{setting} {rule}, got {fault['input']!r}")
